#include "runtime/context_overview.hpp"

#include "base/json_text.hpp"
#include "llm/token_estimate.hpp"
#include "runtime/message_tokens.hpp"

#include <algorithm>

namespace stele::runtime {
namespace {

using llm::estimated_tokens;

std::optional<std::string> section(const std::string& system, const char* tag) {
    const std::string_view found = section_of(system, tag);
    return found.empty() ? std::nullopt : std::optional(std::string(found));
}

// The prompt of the agent without the sections that are compiled into it.
std::string prompt_of(const std::string& system) {
    if (auto base = section(system, "base_instructions")) return *base;
    std::size_t end = system.size();
    if (const std::string_view memory = memory_section_of(system); !memory.empty())
        end = static_cast<std::size_t>(memory.data() - system.data());
    for (const char* tag : {"<memory_blocks>", "<tool_usage_rules>", "<directories>", "<memory_metadata>"})
        end = std::min(end, system.find(tag));
    return system.substr(0, end);
}

}  // namespace

ContextWindowOverview context_overview(const LoadedAgent& loaded) {
    ContextWindowOverview overview;
    overview.context_window_size_max = loaded.agent.llm_config.context_window;
    overview.num_messages = static_cast<std::int64_t>(loaded.messages.size());
    overview.num_recall_memory = loaded.agent.message_count;
    overview.num_archival_memory = loaded.archival_count;

    const bool has_system = !loaded.messages.empty() && loaded.messages.front().role == MessageRole::system;
    const std::string system = has_system ? text_of(loaded.messages.front()) : std::string();
    overview.system_prompt = prompt_of(system);
    overview.num_tokens_system = estimated_tokens(overview.system_prompt);
    overview.core_memory = std::string(memory_section_of(system));
    overview.num_tokens_core_memory = estimated_tokens(overview.core_memory);
    overview.external_memory_summary = section(system, "memory_metadata").value_or("");
    overview.num_tokens_external_memory_summary = estimated_tokens(overview.external_memory_summary);
    overview.tool_usage_rules = section(system, "tool_usage_rules");
    overview.num_tokens_tool_usage_rules = estimated_tokens(overview.tool_usage_rules.value_or(""));
    overview.directories = section(system, "directories");
    overview.num_tokens_directories = estimated_tokens(overview.directories.value_or(""));

    for (const Tool& tool : loaded.tools) {
        overview.functions_definitions.push_back(
            Json{"{\"type\":\"function\",\"function\":" + tool.json_schema.text + "}"});
        overview.num_tokens_functions_definitions += estimated_tokens(overview.functions_definitions.back().text);
    }
    for (std::size_t i = 0; i < loaded.messages.size(); ++i) {
        const Message& message = loaded.messages[i];
        if (message.role == MessageRole::summary && !overview.summary_memory) {
            overview.summary_memory = text_of(message);
            overview.num_tokens_summary_memory = estimated_tokens(*overview.summary_memory);
        }
        Json& shown =
            overview.messages.emplace_back(Json{internal_message_json(message, loaded.agent.timezone.value_or("UTC"))});
        if (message.role != MessageRole::system && message.role != MessageRole::summary)
            overview.num_tokens_messages += estimated_json_tokens(message, shown.text);
    }
    overview.context_window_size_current =
        overview.num_tokens_system + overview.num_tokens_core_memory + overview.num_tokens_external_memory_summary +
        overview.num_tokens_tool_usage_rules + overview.num_tokens_directories + overview.num_tokens_summary_memory +
        overview.num_tokens_functions_definitions + overview.num_tokens_messages;
    return overview;
}

}  // namespace stele::runtime
