#pragma once

#include "domain/agent.hpp"

#include <optional>
#include <string>
#include <vector>

/// The system message of an agent: its prompt, its memory blocks, its tool rules and a few facts about itself.
///
///     system prompt, with {CORE_MEMORY} replaced by, or else followed by:
///     <memory_blocks> ... </memory_blocks>               or what git_memory_prompt.hpp says
///     <tool_usage_rules> ... </tool_usage_rules>         if a rule has something to tell
///     <directories> ... </directories>                   if it has folders (directories.hpp)
///     <memory_metadata> ... </memory_metadata>
///
/// It is stored as a message and sent as stored, so that the providers' prefix caches stay warm from turn to turn.
namespace stele::runtime {

struct AgentDirectories;

/// All that the text depends on. References outlive the call.
struct SystemPromptInput {
    const Agent& agent;
    const std::vector<Block>& blocks;  ///< in order of attachment
    std::string conversation_id;       ///< empty: the default conversation
    Timestamp compiled_at;
    std::int64_t recall_count = 0;  ///< messages that are stored but not in the context window
    std::int64_t archival_count = 0;
    std::vector<std::string> archival_tags = {};    ///< of the agent's archive
    const AgentDirectories* directories = nullptr;  ///< null: it has no folders
};

/// The whole text, compiled anew.
std::string compile_system_prompt(const SystemPromptInput& input);

/// The text that should replace `stored`, or nothing while `stored` still says what the agent's prompt, blocks and
/// rules say: counts alone are no reason to lose a prefix cache. A new text keeps the time of `stored`.
std::optional<std::string> refreshed_system_prompt(const std::string& stored, const SystemPromptInput& input);

/// Whether that is so: it costs no look at the counts.
bool is_outdated(const std::string& stored, const SystemPromptInput& input);

/// The whole text compiled anew, counts included, with the time of `stored`.
std::string recompiled_system_prompt(const std::string& stored, const SystemPromptInput& input);

/// The text of `stored`, which is up to date, with other blocks: everything else stays to the byte.
std::string system_prompt_with_blocks(const std::string& stored, const SystemPromptInput& input);

/// The part of a system text that shows the blocks; empty if there is none.
std::string_view memory_section_of(std::string_view system);

/// The part of a system text from `<tag>` to `</tag>` inclusive; empty if there is none.
std::string_view section_of(std::string_view text, std::string_view tag);

}  // namespace stele::runtime
