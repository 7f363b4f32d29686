// The loop's decisions as tables: next_action, tool rules, arguments, prompts, turns.
#include "runtime/argument_stream.hpp"
#include "runtime/call_arguments.hpp"
#include "runtime/model_turns.hpp"
#include "runtime/next_action.hpp"
#include "runtime/system_prompt.hpp"

#include <gtest/gtest.h>

#include <random>

namespace stele::runtime {
namespace {

ToolRule rule(const std::string& type, const std::string& tool) {
    ToolRule made;
    made.type = type;
    made.tool_name = tool;
    return made;
}

LoopState state(bool speaks_in_text, std::vector<ToolRule> rules = {}, std::int64_t steps_left = 5) {
    LoopState made;
    made.speaks_in_text = speaks_in_text;
    made.steps_left = steps_left;
    made.rules = ToolRuleSet(std::move(rules));
    made.tools = {"a", "b", "send_message"};
    return made;
}

ToolsReturned returned(const std::string& tool, bool heartbeat = false, bool forbidden = false) {
    ToolsReturned made;
    made.calls.push_back({tool, forbidden, heartbeat});
    return made;
}

StopReason stopped(const LoopAction& action) {
    EXPECT_TRUE(std::holds_alternative<Stop>(action));
    return std::get<Stop>(action).reason;
}

TEST(NextAction, EndsATurnOfTextWithTheText) {
    EXPECT_EQ(stopped(next_action(state(true), ModelAnswered{0, false})), StopReason::end_turn);
    EXPECT_EQ(stopped(next_action(state(true), ModelAnswered{0, true})), StopReason::max_tokens_exceeded);
    EXPECT_EQ(stopped(next_action(state(false), ModelAnswered{0, false})), StopReason::no_tool_call);
}

TEST(NextAction, CarriesOutOneCallUnlessSeveralAreAllowed) {
    LoopState several = state(true);
    several.parallel_calls = true;

    EXPECT_EQ(next_action(state(true), ModelAnswered{3, false}), LoopAction(RunTools{1}));
    EXPECT_EQ(next_action(several, ModelAnswered{3, false}), LoopAction(RunTools{3}));
}

TEST(NextAction, GoesOnAfterAToolAndStopsAtATerminalOne) {
    EXPECT_EQ(next_action(state(true), returned("a")), LoopAction(AskModel{}));
    EXPECT_EQ(stopped(next_action(state(true, {rule("exit_loop", "a")}), returned("a"))), StopReason::tool_rule);
    EXPECT_EQ(stopped(next_action(state(true, {}, 0), returned("a"))), StopReason::max_steps);
    EXPECT_EQ(next_action(state(true, {rule("exit_loop", "a")}), returned("a", false, true)), LoopAction(AskModel{}));
}

TEST(NextAction, OfAgentsThatSpeakByToolNeedsAHeartbeatOrARule) {
    EXPECT_EQ(stopped(next_action(state(false), returned("a"))), StopReason::end_turn);
    EXPECT_TRUE(
        std::get<AskModel>(next_action(state(false), returned("a", true))).heartbeat.find("request_heartbeat=true") !=
        std::string::npos);
    EXPECT_TRUE(
        std::holds_alternative<AskModel>(next_action(state(false, {rule("continue_loop", "a")}), returned("a"))));
    EXPECT_EQ(stopped(next_action(state(false, {rule("exit_loop", "send_message")}), returned("send_message"))),
              StopReason::end_turn);
}

TEST(NextAction, TellsWhyAnAgentThatSpeaksByToolGoesOn) {
    const auto reason = [](const LoopAction& action) { return std::get<AskModel>(action).heartbeat; };
    const LoopState with_rule = state(false, {rule("continue_loop", "a")});

    EXPECT_NE(reason(next_action(with_rule, returned("a", true))).find("request_heartbeat=true"), std::string::npos);
    EXPECT_NE(reason(next_action(with_rule, returned("a"))).find("rule"), std::string::npos);
    EXPECT_NE(reason(next_action(state(false), returned("a", false, true))).find("not allowed"), std::string::npos);
    EXPECT_EQ(stopped(next_action(state(false, {rule("exit_loop", "a")}), returned("a", true))), StopReason::tool_rule);
}

TEST(NextAction, StopsAtARuleWhoseArgumentsDoNotFit) {
    for (const bool speaks_in_text : {true, false}) {
        ToolsReturned bad = returned("a", true, true);
        bad.calls.front().bad_rule = true;
        EXPECT_EQ(stopped(next_action(state(speaks_in_text, {rule("required_before_exit", "b")}), bad)),
                  StopReason::invalid_tool_call);
    }
}

TEST(NextAction, OwesRequiredToolsBeforeTheEnd) {
    const LoopAction action = next_action(state(true, {rule("required_before_exit", "b")}), ModelAnswered{0, false});

    ASSERT_TRUE(std::holds_alternative<AskModel>(action));
    EXPECT_NE(std::get<AskModel>(action).heartbeat.find("b"), std::string::npos);
}

TEST(NextAction, AlwaysEndsWithinItsSteps) {
    std::mt19937 dice(20261124);
    for (int run = 0; run < 20'000; ++run) {
        LoopState loop = state(dice() % 2 == 0, {rule("required_before_exit", "b"), rule("continue_loop", "a")}, 6);
        int asked = 0;
        for (;;) {
            ASSERT_LE(++asked, 8);
            --loop.steps_left;
            LoopAction action = next_action(loop, ModelAnswered{dice() % 3, dice() % 7 == 0});
            if (std::holds_alternative<RunTools>(action)) {
                const std::string tool = dice() % 2 == 0 ? "a" : "b";
                loop.rules.called(tool, "x");
                action = next_action(loop, returned(tool, dice() % 2 == 0, dice() % 5 == 0));
                ASSERT_FALSE(std::holds_alternative<RunTools>(action));
            }
            if (std::holds_alternative<Stop>(action)) break;
        }
    }
}

TEST(ToolRuleSet, NarrowsTheChoice) {
    const std::vector<std::string> all = {"a", "b", "c"};
    ToolRule children = rule("constrain_child_tools", "a");
    children.children = std::vector<std::string>{"b"};
    ToolRule twice = rule("max_count_per_step", "c");
    twice.max_count_limit = 1;

    ToolRuleSet first({rule("run_first", "a")});
    EXPECT_EQ(first.allowed(all), (std::vector<std::string>{"a"}));
    EXPECT_TRUE(first.call_required());
    ToolRuleSet child({children});
    child.called("a", "x");
    EXPECT_EQ(child.allowed(all), (std::vector<std::string>{"b"}));
    ToolRuleSet count({twice});
    count.called("c", "x");
    EXPECT_EQ(count.allowed(all), (std::vector<std::string>{"a", "b"}));
    EXPECT_TRUE(ToolRuleSet({}).unconstrained());
    EXPECT_FALSE(child.unconstrained());
}

TEST(ToolRuleSet, FillsInTheArgumentsOfItsRules) {
    ToolRule first = rule("run_first", "a");
    first.args = Json{R"({"q":"x"})"};
    ToolRule children = rule("constrain_child_tools", "a");
    children.children = std::vector<std::string>{"b"};
    children.child_arg_nodes = Json{R"([{"name":"b","args":{"n":1}},{"name":"c"}])"};
    ToolRuleSet rules({first, children});

    EXPECT_EQ(rules.prefilled("a"), R"({"q":"x"})");
    EXPECT_FALSE(rules.prefilled("b"));
    rules.called("a", "x");
    EXPECT_FALSE(rules.prefilled("a"));
    EXPECT_EQ(rules.prefilled("b"), R"({"n":1})");
    EXPECT_FALSE(rules.prefilled("c"));
    rules.called("b", "x");
    EXPECT_FALSE(rules.prefilled("b"));
}

TEST(CallArguments, GiveWayToThoseOfARule) {
    const std::string schema =
        R"({"parameters":{"properties":{"q":{"type":"string"},"n":{"type":"integer"},"x":{"type":"number"},)"
        R"("on":{"type":"boolean"},"l":{"type":"array"},"o":{"type":"object"},"any":{}}}})";
    struct Row {
        const char *written, *prefilled, *expected;
    };
    for (const Row& row : {Row{R"({"q":"a","n":1})", R"({"q":"b"})", R"({"q":"b","n":1})"},
                           Row{"{}", R"({"n":2,"x":1,"on":true,"l":[],"o":{},"any":null})",
                               R"({"n":2,"x":1,"on":true,"l":[],"o":{},"any":null})"},
                           Row{R"({"q":"a"})", "{}", R"({"q":"a"})"}}) {
        const FilledArguments filled = with_prefilled(row.written, row.prefilled, schema);
        EXPECT_EQ(filled.problem, "");
        EXPECT_EQ(filled.json, row.expected);
    }
    for (const char* bad : {R"({"q":1})", R"({"n":1.5})", R"({"n":"1"})", R"({"on":"true"})", R"({"l":{}})",
                            R"({"o":[]})", R"({"x":null})", R"({"stranger":1})", "[1]", "no json"})
        EXPECT_NE(with_prefilled("{}", bad, schema).problem, "") << bad;
}

TEST(CallArguments, AreReadLeniently) {
    EXPECT_EQ(read_call_arguments("", false)->json, "{}");
    EXPECT_EQ(read_call_arguments(R"({"a":1}{"a":2})", false)->json, R"({"a":1})");
    EXPECT_FALSE(read_call_arguments("[1]", false));
    EXPECT_FALSE(read_call_arguments(R"({"a": )", false));

    const auto taken = read_call_arguments(R"({"thinking":"hm","q":"x","request_heartbeat":"true"})", true);
    EXPECT_EQ(taken->json, R"({"q":"x"})");
    EXPECT_EQ(taken->thinking, "hm");
    EXPECT_TRUE(taken->heartbeat);
    EXPECT_EQ(with_heartbeat("{}", false), R"({"request_heartbeat": false})");
    EXPECT_EQ(with_thinking(with_heartbeat(R"({"q":"x"})", true), "hm"),
              R"({"thinking": "hm", "q":"x", "request_heartbeat": true})");
}

std::string streamed(const std::string& text, std::size_t piece) {
    std::string out;
    ArgumentStream stream([&](const std::string& name, std::string_view more) {
        if (name == "message") out += more;
    });
    for (std::size_t at = 0; at < text.size(); at += piece) stream.feed(std::string_view(text).substr(at, piece));
    return out;
}

TEST(ArgumentStream, GivesTheSameTextWhereverTheBytesAreCut) {
    const std::string text =
        R"({"thinking":{"message":"no"}, "n": [1,{"message":"no"}], "message" : "a\"b\\ \u00e9\ud83d\ude00\n.", "x":"y"})";

