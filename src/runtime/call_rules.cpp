#include "runtime/call_rules.hpp"

#include "runtime/call_arguments.hpp"

#include <algorithm>

namespace stele::runtime {
namespace {

// The words with which clients and models know such a refusal.
constexpr char constraint[] = "[ToolConstraintError] ";

std::string refusal_of(const std::string& call, const ToolRuleSet& rules, const std::vector<std::string>& allowed,
                       bool known) {
    std::string names;
    for (const std::string& name : allowed) names += (names.empty() ? "" : ", ") + name;
    return constraint +
           (known ? call + " can't be called now: " + rules.hint(call) : "There is no tool '" + call + "'") +
           ". You may call: " + (names.empty() ? "none" : names);
}

}  // namespace

bool apply_rules(PreparedCall& call, const ToolRuleSet& rules, const std::vector<std::string>& allowed,
                 const std::vector<Tool>& tools) {
    const auto tool =
        std::find_if(tools.begin(), tools.end(), [&](const Tool& each) { return each.name == call.tool; });
    if (tool == tools.end() || std::find(allowed.begin(), allowed.end(), call.tool) == allowed.end()) {
        call.refusal = refusal_of(call.tool, rules, allowed, tool != tools.end());
        return false;
    }
    const auto prefilled = rules.prefilled(call.tool);
    if (!prefilled) return false;
    FilledArguments filled = with_prefilled(call.arguments_json.value_or("{}"), *prefilled, tool->json_schema.text);
    if (!filled.problem.empty()) {
        call.bad_rule = true;
        call.refusal = constraint + ("The arguments " + *prefilled) + " that a tool rule gives " + call.tool +
                       " do not fit it: " + filled.problem;
        return false;
    }
    call.arguments_json = std::move(filled.json);
    return true;
}

}  // namespace stele::runtime
