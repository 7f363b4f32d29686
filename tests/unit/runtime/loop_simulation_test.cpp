// Whole requests, simulated from a seed: a model that answers anything, tools that give back anything, a driver that
// dies at any point and begins again from what was committed. Nothing here waits, so many thousands run in a second.
#include "runtime/approval.hpp"
#include "runtime/model_turns.hpp"
#include "runtime/next_action.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace stele::runtime {
namespace {

constexpr std::uint32_t seed_count = 4'000;
constexpr std::int64_t steps_max = 12;

ToolRule rule(const std::string& type, const std::string& tool) {
    ToolRule made;
    made.type = type;
    made.tool_name = tool;
    return made;
}

/// An agent, its store and its model, as far as the loop sees them.
class Simulation {
public:
    explicit Simulation(std::uint32_t seed) : dice_(seed) {
        names_ = {"a", "b", "c", "send_message"};
        state_.speaks_in_text = chance(2);
        state_.tools = names_;
        for (const std::string& tool : names_) {
            if (chance(4)) rules_.push_back(rule("exit_loop", tool));
            if (chance(4)) rules_.push_back(rule("continue_loop", tool));
            if (chance(6)) rules_.push_back(rule("required_before_exit", tool));
            if (chance(8)) rules_.push_back(rule("run_first", tool));
            if (chance(6)) rules_.push_back(with_children("constrain_child_tools", tool));
            if (chance(8)) rules_.push_back(with_children("parent_last_tool", tool));
            if (chance(5)) rules_.push_back(rule("requires_approval", tool));
            if (chance(6)) {
                rules_.push_back(rule("max_count_per_step", tool));
                rules_.back().max_count_limit = static_cast<std::int64_t>(dice_() % 3);
                ++limited_;
            }
        }
        state_.parallel_calls = chance(2) && ToolRuleSet(rules_).unconstrained();
    }

    /// One request, from the first step to the stop or to a crash.
    void request() {
        state_.rules = ToolRuleSet(rules_);
        state_.steps_left = 1 + static_cast<std::int64_t>(dice_() % steps_max);
        const std::int64_t budget = state_.steps_left;
        std::vector<Message> input = {message(MessageRole::user)};
        std::int64_t steps = 0;
        if (pending_approval(stored_)) {
            // The client decides first: without a model call, in one transaction.
            ++steps;
            --state_.steps_left;
            const LoopAction action = decide();
            if (std::holds_alternative<Stop>(action)) return;
        }
        for (bool over = false; !over;) {
            ASSERT_LE(++steps, budget) << "more model calls than the request allows";
            --state_.steps_left;
            check_what_the_model_sees(input);
            if (chance(40)) return;  // the driver died: all that is not in `stored_` is gone
            LoopAction action = answer(input);
            if (testing::Test::HasFatalFailure()) return;
            if (chance(40)) return;
            stored_.insert(stored_.end(), input.begin(), input.end());
            input.clear();
            if (const auto* stop = std::get_if<Stop>(&action)) {
                over = true;
                check_stop(*stop, steps == budget);
            }
        }
    }

private:
    bool chance(unsigned one_in) { return dice_() % one_in == 0; }

    ToolRule with_children(const char* type, const std::string& tool) {
        ToolRule made = rule(type, tool);
        made.children = std::vector<std::string>{names_[dice_() % names_.size()]};
        return made;
    }

    Message message(MessageRole role) {
        Message made;
        made.id = "message-" + std::to_string(++count_);
        made.role = role;
        if (role == MessageRole::user) made.content.push_back(text_part("hi"));
        return made;
    }