    for (std::size_t piece = 1; piece <= text.size(); ++piece)
        EXPECT_EQ(streamed(text, piece), "a\"b\\ \u00e9\U0001F600\n.") << "pieces of " << piece;
    EXPECT_EQ(streamed("no json at all", 3), "");
}

Message said(MessageRole role, const std::string& text) {
    Message message;
    message.id = "message-1";
    message.role = role;
    message.content.push_back(text_part(text));
    return message;
}

TEST(MakeTurns, PairsEveryCallWithOneReturn) {
    Message call = said(MessageRole::assistant, "");
    call.tool_calls = {{"c1", "a", "{}"}, {"c2", "a", "{}"}};
    Message answer;
    answer.role = MessageRole::tool;
    for (const char* id : {"c1", "c1", "stranger"}) {
        MessageToolReturn each;
        each.tool_call_id = id;
        answer.tool_returns.push_back(each);
    }

    const std::vector<llm::Turn> turns = make_turns({said(MessageRole::user, "hi"), call, answer}, {});

    std::multiset<std::string> returns;
    for (const llm::Turn& turn : turns)
        if (turn.role == llm::Role::tool) returns.insert(turn.tool_call_id);
    EXPECT_EQ(returns, (std::multiset<std::string>{"c1", "c2"}));
}

