#include "domain/tool.hpp"

#include "domain/json_mapping.hpp"

#include <algorithm>
#include <array>

namespace stele {
namespace {

constexpr std::array<std::string_view, 11> rule_types = {
    "run_first",         "exit_loop",    "continue_loop",      "constrain_child_tools",
    "parent_last_tool",  "conditional",  "max_count_per_step", "required_before_exit",
    "requires_approval", "InitToolRule", "TerminalToolRule"};

}  // namespace

bool is_tool_type(std::string_view word) {
    for (const char* known : {"custom", "letta_core", "letta_memory_core", "letta_multi_agent_core",
                              "letta_sleeptime_core", "letta_voice_sleeptime_core", "letta_builtin", "letta_files_core",
                              "external_langchain", "external_composio", "external_mcp"})
        if (word == known) return true;
    return false;
}

void check(const ToolRule& rule, Problems& problems) {
    if (rule.tool_name.empty()) problems.add("tool_name", "is required", "missing");
    if (std::find(rule_types.begin(), rule_types.end(), rule.type) == rule_types.end())
        problems.add("type",
                     "must be one of: run_first, exit_loop, continue_loop, constrain_child_tools, parent_last_tool, "
                     "conditional, max_count_per_step, required_before_exit, requires_approval",
                     "union_tag_invalid", json_string(rule.type));
    const bool family = rule.type == "constrain_child_tools" || rule.type == "parent_last_tool";
    if (family && !rule.children.has_value()) problems.add("children", "is required for this type", "missing");
    if (rule.type == "max_count_per_step" && !rule.max_count_limit.has_value())
        problems.add("max_count_limit", "is required for this type", "missing");
    if (rule.max_count_limit.has_value() && *rule.max_count_limit < 0)
        problems.add("max_count_limit", "must be at least 0", "greater_than_equal");
    if (rule.type == "conditional" &&
        (!rule.child_output_mapping.has_value() || rule.child_output_mapping->text.size() <= 2 ||
         rule.child_output_mapping->text.front() != '{'))
        problems.add("child_output_mapping", "must be an object that is not empty", "missing");
}

void remove_duplicates(std::vector<ToolRule>& rules) {
    std::vector<ToolRule> unique;
    for (ToolRule& rule : rules)
        if (std::find(unique.begin(), unique.end(), rule) == unique.end()) unique.push_back(std::move(rule));
    rules = std::move(unique);
}

STELE_JSON(Tool)
STELE_JSON(ToolRule)

}  // namespace stele