    // One answer of the model and, where it calls tools, what they give back; all of it goes into `step`.
    LoopAction answer(std::vector<Message>& step) {
        ModelAnswered answered;
        answered.calls = dice_() % 4;
        answered.truncated = chance(10);
        std::vector<std::string> tools;
        for (std::size_t i = 0; i < answered.calls; ++i) {
            tools.push_back(names_[dice_() % names_.size()]);
            const std::vector<std::string> open = state_.rules.allowed(names_);
            answered.waits.push_back(std::find(open.begin(), open.end(), tools[i]) != open.end() &&
                                     state_.rules.needs_approval(tools[i]));
        }
        asked_ = tools;
        LoopAction action = next_action(state_, answered);
        Message said = message(MessageRole::assistant);
        if (const auto* wait = std::get_if<AwaitApproval>(&action)) return ask(answered, wait->calls, step);
        const auto* run = std::get_if<RunTools>(&action);
        if (run == nullptr) {
            EXPECT_TRUE(answered.calls == 0) << "calls were left unanswered";
            said.content.push_back(text_part("words"));
            step.push_back(said);
            last_calls_.clear();
            return action;
        }
        EXPECT_GE(run->calls, 1u);
        EXPECT_LE(run->calls, answered.calls);
        ToolsReturned returned;
        Message returns = message(MessageRole::tool);
        const std::vector<std::string> allowed = state_.rules.allowed(names_);
        EXPECT_TRUE(!allowed.empty() || limited_ == names_.size()) << "nothing may be called";
        for (std::size_t i = 0; i < run->calls; ++i) {
            const std::string tool = asked_[i];
            const bool forbidden = std::find(allowed.begin(), allowed.end(), tool) == allowed.end();
            // Some servers begin to count their calls anew with every answer.
            const std::string id = chance(2) ? "call_" + std::to_string(i) : "call_" + std::to_string(++count_);
            said.tool_calls.push_back({id, tool, "{}"});
            MessageToolReturn& each = returns.tool_returns.emplace_back();
            each.tool_call_id = id;
            each.name = tool;
            if (!forbidden) state_.rules.called(tool, chance(2) ? "yes" : "no");
            returned.calls.push_back({tool, forbidden, chance(2), chance(50)});
        }
        action = next_action(state_, returned);
        EXPECT_FALSE(std::holds_alternative<RunTools>(action)) << "tools were run twice";
        step.push_back(said);
        step.push_back(returns);
        if (const auto* ask = std::get_if<AskModel>(&action); ask != nullptr && !ask->heartbeat.empty())
            step.push_back(message(MessageRole::user));
        last_calls_ = returned.calls;
        return action;
    }

    // Puts the answer off until a client has decided.
    LoopAction ask(const ModelAnswered& answered, std::size_t calls, std::vector<Message>& step) {
        Message parked = message(MessageRole::assistant), waiting = message(MessageRole::approval);
        parked.step_id = waiting.step_id = "step-" + std::to_string(count_);
        EXPECT_LE(calls, answered.calls);
        for (std::size_t i = 0; i < calls; ++i)
            (answered.waits[i] ? waiting : parked).tool_calls.push_back({"call_" + std::to_string(i), asked_[i], "{}"});
        EXPECT_FALSE(waiting.tool_calls.empty()) << "nothing waits";
        if (!parked.tool_calls.empty()) step.push_back(parked);
        step.push_back(waiting);
        last_calls_.clear();
        return Stop{StopReason::requires_approval};
    }

    // What a client says at random about what waits, and what comes of it. A crash before the commit changes nothing.
    LoopAction decide() {
        const auto pending = pending_approval(stored_);
        InputMessage said;
        std::vector<ApprovalDecision> decisions;
        for (const MessageToolCall& call : pending->request->tool_calls) {
            ApprovalDecision& decision = decisions.emplace_back();
            decision.tool_call_id = call.id;
            decision.approve = chance(2);
            if (chance(3)) decision.kind = ApprovalDecision::Kind::tool;
        }
        said.approvals = decisions;
        const SettledCalls settled = settle(*pending, decisions_for(said, *pending), false);
        Message returns = message(MessageRole::tool);
        returns.tool_returns = settled.results;
        ToolsReturned returned;
        for (const MessageToolReturn& each : settled.results) returned.calls.push_back({each.name, false, true});
        for (const MessageToolReturn& each : settled.denials) {
            returns.tool_returns.push_back(each);
            returned.calls.push_back({each.name, true});
        }
        for (const PreparedCall& call : settled.approved) {
            returns.tool_returns.emplace_back().tool_call_id = call.id;
            state_.rules.called(call.tool, "yes");
            returned.calls.push_back({call.tool, false, true});
        }
        const LoopAction action = next_action(state_, returned);
        EXPECT_FALSE(std::holds_alternative<RunTools>(action) || std::holds_alternative<AwaitApproval>(action));
        if (chance(40)) return Stop{StopReason::error};  // the driver died
        stored_.push_back(message(MessageRole::approval));
        stored_.back().approvals = decisions;
        stored_.push_back(returns);
        if (const auto* next = std::get_if<AskModel>(&action); next != nullptr && !next->heartbeat.empty())
            stored_.push_back(message(MessageRole::user));
        return action;
    }

