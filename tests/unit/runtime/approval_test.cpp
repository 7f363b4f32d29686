// What waits for a client, what its answer makes of it, and what becomes of calls that nothing will ever answer.
#include "runtime/approval.hpp"

#include "runtime/client_tools.hpp"
#include "runtime/model_turns.hpp"
#include "runtime/next_action.hpp"
#include "runtime/open_calls.hpp"

#include <gmock/gmock.h>

#include <random>

namespace stele::runtime {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Message message(MessageRole role, std::vector<std::string> calls = {}, std::string step = "step-1") {
    static int count = 0;
    Message made;
    made.id = "message-" + std::to_string(++count);
    made.role = role;
    made.position = count;
    made.context_position = count;
    made.step_id = std::move(step);
    for (std::string& id : calls) {
        MessageToolCall call;
        call.name = "tool_" + id;
        call.id = std::move(id);
        call.arguments = "{}";
        made.tool_calls.push_back(std::move(call));
    }
    if (made.tool_calls.empty()) made.content.push_back(text_part("words"));
    return made;
}

Message returns(std::vector<std::string> ids) {
    Message made = message(MessageRole::tool);
    made.content.clear();
    for (std::string& id : ids) made.tool_returns.emplace_back().tool_call_id = std::move(id);
    return made;
}

const Message user = message(MessageRole::user);
const Message system = message(MessageRole::system);

InputMessage answer(std::vector<ApprovalDecision> decisions) {
    InputMessage made;
    made.approvals = std::move(decisions);
    return made;
}

ApprovalDecision verdict(const std::string& id, bool approve = true) {
    ApprovalDecision made;
    made.tool_call_id = id;
    made.approve = approve;
    return made;
}

ApprovalDecision result(const std::string& id) {
    ApprovalDecision made;
    made.kind = ApprovalDecision::Kind::tool;
    made.tool_call_id = id;
    made.tool_return = "42";
    return made;
}

InputMessage older(const std::string& id, bool approve) {
    InputMessage made;
    made.approval_request_id = id;
    made.approve = approve;
    return made;
}

LoopState state(bool speaks_in_text, bool parallel, std::int64_t steps_left = 3) {
    LoopState made;
    made.speaks_in_text = speaks_in_text;
    made.parallel_calls = parallel;
    made.steps_left = steps_left;
    made.tools = {"a", "b"};
    return made;
}

TEST(NextAction, StopsBeforeCallsThatWait) {
    const LoopState one = state(true, false), several = state(true, true), by_tool = state(false, false);

    EXPECT_EQ(next_action(one, ModelAnswered{1, false, {true}}), LoopAction(AwaitApproval{1}));
    EXPECT_EQ(next_action(one, ModelAnswered{2, false, {false, true}}), LoopAction(RunTools{1}))
        << "it is not looked at";
    EXPECT_EQ(next_action(several, ModelAnswered{3, false, {false, true, false}}), LoopAction(AwaitApproval{3}));
    EXPECT_EQ(next_action(several, ModelAnswered{2, false, {false, false}}), LoopAction(RunTools{2}));
    EXPECT_EQ(next_action(by_tool, ModelAnswered{1, true, {true}}), LoopAction(AwaitApproval{1}));
    EXPECT_EQ(next_action(several, ModelAnswered{0, false, {}}), LoopAction(Stop{StopReason::end_turn}));
}

TEST(NextAction, GoesOnAfterADecisionAndWithWhatTheRequestBringsBesides) {
    for (const bool speaks_in_text : {true, false}) {
        LoopState loop = state(speaks_in_text, false);
        ToolRule exit;
        exit.type = "exit_loop";
        exit.tool_name = "a";
        loop.rules = ToolRuleSet({exit});
        ToolsReturned denied, made;
        denied.calls.push_back({"a", true});
        made.calls.push_back({"a", false, true});

        EXPECT_TRUE(std::holds_alternative<AskModel>(next_action(loop, denied))) << "what was denied ends nothing";
        EXPECT_EQ(next_action(loop, made), LoopAction(Stop{StopReason::tool_rule}));
        made.input_waits = true;
        EXPECT_EQ(next_action(loop, made), LoopAction(AskModel{}));
        loop.steps_left = 0;
        EXPECT_EQ(next_action(loop, made), LoopAction(Stop{StopReason::max_steps}));
    }
}

TEST(PendingApproval, IsTheNewestMessageOrNothing) {
    const Message request = message(MessageRole::approval, {"b"}), parked = message(MessageRole::assistant, {"a"});
    Message elsewhere = parked, words = message(MessageRole::assistant);
    elsewhere.step_id = "step-0";

    EXPECT_FALSE(pending_approval({}));
    EXPECT_FALSE(pending_approval({system, request, user}));
    EXPECT_FALSE(pending_approval({system, request, message(MessageRole::approval)}));
    EXPECT_FALSE(pending_approval({system, parked}));
    const std::vector<Message> with = {system, user, parked, request}, without = {system, words, request},
                               other = {system, elsewhere, request}, alone = {request};
    EXPECT_EQ(pending_approval(with)->parked, &with[2]);
    EXPECT_EQ(pending_approval(with)->request, &with[3]);
    EXPECT_EQ(pending_approval(without)->parked, nullptr);
    EXPECT_EQ(pending_approval(other)->parked, nullptr);
    EXPECT_EQ(pending_approval(alone)->request, &alone[0]);
}

struct DecisionCase {
    const char* what;
    InputMessage answer;
    std::vector<std::string> waiting;
    std::optional<std::vector<std::string>> decided;  ///< nothing: refused
};

TEST(DecisionsFor, SpeakOfExactlyTheCallsThatWait) {
    InputMessage by_returns;
    by_returns.tool_returns = std::vector<ApprovalDecision>{result("a"), result("b")};
    const DecisionCase cases[] = {
        {"one", answer({verdict("a")}), {"a"}, {{"a"}}},
        {"any order", answer({verdict("b"), verdict("a", false)}), {"a", "b"}, {{"b", "a"}}},
        {"verdicts and results", answer({verdict("b"), result("a")}), {"a", "b"}, {{"b", "a"}}},
        {"results alone", by_returns, {"a", "b"}, {{"a", "b"}}},
        {"the same twice", answer({verdict("a"), verdict("a")}), {"a"}, {{"a"}}},
        {"yes and no", answer({verdict("a"), verdict("a", false)}), {"a"}, {}},
        {"yes and a result", answer({verdict("a"), result("a")}), {"a"}, {}},
        {"one is missing", answer({verdict("a")}), {"a", "b"}, {}},
        {"one too many", answer({verdict("a"), verdict("b")}), {"a"}, {}},
        {"none", answer({}), {"a"}, {}},
        {"the older form, a call", older("a", true), {"a"}, {{"a"}}},
        {"the older form, another call", older("z", true), {"a"}, {}},
        {"the older form, one of two", older("a", true), {"a", "b"}, {}},
    };
    for (const DecisionCase& row : cases) {
        const Message request = message(MessageRole::approval, row.waiting);
        const PendingApproval pending{&request, nullptr};
        if (!row.decided) {
            EXPECT_THROW(decisions_for(row.answer, pending), Error) << row.what;
            continue;
        }
        std::vector<std::string> ids;
        for (const ApprovalDecision& decision : decisions_for(row.answer, pending))
            ids.push_back(decision.tool_call_id);
        EXPECT_EQ(ids, *row.decided) << row.what;
    }
}

TEST(DecisionsFor, TakeTheMessageOfARequestWithOneCallForTheCall) {
    const Message one = message(MessageRole::approval, {"a"}), two = message(MessageRole::approval, {"a", "b"});

    EXPECT_EQ(decisions_for(older(one.id, false), {&one, nullptr}).front().tool_call_id, "a");
    EXPECT_THROW(decisions_for(older(two.id, true), {&two, nullptr}), Error);
}

TEST(AnsweredBefore, FindsTheReturnsOfTheSameCalls) {
    const Message request = message(MessageRole::approval, {"a"});
    const std::vector<Message> context = {request, message(MessageRole::approval), returns({"x", "a", "b"}), user};

    EXPECT_TRUE(answered_before(answer({verdict("a")}), context));
    EXPECT_TRUE(answered_before(answer({verdict("b"), result("a")}), context));
    EXPECT_TRUE(answered_before(older(request.id, true), context));
    EXPECT_FALSE(answered_before(answer({verdict("a"), verdict("z")}), context));
    EXPECT_FALSE(answered_before(answer({}), context));
    EXPECT_FALSE(answered_before(older("message-0", true), context));
    EXPECT_FALSE(answered_before(answer({verdict("a")}), {}));
}

TEST(Settle, SortsTheCallsByWhatBecomesOfThem) {
    const Message parked = message(MessageRole::assistant, {"p"}),
                  request = message(MessageRole::approval, {"a", "b", "c", "d"});

    const SettledCalls settled =
        settle({&request, &parked}, {verdict("d"), result("c"), verdict("b", false), verdict("a")}, false);

    ASSERT_EQ(settled.results.size(), 1u);
    EXPECT_EQ(settled.results.front().name + " " + settled.results.front().value, "tool_c 42");
    ASSERT_EQ(settled.denials.size(), 1u);
    EXPECT_EQ(settled.denials.front().tool_call_id + " " + settled.denials.front().status, "b error");
    std::vector<std::string> approved;
    for (const PreparedCall& call : settled.approved) approved.push_back(call.id);
    EXPECT_THAT(approved, ElementsAre("p", "a", "d"));
}

TEST(WithClientTools, PutsThemBehindTheOwnOrInTheirPlace) {
    Tool a, b;
    a.name = "a";
    b.name = "b";
    b.id = "tool-1";
    ClientTool c, mine;
    c.name = "c";
    mine.name = "b";
    mine.parameters.text = R"({"type":"object"})";

    const std::vector<Tool> tools = with_client_tools({a, b}, {c, mine});

    ASSERT_EQ(tools.size(), 3u);
    EXPECT_EQ(tools[0].name + tools[1].name + tools[2].name, "abc");
    EXPECT_EQ(tools[1].id, "");
    EXPECT_THAT(tools[1].json_schema.text, HasSubstr(R"("parameters":{"type":"object"})"));
}

std::vector<std::string> roles(const std::vector<llm::Turn>& turns) {
    std::vector<std::string> found;
    for (const llm::Turn& turn : turns)
        found.emplace_back(turn.role == llm::Role::system      ? "system"
                           : turn.role == llm::Role::user      ? "user"
                           : turn.role == llm::Role::assistant ? "assistant"
                                                               : "tool");
    return found;
}

TEST(MakeTurns, ShowsTheModelItsOneAnswerWhereARequestHadParted) {
    Message words = message(MessageRole::assistant, {"a"});
    words.content.push_back(text_part("One moment"));
    const std::vector<Message> context = {
        system, user, words, message(MessageRole::approval, {"b"}), message(MessageRole::approval), returns({"b", "a"}),
        user};

    const std::vector<llm::Turn> turns = make_turns(context, {});

    EXPECT_THAT(roles(turns), ElementsAre("system", "user", "assistant", "tool", "tool", "user"));
    EXPECT_EQ(turns[2].text, "One moment");
    EXPECT_EQ(turns[2].tool_calls.size(), 2u);
}

TEST(MakeTurns, ShowsPicturesOfToolsBehindAllReturns) {
    Message returned = returns({"a", "b"});
    ContentPart image;
    image.type = "image";
    image.source = Json{R"({"type":"url","url":"https://example.org/a.png"})"};
    returned.tool_returns.front().parts = std::vector<ContentPart>{image};

    const std::vector<llm::Turn> turns =
        make_turns({user, message(MessageRole::assistant, {"a", "b"}), returned, user}, {});

    EXPECT_THAT(roles(turns), ElementsAre("user", "assistant", "tool", "tool", "user", "user"));
    ASSERT_EQ(turns[4].images.size(), 1u);
    EXPECT_EQ(turns[4].images.front().url, "https://example.org/a.png");
}

std::vector<std::string> sketch(const std::vector<Message>& context) {
    std::vector<std::string> drawn;
    for (const Message& each : context) {
        std::string line(to_string(each.role));
        for (const MessageToolCall& call : each.tool_calls) line += " " + call.id;
        for (const MessageToolReturn& back : each.tool_returns) line += " " + back.tool_call_id;
        drawn.push_back(std::move(line));
    }
    return drawn;
}

struct RepairCase {
    const char* what;
    std::vector<Message> context;
    std::vector<std::string> repaired;
    std::size_t moved = 0;
};

TEST(CloseOpenCalls, PutsAReturnBehindEveryCallThatHasNone) {
    const auto call = [](std::vector<std::string> ids, std::string step = "step-1") {
        return message(MessageRole::assistant, std::move(ids), std::move(step));
    };
    const auto request = [](std::vector<std::string> ids) { return message(MessageRole::approval, std::move(ids)); };
    const Message decision = message(MessageRole::approval);
    const RepairCase cases[] = {
        {"nothing to do", {system, user, call({"a"}), returns({"a"})}, {"system", "user", "assistant a", "tool a"}},
        {"at the end", {user, call({"a"})}, {"user", "assistant a", "tool a"}},
        {"in the middle", {call({"a"}), user, user}, {"assistant a", "tool a", "user", "user"}, 2},
        {"one of two", {call({"a", "b"}), returns({"b"}), user}, {"assistant a b", "tool b", "tool a", "user"}, 1},
        {"several", {call({"a"}), call({"b"}, "step-2")}, {"assistant a", "tool a", "assistant b", "tool b"}, 1},
        {"the same id again",
         {call({"a"}), returns({"a"}), call({"a"}, "step-2"), user},
         {"assistant a", "tool a", "assistant a", "tool a", "user"},
         1},
        {"a pending request", {user, call({"a"}), request({"b"})}, {"user", "assistant a", "approval b"}},
        {"a request that something follows",
         {call({"a"}), request({"b"}), user},
         {"assistant a", "approval b", "tool a b", "user"},
         1},
        {"a request behind another answer",
         {call({"a"}, "step-0"), request({"b"})},
         {"assistant a", "tool a", "approval b"},
         1},
        {"a decision without returns", {request({"b"}), decision}, {"approval b", "approval", "tool b"}},
        {"a decision with them",
         {call({"a"}), request({"b"}), decision, returns({"b", "a"})},
         {"assistant a", "approval b", "approval", "tool b a"}},
    };
    for (const RepairCase& row : cases) {
        std::vector<Message> context = row.context;

        const Repair repair = close_open_calls(context);

        EXPECT_EQ(sketch(context), row.repaired) << row.what;
        EXPECT_EQ(repair.moved.size(), row.moved) << row.what;
        EXPECT_EQ(repair.returns.size(), context.size() - row.context.size()) << row.what;
        for (const Message& each : repair.returns) EXPECT_EQ(each.tool_returns.front().status, "error");
    }
}

TEST(CloseOpenCalls, LeavesAContextThatEveryProviderTakesWhateverWasCutOut) {
    std::mt19937 dice(20261124);
    for (int run = 0; run < 20'000; ++run) {
        std::vector<Message> context;
        for (int turn = 0; turn < 4; ++turn) {
            const std::string step = "step-" + std::to_string(turn);
            context.push_back(message(MessageRole::user));
            context.push_back(message(MessageRole::assistant, {"a", "b"}, step));
            context.push_back(message(MessageRole::approval, {"c"}, step));
            context.push_back(message(MessageRole::approval, {}, step));
            context.push_back(returns({"c", "a", "b"}));
        }
        std::erase_if(context, [&](const Message&) { return dice() % 4 == 0; });
        if (dice() % 4 == 0) std::shuffle(context.begin(), context.end(), dice);
        close_open_calls(context);
        ASSERT_TRUE(close_open_calls(context).returns.empty()) << "run " << run << ": once is enough";
        if (pending_approval(context)) continue;
        for (const llm::Turn& turn : make_turns(context, {}))
            ASSERT_EQ(turn.text.find("was lost"), std::string::npos) << "run " << run;
    }
}

}  // namespace
}  // namespace stele::runtime
