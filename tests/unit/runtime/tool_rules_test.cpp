// Each kind of tool rule as a table: what may be called after which calls.
#include "runtime/tool_rules.hpp"

#include "runtime/next_action.hpp"

#include <gmock/gmock.h>

namespace stele::runtime {
namespace {

using Names = std::vector<std::string>;

const Names all = {"a", "b", "c"};

ToolRule rule(const std::string& type, const std::string& tool, Names children = {}) {
    ToolRule made;
    made.type = type;
    made.tool_name = tool;
    if (!children.empty()) made.children = std::move(children);
    return made;
}

ToolRule at_most(const std::string& tool, std::int64_t limit) {
    ToolRule made = rule("max_count_per_step", tool);
    made.max_count_limit = limit;
    return made;
}

ToolRule conditional(const std::string& tool, const char* mapping, const char* otherwise = nullptr,
                     bool required = false) {
    ToolRule made = rule("conditional", tool);
    made.child_output_mapping = Json{mapping};
    if (otherwise != nullptr) made.default_child = std::string(otherwise);
    made.require_output_mapping = required;
    return made;
}

struct Case {
    const char* what;
    std::vector<ToolRule> rules;
    std::vector<std::pair<std::string, std::string>> calls;  ///< tool and what it gave back
    Names allowed;
    bool call_required = false;
};

void PrintTo(const Case& row, std::ostream* out) { *out << row.what; }

class AllowedTools : public testing::TestWithParam<Case> {};

TEST_P(AllowedTools, FollowTheRules) {
    ToolRuleSet rules(GetParam().rules);
    for (const auto& [tool, tool_return] : GetParam().calls) rules.called(tool, tool_return);

    EXPECT_EQ(rules.allowed(all), GetParam().allowed) << GetParam().what;
    EXPECT_EQ(rules.call_required(), GetParam().call_required) << GetParam().what;
    for (const std::string& tool : all) {
        const bool refused =
            std::find(GetParam().allowed.begin(), GetParam().allowed.end(), tool) == GetParam().allowed.end();
        if (refused) {
            EXPECT_NE(rules.hint(tool), "") << GetParam().what << ": " << tool;
        }
    }
}

const std::vector<std::pair<std::string, std::string>> none;

const std::vector<Case> cases = {
    {"no rule", {}, none, all},
    {"run_first before any call", {rule("run_first", "b")}, none, {"b"}, true},
    {"several run_first", {rule("run_first", "a"), rule("run_first", "c")}, none, {"a", "c"}, true},
    {"run_first after it", {rule("run_first", "b")}, {{"b", "x"}}, all},
    {"children after their parent", {rule("constrain_child_tools", "a", {"b", "c"})}, {{"a", "x"}}, {"b", "c"}, true},
    {"children of another call", {rule("constrain_child_tools", "a", {"b"})}, {{"a", "x"}, {"b", "x"}}, all},
    {"children in two rules are those of both",
     {rule("constrain_child_tools", "a", {"a", "b"}), rule("constrain_child_tools", "a", {"b", "c"})},
     {{"a", "x"}},
     {"b"},
     true},
    {"children that nobody has don't count", {rule("constrain_child_tools", "a", {"z"})}, {{"a", "x"}}, all, true},
    {"a parent must be the last call", {rule("parent_last_tool", "a", {"c"})}, none, {"a", "b"}},
    {"a parent that was", {rule("parent_last_tool", "a", {"c"})}, {{"a", "x"}}, all, true},
    {"a parent two calls ago", {rule("parent_last_tool", "a", {"c"})}, {{"a", "x"}, {"b", "x"}}, {"a", "b"}},
    {"each of several parents opens the way",
     {rule("parent_last_tool", "a", {"c"}), rule("parent_last_tool", "b", {"c"})},
     {{"b", "x"}},
     all,
     true},
    {"none of several parents",
     {rule("parent_last_tool", "a", {"c"}), rule("parent_last_tool", "b", {"c"})},
     {{"c", "x"}},
     {"a", "b"}},
    {"a limit that is not reached", {at_most("a", 2)}, {{"a", "x"}}, all},
    {"a limit that is", {at_most("a", 2)}, {{"a", "x"}, {"b", "x"}, {"a", "x"}}, {"b", "c"}},
    {"a limit of none", {at_most("a", 0)}, none, {"b", "c"}},
    {"a limit holds where the other rules leave nothing",
     {at_most("a", 1), rule("constrain_child_tools", "a", {"a"})},
     {{"a", "x"}},
     {"b", "c"},
     true},
    {"a limit on every tool", {at_most("a", 0), at_most("b", 0), at_most("c", 0)}, none, {}},
    {"an output that is mapped", {conditional("a", R"({"yes":"b","no":"c"})")}, {{"a", "yes"}}, {"b"}, true},
    {"an output that is not, with a default", {conditional("a", R"({"yes":"b"})", "c")}, {{"a", "no"}}, {"c"}, true},
    {"an output that is not, without", {conditional("a", R"({"yes":"b"})")}, {{"a", "no"}}, all, true},
    {"an output that has to be", {conditional("a", R"({"yes":"b"})", nullptr, true)}, {{"a", "no"}}, all, true},
    {"another call's output", {conditional("a", R"({"yes":"b"})", "c")}, {{"b", "yes"}}, all},
    {"true is true", {conditional("a", R"({"true":"b"})", "c")}, {{"a", "True"}}, {"b"}, true},
    {"True is true", {conditional("a", R"({"True":"b"})", "c")}, {{"a", "true"}}, {"b"}, true},
    {"None is null", {conditional("a", R"({"None":"b"})", "c")}, {{"a", "null"}}, {"b"}, true},
    {"1 is 1.0", {conditional("a", R"({"1":"b"})", "c")}, {{"a", "1.0"}}, {"b"}, true},
    {"1 is not 10", {conditional("a", R"({"1":"b"})", "c")}, {{"a", "10"}}, {"c"}, true},
    {"an object is its value",
     {conditional("a", R"({"{\"ok\": true}":"b"})", "c")},
     {{"a", R"({"ok":true})"}},
     {"b"},
     true},
    {"a text is its value", {conditional("a", R"({"yes":"b"})", "c")}, {{"a", "\"yes\""}}, {"b"}, true},
    {"nothing at all", {conditional("a", R"({"":"b"})", "c")}, {{"a", ""}}, {"b"}, true},
    {"rules that narrow nothing",
     {rule("exit_loop", "a"), rule("continue_loop", "b"), rule("required_before_exit", "c"),
      rule("requires_approval", "a")},
     {{"a", "x"}},
     all},
};

INSTANTIATE_TEST_SUITE_P(ToolRules, AllowedTools, testing::ValuesIn(cases));

TEST(ToolRuleSet, KnowsWhatEachKindMeansForTheTurn) {
    const ToolRuleSet rules({rule("exit_loop", "a"), rule("continue_loop", "b"), rule("requires_approval", "c")});

    EXPECT_TRUE(rules.ends_turn("a") && !rules.ends_turn("b"));
    EXPECT_TRUE(rules.continues_turn("b") && !rules.continues_turn("a"));
    EXPECT_TRUE(rules.needs_approval("c") && !rules.needs_approval("a"));
    EXPECT_TRUE(ToolRuleSet({rule("requires_approval", "c")}).unconstrained());
    EXPECT_FALSE(rules.unconstrained());
}

TEST(ToolRuleSet, OwesWhatIsRequiredBeforeTheEndEvenAfterATerminalTool) {
    LoopState state;
    state.steps_left = 3;
    state.tools = all;
    state.rules =
        ToolRuleSet({rule("required_before_exit", "b"), rule("required_before_exit", "z"), rule("exit_loop", "a")});
    ToolsReturned returned;
    returned.calls.push_back({"a"});

    state.rules.called("a", "x");
    EXPECT_EQ(state.rules.missing_before_exit(all), Names{"b"}) << "z is no tool of this agent";
    EXPECT_TRUE(std::holds_alternative<AskModel>(next_action(state, returned)));
    state.rules.called("b", "x");
    EXPECT_EQ(next_action(state, returned), LoopAction(Stop{StopReason::tool_rule}));
}

}  // namespace
}  // namespace stele::runtime
