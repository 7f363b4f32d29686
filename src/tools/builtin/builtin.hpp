#pragma once

#include "domain/agent.hpp"
#include "domain/message.hpp"
#include "tools/other_agents.hpp"
#include "tools/working_memory.hpp"

#include <boost/asio/awaitable.hpp>

#include <span>

namespace stele::storage {
class MessageRepository;
}

namespace stele::tools::web {
class WebAccess;
}

namespace stele::tools {

class ArchivalMemory;
class CodeRunner;
class FileShelf;

/// What a tool gave back: `value` is a text, or JSON with `is_object`.
struct ToolResult {
    std::string value;
    bool is_object = false;
};

/// What a built-in may use. All references outlive the call.
struct BuiltinContext {
    const Agent& agent;
    const std::string& actor;
    WorkingMemory& memory;
    const storage::MessageRepository& messages;
    OtherAgents& others;
    CodeRunner& code;
    Timestamp now;
    web::WebAccess& web;
    ArchivalMemory& archive;
    FileShelf& files;
};

/// What a tool's call leaves behind besides its return.
enum class Effect {
    none,
    memory,  ///< edits of the working memory, which can be made again on other blocks
    outside  ///< something that the step's transaction does not hold: a message to another agent, a program that ran
};

/// A tool that Stele brings along.
struct BuiltinTool {
    const char* name;
    const char* tool_type;
    const char* description;
    std::string (*schema)(const char* name, const char* description);  ///< {"name","description","parameters"}
    bool parallel;                                                     ///< may run beside other calls of one answer
    Effect effect;
    /// Throws ToolFailure, or Error{invalid_argument} for arguments that don't fit.
    boost::asio::awaitable<ToolResult> (*run)(BuiltinContext& context, std::string arguments_json);
    bool whole = false;  ///< what it gives back is never cut: its arguments bound it
};

/// All of them, in one list: what is seeded into the store and what the runtime may call.
std::span<const BuiltinTool> builtin_tools();

/// Nothing for a name that is no built-in.
const BuiltinTool* find_builtin(std::string_view name);

/// The tool as answers show it, with the id that this organisation's row has or gets.
Tool describe_builtin(const BuiltinTool& builtin, const std::string& id, const std::string& actor);

}  // namespace stele::tools
