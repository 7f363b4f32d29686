#include "domain/tool.hpp"

#include "domain/json_mapping.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>
#include <array>
#include <regex>

namespace stele {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 9> rule_types = {
    "run_first",   "exit_loop",          "continue_loop",        "constrain_child_tools", "parent_last_tool",
    "conditional", "max_count_per_step", "required_before_exit", "requires_approval"};

json::value value_of(const Patch<Json>& text) { return text.has_value() ? json::parse(text->text) : json::value(); }

// [{"name", "args"}], each naming one of the children.
void check_child_arguments(const ToolRule& rule, Problems& problems) {
    const json::value nodes = value_of(rule.child_arg_nodes);
    if (nodes.is_null()) return;
    if (!nodes.is_array()) return problems.add("child_arg_nodes", "must be a list of objects", "list_type");
    const std::vector<std::string> children = rule.children.value_or({});
    for (std::size_t i = 0; i < nodes.get_array().size(); ++i) {
        const json::value& node = nodes.get_array()[i];
        const std::string where = "child_arg_nodes." + std::to_string(i);
        if (!node.is_object()) {
            problems.add(where, "must be an object", "object_type");
            continue;
        }
        const json::value* name = node.get_object().if_contains("name");
        const json::value* args = node.get_object().if_contains("args");
        if (name == nullptr || !name->is_string())
            problems.add(where + ".name", "is required: the name of a child", "missing");
        else if (std::find(children.begin(), children.end(), std::string(name->get_string())) == children.end())
            problems.add(where + ".name", "must be one of this rule's children", "value_error", json::serialize(*name));
        if (args != nullptr && !args->is_null() && !args->is_object())
            problems.add(where + ".args", "must be an object", "dict_type");
    }
}

void check_output_mapping(const ToolRule& rule, Problems& problems) {
    const json::value mapping = value_of(rule.child_output_mapping);
    if (!mapping.is_object() || mapping.get_object().empty())
        return problems.add("child_output_mapping", "must be an object that is not empty", "missing");
    for (const auto& [output, child] : mapping.get_object())
        if (!child.is_string() || child.get_string().empty())
            problems.add("child_output_mapping." + std::string(output), "must be the name of a tool", "string_type",
                         mapping::short_input(child));
}

}  // namespace

void check(const Requirement& requirement, Problems& problems) {
    // What follows reaches an installer's command line: no options, addresses or paths.
    static const std::regex name(R"((@[a-z0-9][a-z0-9._~-]*/)?[A-Za-z0-9][A-Za-z0-9._-]*(\[[A-Za-z0-9,._-]+\])?)");
    static const std::regex version(R"([A-Za-z0-9][A-Za-z0-9.!+*_-]*)");
    constexpr std::size_t bytes_max = 214;
    if (requirement.name.size() > bytes_max || !std::regex_match(requirement.name, name))
        problems.add("name", "must be the name of a package", "string_pattern_mismatch", json_string(requirement.name));
    if (requirement.version &&
        (requirement.version->size() > bytes_max || !std::regex_match(*requirement.version, version)))
        problems.add("version", "must be a version", "string_pattern_mismatch", json_string(*requirement.version));
}

bool is_custom(const Tool& tool) {
    return tool.tool_type == "custom" || tool.tool_type == "external_langchain" ||
           tool.tool_type == "external_composio";
}

bool runs_on_client(const Tool& tool) { return is_custom(tool) && !tool.source_code; }

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
    if (rule.type == "constrain_child_tools") check_child_arguments(rule, problems);
    if (rule.type == "conditional") check_output_mapping(rule, problems);
    if (rule.type == "max_count_per_step" && !rule.max_count_limit.has_value())
        problems.add("max_count_limit", "is required for this type", "missing");
    if (rule.max_count_limit.has_value() && *rule.max_count_limit < 0)
        problems.add("max_count_limit", "must be at least 0", "greater_than_equal");
    if (const json::value args = value_of(rule.args); !args.is_null() && !args.is_object())
        problems.add("args", "must be an object", "dict_type");
}

namespace {

bool asks_for(const ToolRule& rule, const std::string& tool) {
    return rule.type == "requires_approval" && rule.tool_name == tool;
}

}  // namespace

void add_approval_rule(std::vector<ToolRule>& rules, const std::string& tool) {
    if (std::any_of(rules.begin(), rules.end(), [&](const ToolRule& rule) { return asks_for(rule, tool); })) return;
    ToolRule& rule = rules.emplace_back();
    rule.tool_name = tool;
    rule.type = "requires_approval";
}

void remove_approval_rule(std::vector<ToolRule>& rules, const std::string& tool) {
    std::erase_if(rules, [&](const ToolRule& rule) { return asks_for(rule, tool); });
}

void remove_duplicates(std::vector<ToolRule>& rules) {
    std::vector<ToolRule> unique;
    for (ToolRule& rule : rules)
        if (std::find(unique.begin(), unique.end(), rule) == unique.end()) unique.push_back(std::move(rule));
    rules = std::move(unique);
}

STELE_JSON(Requirement)
STELE_JSON(RequirementList)
STELE_JSON(Tool)
STELE_JSON(ToolRule)

}  // namespace stele
