#include "runtime/next_action.hpp"

#include <algorithm>

namespace stele::runtime {
namespace {

constexpr char hidden_note[] = "[This is an automatic message that the person does not see] ";

// Goes on while the budget of steps lasts.
LoopAction ask(const LoopState& state, std::string heartbeat = {}) {
    if (state.steps_left <= 0) return Stop{StopReason::max_steps};
    return AskModel{std::move(heartbeat)};
}

// Ends the turn, unless a tool is still owed.
LoopAction stop(const LoopState& state, StopReason reason) {
    const std::vector<std::string> missing = state.rules.missing_before_exit(state.tools);
    if (missing.empty()) return Stop{reason};
    std::string names;
    for (const std::string& name : missing) names += (names.empty() ? "" : ", ") + name;
    return ask(state, hidden_note + ("Before your turn may end you have to call: " + names));
}

LoopAction after_answer(const LoopState& state, const ModelAnswered& answer) {
    if (answer.calls > 0) {
        const std::size_t calls = state.speaks_in_text && state.parallel_calls ? answer.calls : 1;
        for (std::size_t i = 0; i < std::min(calls, answer.waits.size()); ++i)
            if (answer.waits[i]) return AwaitApproval{calls};
        return RunTools{calls};
    }
    if (answer.truncated) return Stop{StopReason::max_tokens_exceeded};
    return state.speaks_in_text ? stop(state, StopReason::end_turn) : LoopAction(Stop{StopReason::no_tool_call});
}

bool ends_turn(const LoopState& state, const ToolsReturned& returned) {
    return std::any_of(returned.calls.begin(), returned.calls.end(), [&](const ToolsReturned::Call& call) {
        return !call.forbidden && state.rules.ends_turn(call.tool);
    });
}

// The agent's own rule asks for what can't be done: no further answer of the model mends that.
bool has_bad_rule(const ToolsReturned& returned) {
    return std::any_of(returned.calls.begin(), returned.calls.end(),
                       [](const ToolsReturned::Call& call) { return call.bad_rule; });
}

LoopAction after_tools(const LoopState& state, const ToolsReturned& returned) {
    if (has_bad_rule(returned)) return Stop{StopReason::invalid_tool_call};
    if (returned.input_waits) return ask(state);
    if (state.speaks_in_text) return ends_turn(state, returned) ? stop(state, StopReason::tool_rule) : ask(state);

    // One call an answer here; the model goes on only if it asked to, or a rule wants it.
    const ToolsReturned::Call& call = returned.calls.front();
    if (call.forbidden)
        return ask(state, hidden_note + std::string("The call was not allowed; continue with another one"));
    if (state.rules.ends_turn(call.tool))
        return stop(state, call.heartbeat ? StopReason::tool_rule : StopReason::end_turn);
    if (call.heartbeat)
        return ask(state, hidden_note +
                              std::string("The tool was called with request_heartbeat=true; you have control again"));
    if (state.rules.constrains_next(call.tool) || state.rules.continues_turn(call.tool))
        return ask(state, hidden_note + ("A tool rule asks you to go on after " + call.tool));
    return stop(state, StopReason::end_turn);
}

}  // namespace

LoopAction next_action(const LoopState& state, const LoopEvent& event) {
    if (const auto* answer = std::get_if<ModelAnswered>(&event)) return after_answer(state, *answer);
    return after_tools(state, std::get<ToolsReturned>(event));
}

}  // namespace stele::runtime