TEST(MakeTurns, PairsCallsByPlaceWhereTheirIdsComeAgain) {
    Message call = said(MessageRole::assistant, "");
    call.tool_calls = {{"call_0", "a", "{}"}};
    Message answer;
    answer.role = MessageRole::tool;
    MessageToolReturn& first = answer.tool_returns.emplace_back();
    first.tool_call_id = "call_0";
    Message second = answer;
    first.value = "one";
    second.tool_returns.front().value = "two";
    Message unanswered = said(MessageRole::assistant, "");
    unanswered.tool_calls = {{"call_0", "a", "{}"}};

    const std::vector<llm::Turn> turns =
        make_turns({call, answer, call, second, unanswered, said(MessageRole::user, "hi")}, {});

    ASSERT_EQ(turns.size(), 7u);
    EXPECT_NE(turns[1].text.find("one"), std::string::npos);
    EXPECT_NE(turns[3].text.find("two"), std::string::npos);
    EXPECT_EQ(turns[5].role, llm::Role::tool);
    EXPECT_NE(turns[5].text.find("lost"), std::string::npos);
    EXPECT_EQ(turns[6].role, llm::Role::user);
}

TEST(MakeTurns, SendsEachIdOnceInAHistory) {
    Message call = said(MessageRole::assistant, "");
    call.tool_calls = {{"call_0", "a", "{}"}};
    Message made_up = said(MessageRole::assistant, "");
    made_up.tool_calls = {{"call_0_2", "a", "{}"}};
    Message answer;
    answer.role = MessageRole::tool;
    answer.tool_returns.emplace_back().tool_call_id = "call_0";
    Message other = answer;
    other.tool_returns.front().tool_call_id = "call_0_2";

    const std::vector<llm::Turn> turns = make_turns({call, answer, call, answer, made_up, other, call, answer}, {});

    std::vector<std::string> asked, returned;
    for (const llm::Turn& turn : turns) {
        for (const llm::ToolCall& each : turn.tool_calls) asked.push_back(each.id);
        if (turn.role == llm::Role::tool) returned.push_back(turn.tool_call_id);
    }
    EXPECT_EQ(asked, returned);
    EXPECT_EQ(asked, (std::vector<std::string>{"call_0", "call_0_2", "call_0_2_2", "call_0_3"}));
}

