#pragma once

#include "base/seal.hpp"
#include "domain/agent.hpp"
#include "domain/message.hpp"
#include "domain/sandbox.hpp"
#include "runtime/run_tokens.hpp"
#include "storage/database.hpp"
#include "tools/working_memory.hpp"

#include <boost/asio/awaitable.hpp>

namespace stele::tools {
class Sandbox;
struct Program;
struct SandboxCall;
struct SandboxResult;
}  // namespace stele::tools

namespace stele::runtime {

/// One call of a tool whose source a user wrote.
struct CustomToolCall {
    std::string organization_id;
    std::string user_id;
    CallOrigin origin;
    Tool tool;
    std::string arguments_json = "{}";
    std::optional<AgentState> agent;  ///< who calls, with its blocks as they are now; nothing: nobody in particular
    TextMap environment;              ///< variables of this call alone
};

/// A block that a tool changed: what it saw, and what it made of that.
struct BlockChange {
    std::string label, seen, value;
};

/// What came of it, in the forms that the loop and the run routes need.
struct CustomToolReturn {
    std::string status = "success";          ///< or error
    std::string value_json = "null";         ///< what the function gave back; null if it failed
    std::string text;                        ///< what the model reads, cut to the tool's limit; of a failure: why
    bool is_object = false;                  ///< `text` is a JSON object
    bool cut = false;                        ///< `text` was longer
    std::vector<std::string> out, err;       ///< what was printed: one text, or none
    std::vector<BlockChange> block_changes;  ///< see keep_blocks
    std::string fingerprint;                 ///< of the sandbox's configuration
};

/// Runs custom tools: gathers what they may see of the store, has them called in the sandbox, packs what they give
/// back. Thread-safe; what it refers to outlives it.
class CustomTools {
public:
    struct Parts {
        storage::Database& database;
        const Sealer& sealer;
        tools::Sandbox& sandbox;
        RunTokens& tokens;
        TextMap passed_on;  ///< variables of the server's own environment that the operator lets tools see
        std::chrono::milliseconds time_limit{180'000};
    };

    explicit CustomTools(Parts parts) : parts_(std::move(parts)) {}

    /// A tool that fails, takes too long or can't be run at all gives a return with status error; only failures of the
    /// store are thrown. Cancelling ends the tool's processes.
    boost::asio::awaitable<CustomToolReturn> run(CustomToolCall call) const;

    /// The same for source that is a program and no function. Its result is that of SandboxCall::program, if it was
    /// carried out at all.
    boost::asio::awaitable<tools::SandboxResult> run_program(CustomToolCall call, tools::Program program) const;

private:
    struct Gathered;

    boost::asio::awaitable<Gathered> gather(CustomToolCall call) const;
    boost::asio::awaitable<tools::SandboxResult> carry_out(CustomToolCall call, tools::SandboxCall wanted) const;

    Parts parts_;
};

/// `agent` as tools see it: with `blocks`, without tools, rules and secrets.
AgentState state_for_tools(const Agent& agent, const std::vector<Block>& blocks);

/// Makes the tool's changes in `memory`. Where a block has been edited since the tool saw it, both edits are kept if
/// they are of different places. One that can't be made (the same place, read-only, too long) turns the return into an
/// error that says so, for the model; then none is made.
void keep_blocks(CustomToolReturn& made, tools::WorkingMemory& memory);

/// `made` as the return of a call; id and name of the call stay.
void fill_return(MessageToolReturn& result, const CustomToolReturn& made);

// Pure parts of run, for tests.

/// What a tool's process finds in its environment, later ones win: what the operator lets through, variables of the
/// sandbox's configuration, of the call, of the agent. Nobody but the server says which agent and tool it is.
TextMap tool_environment(const TextMap& passed_on, const TextMap& sandbox, const CustomToolCall& call,
                         const TextMap& secrets);

/// The packages of the tool and of the sandbox's configuration, as its installer reads them, sorted. Where both name
/// one, the tool's own wish counts.
std::vector<std::string> tool_requirements(const Tool& tool, const SandboxConfig& config);

CustomToolReturn pack_return(const Tool& tool, tools::SandboxResult result);

}  // namespace stele::runtime
