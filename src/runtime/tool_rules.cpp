#include "runtime/tool_rules.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace stele::runtime {
namespace {

bool contains(const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

// The child that a conditional rule names for this return: the default one, or nothing (= any), if none matches.
std::optional<std::string> chosen_child(const ToolRule& rule, const std::string& tool_return) {
    if (rule.child_output_mapping.has_value()) {
        boost::system::error_code failure;
        const auto mapping = boost::json::parse(rule.child_output_mapping->text, failure);
        if (!failure && mapping.is_object()) {
            const auto* child = mapping.get_object().if_contains(tool_return);
            if (child != nullptr && child->is_string()) return std::string(child->get_string());
        }
    }
    return rule.default_child.optional();
}

// What the rule's child_arg_nodes ([{"name", "args"}]) fill in for this child.
std::optional<std::string> arguments_of_child(const ToolRule& rule, const std::string& child) {
    if (!rule.child_arg_nodes.has_value()) return std::nullopt;
    boost::system::error_code failure;
    const auto nodes = boost::json::parse(rule.child_arg_nodes->text, failure);
    if (failure || !nodes.is_array()) return std::nullopt;
    for (const auto& node : nodes.get_array()) {
        if (!node.is_object()) continue;
        const auto* name = node.get_object().if_contains("name");
        const auto* args = node.get_object().if_contains("args");
        if (name != nullptr && args != nullptr && name->is_string() && name->get_string() == child && args->is_object())
            return boost::json::serialize(*args);
    }
    return std::nullopt;
}

}  // namespace

bool ToolRuleSet::has(const std::string& tool, const char* type) const {
    return std::any_of(rules_.begin(), rules_.end(),
                       [&](const ToolRule& rule) { return rule.type == type && rule.tool_name == tool; });
}

bool ToolRuleSet::permits(const std::string& tool) const {
    const std::string last = history_.empty() ? std::string() : history_.back().tool;
    for (const ToolRule& rule : rules_) {
        const bool after_it = !last.empty() && rule.tool_name == last;
        if (rule.type == "constrain_child_tools" && after_it && !contains(rule.children.value_or({}), tool))
            return false;
        if (rule.type == "parent_last_tool" && contains(rule.children.value_or({}), tool) && !after_it) return false;
        if (rule.type == "conditional" && after_it) {
            const auto child = chosen_child(rule, history_.back().tool_return);
            if (child ? *child != tool : rule.require_output_mapping.value_or(false)) return false;
        }
        if (rule.type == "max_count_per_step" && rule.tool_name == tool) {
            const auto calls =
                std::count_if(history_.begin(), history_.end(), [&](const Call& call) { return call.tool == tool; });
            if (calls >= rule.max_count_limit.value_or(0)) return false;
        }
    }
    return true;
}

std::vector<std::string> ToolRuleSet::allowed(const std::vector<std::string>& available) const {
    std::vector<std::string> names;
    if (history_.empty())
        for (const std::string& tool : available)
            if (has(tool, "run_first")) names.push_back(tool);
    if (!names.empty()) return names;
    std::copy_if(available.begin(), available.end(), std::back_inserter(names),
                 [&](const std::string& tool) { return permits(tool); });
    return names.empty() ? available : names;
}

std::optional<std::string> ToolRuleSet::prefilled(const std::string& tool) const {
    for (const ToolRule& rule : rules_) {
        if (history_.empty() && rule.type == "run_first" && rule.tool_name == tool && rule.args.has_value())
            return rule.args->text;
        if (history_.empty() || rule.type != "constrain_child_tools" || rule.tool_name != history_.back().tool)
            continue;
        if (auto args = arguments_of_child(rule, tool)) return args;
    }
    return std::nullopt;
}

bool ToolRuleSet::call_required() const {
    if (!history_.empty()) return constrains_next(history_.back().tool);
    return std::any_of(rules_.begin(), rules_.end(), [](const ToolRule& rule) { return rule.type == "run_first"; });
}

std::string ToolRuleSet::hint(const std::string& tool) const {
    const std::string last = history_.empty() ? std::string() : history_.back().tool;
    for (const ToolRule& rule : rules_) {
        if (history_.empty() && rule.type == "run_first" && rule.tool_name != tool)
            return "the first call must be " + rule.tool_name;
        if (rule.type == "constrain_child_tools" && rule.tool_name == last)
            return "after " + last + " only its child tools may be called";
        if (rule.type == "conditional" && rule.tool_name == last)
            return "what " + last + " gave back decides which tool may follow";
        if (rule.type == "parent_last_tool" && contains(rule.children.value_or({}), tool))
            return tool + " may only be called right after " + rule.tool_name;
        if (rule.type == "max_count_per_step" && rule.tool_name == tool)
            return tool + " was called as often as one request may call it";
    }
    return {};
}

bool ToolRuleSet::constrains_next(const std::string& tool) const {
    return has(tool, "constrain_child_tools") || has(tool, "conditional") || has(tool, "parent_last_tool");
}

std::vector<std::string> ToolRuleSet::missing_before_exit(const std::vector<std::string>& available) const {
    std::vector<std::string> missing;
    for (const ToolRule& rule : rules_) {
        if (rule.type != "required_before_exit" || !contains(available, rule.tool_name)) continue;
        const bool was_called = std::any_of(history_.begin(), history_.end(),
                                            [&](const Call& call) { return call.tool == rule.tool_name; });
        if (!was_called) missing.push_back(rule.tool_name);
    }
    return missing;
}

bool ToolRuleSet::unconstrained() const {
    return std::all_of(rules_.begin(), rules_.end(),
                       [](const ToolRule& rule) { return rule.type == "requires_approval"; });
}

void ToolRuleSet::called(const std::string& tool, std::string tool_return) {
    history_.push_back(Call{tool, std::move(tool_return)});
}

}  // namespace stele::runtime