TEST(MakeTurns, BringsReturnsIntoTheOrderOfTheirCalls) {
    Message call = said(MessageRole::assistant, "");
    call.tool_calls = {{"a", "first", "{}"}, {"b", "second", "{}"}};
    Message answer;
    answer.role = MessageRole::tool;
    for (const char* id : {"b", "a"}) answer.tool_returns.emplace_back().tool_call_id = id;

    const std::vector<llm::Turn> turns = make_turns({call, answer}, {});

    ASSERT_EQ(turns.size(), 3u);
    EXPECT_EQ(turns[1].tool_call_id, "a");
    EXPECT_EQ(turns[2].tool_call_id, "b");
}

TEST(SystemPrompt, KeepsItsTextUntilSomethingThatItShowsChanges) {
    Agent agent;
    agent.id = "agent-1";
    agent.system = "Be kind.";
    std::vector<Block> blocks(1);
    blocks[0].label = "human";
    blocks[0].value = "Ada";
    const SystemPromptInput input{agent, blocks, {}, from_micros(0), 0, 0};
    const std::string text = compile_system_prompt(input);

    SystemPromptInput later{agent, blocks, {}, from_micros(60'000'000), 40, 0};
    EXPECT_FALSE(refreshed_system_prompt(text, later));
    blocks[0].value = "Lin";
    const auto fresh = refreshed_system_prompt(text, later);
    ASSERT_TRUE(fresh);
    EXPECT_NE(fresh->find("Lin"), std::string::npos);
    EXPECT_NE(fresh->find("1970-01-01 12:00:00 AM"), std::string::npos) << "the time of the first text stays";
    EXPECT_EQ(section_of(*fresh, "memory_blocks").substr(0, 15), "<memory_blocks>");
}

TEST(SystemPrompt, PutsMemoryWhereThePromptSays) {
    Agent agent;
    agent.system = "Before {CORE_MEMORY} after {this}.";
    const std::vector<Block> none;

    const std::string text = compile_system_prompt({agent, none, {}, from_micros(0), 0, 0});

    EXPECT_TRUE(text.starts_with("Before "));
    EXPECT_TRUE(text.ends_with("</memory_metadata> after {this}."));
}

}  // namespace
}  // namespace stele::runtime
