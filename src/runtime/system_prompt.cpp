#include "runtime/system_prompt.hpp"

#include "base/utf8.hpp"
#include "runtime/directories.hpp"
#include "runtime/git_memory_prompt.hpp"
#include "tools/builtin/memory_edits.hpp"

#include <algorithm>

namespace stele::runtime {
namespace {

constexpr std::string_view memory_placeholder = "{CORE_MEMORY}";
constexpr std::string_view recompiled_label = "- System prompt last recompiled: ";

bool shows_blocks(AgentType type) { return type != AgentType::react_agent && type != AgentType::workflow_agent; }

// Numbers help those models that edit by line; the others copy them into their edits.
bool numbers_lines(const Agent& agent) {
    return agent.llm_config.model_endpoint_type == "anthropic" &&
           (agent.agent_type == AgentType::letta_v1_agent || agent.agent_type == AgentType::sleeptime_agent ||
            agent.agent_type == AgentType::memgpt_v2_agent);
}

void append_numbered(std::string& out, const std::string& value) {
    if (value.empty()) return;
    std::size_t line = 1;
    for (std::size_t begin = 0; begin <= value.size();) {
        const std::size_t end = std::min(value.find('\n', begin), value.size());
        out += std::to_string(line++) + "\u2192 ";
        out.append(value, begin, end - begin);
        out += '\n';
        begin = end + 1;
    }
}

void append_block(std::string& out, const Block& block, bool numbered) {
    const std::string tag = tag_of(block.label);
    out += '<' + tag + ">\n<description>\n" + shown_description(block).value_or("") + "\n</description>\n<metadata>\n";
    if (block.read_only) out += "- read_only=true\n";
    out += "- chars_current=" + std::to_string(code_points(block.value)) +
           "\n- chars_limit=" + std::to_string(block.limit) + "\n</metadata>\n";
    if (numbered) {
        out += "<warning>\n";
        out += tools::edits::line_number_warning;
        out += "\n</warning>\n<value>\n";
        append_numbered(out, block.value);
        out += "</value>\n";
    } else {
        out += "<value>\n" + block.value + "\n</value>\n";
    }
    out += "</" + tag + ">\n\n";
}

std::string memory_section(const Agent& agent, const std::vector<Block>& blocks) {
    if (!shows_blocks(agent.agent_type) || blocks.empty()) return {};
    if (agent.git_memory && shows_as_files(blocks)) return git_memory_section(blocks);
    const bool numbered = numbers_lines(agent);
    std::string out =
        "<memory_blocks>\nThis is your core memory. It is always in your view and you keep it up to date:\n\n";
    for (const Block& block : blocks) append_block(out, block, numbered);
    return out + "</memory_blocks>";
}

std::string joined(const std::vector<std::string>& names) {
    std::string out;
    for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
    return out;
}

// What the model is told of a rule; empty for those that only the loop knows.
std::string sentence_of(const ToolRule& rule) {
    const std::vector<std::string> children = rule.children.value_or({});
    if (rule.type == "continue_loop") return "After " + rule.tool_name + " you must go on with another call.";
    if (rule.type == "constrain_child_tools")
        return "After " + rule.tool_name + " you may only call: " + joined(children) + ".";
    if (rule.type == "conditional")
        return "What " + rule.tool_name + " gives back decides which tool you may call next.";
    if (rule.type == "max_count_per_step")
        return "You may call " + rule.tool_name + " at most " + std::to_string(rule.max_count_limit.value_or(0)) +
               " times in one response.";
    if (rule.type == "parent_last_tool")
        return joined(children) + " may only be called right after " + rule.tool_name + ".";
    if (rule.type == "exit_loop") return "Calling " + rule.tool_name + " ends your response.";
    return {};
}

std::string rules_section(const Agent& agent) {
    // In the order of these groups, within a group as the agent lists them.
    constexpr std::string_view groups[][3] = {{"continue_loop", "", ""},
                                              {"constrain_child_tools", "conditional", "max_count_per_step"},
                                              {"parent_last_tool", "", ""},
                                              {"exit_loop", "", ""}};
    std::string rules;
    for (const auto& group : groups) {
        for (const ToolRule& rule : agent.tool_rules) {
            if (std::find(std::begin(group), std::end(group), rule.type) == std::end(group)) continue;
            const std::string sentence = sentence_of(rule);
            if (!sentence.empty()) rules += "\n<tool_rule>\n" + sentence + "\n</tool_rule>";
        }
    }
    if (rules.empty()) return {};
    return "\n\n<tool_usage_rules>\nThese rules bind your use of tools:\n" + rules + "\n</tool_usage_rules>";
}

std::string metadata_section(const SystemPromptInput& input, std::string_view compiled_at) {
    std::string out = "<memory_metadata>\n- AGENT_ID: " + input.agent.id +
                      "\n- CONVERSATION_ID: " + (input.conversation_id.empty() ? "default" : input.conversation_id) +
                      '\n';
    out += recompiled_label;
    out += compiled_at;
    out += "\n- " + std::to_string(input.recall_count) +
           " earlier messages are kept in recall memory (search them with tools)\n";
    if (input.archival_count > 0)
        out += "- " + std::to_string(input.archival_count) +
               " memories are kept in archival memory (search them with tools)\n";
    if (!input.archival_tags.empty()) out += "- Available archival memory tags: " + joined(input.archival_tags) + '\n';
    return out + "</memory_metadata>";
}

std::string compose(const SystemPromptInput& input, std::string_view metadata) {
    std::string memory = memory_section(input.agent, input.blocks) + rules_section(input.agent);
    if (input.directories != nullptr) memory += directories_section(input.agent, *input.directories);
    memory += "\n\n";
    memory += metadata;
    std::string text = input.agent.system;
    const std::size_t place = text.find(memory_placeholder);
    if (place != std::string::npos) return text.replace(place, memory_placeholder.size(), memory);
    return text + "\n\n" + memory;
}

// The metadata stands last among Stele's own sections, and a prompt may quote the tag: so the last one counts.
std::string_view stored_metadata(std::string_view stored) {
    const std::size_t begin = stored.rfind("<memory_metadata>");
    if (begin == std::string_view::npos) return {};
    return section_of(stored.substr(begin), "memory_metadata");
}

}  // namespace

std::string_view section_of(std::string_view text, std::string_view tag) {
    const std::string open = "<" + std::string(tag) + ">", close = "</" + std::string(tag) + ">";
    const std::size_t begin = text.find(open);
    if (begin == std::string_view::npos) return {};
    const std::size_t end = text.find(close, begin);
    if (end == std::string_view::npos) return {};
    return text.substr(begin, end + close.size() - begin);
}

std::string_view memory_section_of(std::string_view system) {
    const std::string_view blocks = section_of(system, "memory_blocks");
    return blocks.empty() ? git_memory_of(system) : blocks;
}

std::string compile_system_prompt(const SystemPromptInput& input) {
    return compose(input,
                   metadata_section(input, to_prompt_time(input.compiled_at, input.agent.timezone.value_or("UTC"))));
}

std::string recompiled_system_prompt(const std::string& stored, const SystemPromptInput& input) {
    const std::string_view metadata = stored_metadata(stored);
    const std::size_t label = metadata.find(recompiled_label);
    if (label == std::string_view::npos) return compile_system_prompt(input);
    const std::size_t begin = label + recompiled_label.size();
    return compose(input, metadata_section(input, metadata.substr(begin, metadata.find('\n', begin) - begin)));
}

std::string system_prompt_with_blocks(const std::string& stored, const SystemPromptInput& input) {
    const std::string_view metadata = stored_metadata(stored);
    return metadata.empty() ? compile_system_prompt(input) : compose(input, metadata);
}

bool is_outdated(const std::string& stored, const SystemPromptInput& input) {
    const std::string_view metadata = stored_metadata(stored);
    return metadata.empty() || compose(input, metadata) != stored;
}

std::optional<std::string> refreshed_system_prompt(const std::string& stored, const SystemPromptInput& input) {
    if (!is_outdated(stored, input)) return std::nullopt;
    return recompiled_system_prompt(stored, input);
}

}  // namespace stele::runtime