    // Every call has its return right behind it, once; nothing returns that was not called.
    void check_what_the_model_sees(const std::vector<Message>& input) {
        std::vector<Message> context = stored_;
        context.insert(context.end(), input.begin(), input.end());
        std::multiset<std::string> open;
        for (const llm::Turn& turn : make_turns(context, {})) {
            if (turn.role != llm::Role::tool) {
                ASSERT_TRUE(open.empty()) << "a call is not followed by its return";
                for (const llm::ToolCall& call : turn.tool_calls) open.insert(call.id);
                continue;
            }
            const auto call = open.find(turn.tool_call_id);
            ASSERT_NE(call, open.end()) << "a return without a call";
            ASSERT_EQ(turn.text.find("was lost"), std::string::npos)
                << "a committed step holds a call without its return";
            open.erase(call);
        }
        ASSERT_TRUE(open.empty());
    }

    void check_stop(const Stop& stop, bool last_step) const {
        const auto missing = state_.rules.missing_before_exit(names_);
        switch (stop.reason) {
            case StopReason::max_steps:
                EXPECT_TRUE(last_step);
                break;
            case StopReason::end_turn:
            case StopReason::tool_rule:
                EXPECT_TRUE(missing.empty()) << "the turn ended without the tools that it owed";
                break;
            case StopReason::requires_approval:
                EXPECT_TRUE(pending_approval(stored_));
                break;
            case StopReason::no_tool_call:
                EXPECT_FALSE(state_.speaks_in_text);
                break;
            case StopReason::invalid_tool_call:
                EXPECT_TRUE(
                    std::any_of(last_calls_.begin(), last_calls_.end(), [](const auto& c) { return c.bad_rule; }));
                break;
            default:
                EXPECT_EQ(stop.reason, StopReason::max_tokens_exceeded);
        }
    }

    std::mt19937 dice_;
    std::vector<std::string> names_;
    std::vector<ToolRule> rules_;
    std::size_t limited_ = 0;  ///< tools with a limit of calls
    LoopState state_;
    std::vector<Message> stored_;
    std::vector<ToolsReturned::Call> last_calls_;
    std::vector<std::string> asked_;  ///< tools of the calls of the present answer
    int count_ = 0;
};

TEST(LoopSimulation, KeepsItsPromisesForEverySeed) {
    for (std::uint32_t seed = 1; seed <= seed_count; ++seed) {
        Simulation simulation(seed);
        for (int request = 0; request < 5; ++request) {
            simulation.request();
            ASSERT_FALSE(HasFailure()) << "seed " << seed << ", request " << request;
        }
    }
}

TEST(LoopSimulation, GivesTheSameActionForTheSameStateAndEvent) {
    LoopState state;
    state.steps_left = 3;
    state.tools = {"a"};
    state.rules = ToolRuleSet({rule("required_before_exit", "a")});
    ToolsReturned returned;
    returned.calls.push_back({"a", false, true, false});

    for (const LoopEvent& event :
         {LoopEvent(ModelAnswered{0, false}), LoopEvent(ModelAnswered{2, true}), LoopEvent(returned)})
        EXPECT_EQ(next_action(state, event), next_action(state, event));
}

}  // namespace
}  // namespace stele::runtime
