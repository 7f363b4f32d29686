#include "runtime/tool_rules.hpp"
#include "base/contains.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <cmath>

namespace stele::runtime {
namespace {

// A return and a rule's key mean the same if they are the same value: true, "true" and Python's True; 1 and 1.0.
std::string canonical(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(" \t\r\n");
    if (begin == std::string_view::npos) return {};
    text = text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
    if (text == "True") return "true";
    if (text == "False") return "false";
    if (text == "None") return "null";
    boost::system::error_code failure;
    const auto value = boost::json::parse(text, failure);
    if (failure) return std::string(text);
    if (value.is_string()) return std::string(value.get_string());
    if (value.is_double()) {
        const double number = value.get_double();
        if (std::nearbyint(number) == number && std::abs(number) < 9e15)
            return std::to_string(static_cast<std::int64_t>(number));
    }
    return boost::json::serialize(value);
}

// The child that a conditional rule names for this return: the default one, or nothing (= any), if none matches.
std::optional<std::string> chosen_child(const ToolRule& rule, const std::string& tool_return) {
    boost::system::error_code failure;
    const auto mapping =
        boost::json::parse(rule.child_output_mapping.has_value() ? rule.child_output_mapping->text : "{}", failure);
    if (failure || !mapping.is_object()) return rule.default_child.optional();
    if (const auto* child = mapping.get_object().if_contains(tool_return); child != nullptr && child->is_string())
        return std::string(child->get_string());
    const std::string wanted = canonical(tool_return);
    for (const auto& [output, child] : mapping.get_object())
        if (child.is_string() && canonical(output) == wanted) return std::string(child.get_string());
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

std::string ToolRuleSet::last() const { return history_.empty() ? std::string() : history_.back().tool; }

bool ToolRuleSet::used_up(const std::string& tool) const {
    const auto calls =
        std::count_if(history_.begin(), history_.end(), [&](const Call& call) { return call.tool == tool; });
    return std::any_of(rules_.begin(), rules_.end(), [&](const ToolRule& rule) {
        return rule.type == "max_count_per_step" && rule.tool_name == tool && calls >= rule.max_count_limit.value_or(0);
    });
}

// A child of several parents may follow each of them.
const ToolRule* ToolRuleSet::missed_parent(const std::string& tool) const {
    const ToolRule* missed = nullptr;
    for (const ToolRule& rule : rules_) {
        if (rule.type != "parent_last_tool" || !contains(rule.children.value_or({}), tool)) continue;
        if (!history_.empty() && rule.tool_name == last()) return nullptr;
        if (missed == nullptr) missed = &rule;
    }
    return missed;
}

// The rule of the last call that lets other tools follow but not this one.
const ToolRule* ToolRuleSet::excluding(const std::string& tool) const {
    if (history_.empty()) return nullptr;
    for (const ToolRule& rule : rules_) {
        if (rule.tool_name != last()) continue;
        if (rule.type == "constrain_child_tools" && !contains(rule.children.value_or({}), tool)) return &rule;
        if (rule.type != "conditional") continue;
        const auto child = chosen_child(rule, history_.back().tool_return);
        if (child ? *child != tool : rule.require_output_mapping.value_or(false)) return &rule;
    }
    return nullptr;
}

std::vector<std::string> ToolRuleSet::allowed(const std::vector<std::string>& available) const {
    std::vector<std::string> left, first, narrowed;
    for (const std::string& tool : available) {
        if (used_up(tool)) continue;
        left.push_back(tool);
        if (history_.empty() && has(tool, "run_first")) first.push_back(tool);
        if (missed_parent(tool) == nullptr && excluding(tool) == nullptr) narrowed.push_back(tool);
    }
    if (!first.empty()) return first;
    return narrowed.empty() ? left : narrowed;
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
    if (used_up(tool)) return tool + " was called as often as one request may call it";
    if (history_.empty())
        for (const ToolRule& rule : rules_)
            if (rule.type == "run_first" && rule.tool_name != tool) return "the first call must be " + rule.tool_name;
    if (const ToolRule* parent = missed_parent(tool))
        return tool + " may only be called right after " + parent->tool_name;
    if (const ToolRule* rule = excluding(tool))
        return rule->type == "conditional" ? "what " + last() + " gave back decides which tool may follow"
                                           : "after " + last() + " only its child tools may be called";
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
