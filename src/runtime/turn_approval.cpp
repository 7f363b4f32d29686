// How a turn stops before calls that wait for a client, and how the next one carries out what the client decided.
#include "runtime/approval.hpp"
#include "runtime/call_rules.hpp"
#include "runtime/client_tools.hpp"
#include "runtime/turn_work.hpp"

#include <algorithm>

namespace stele::runtime {

using boost::asio::awaitable;

namespace {

std::vector<std::string> names_of(const std::vector<Tool>& tools) {
    std::vector<std::string> names;
    names.reserve(tools.size());
    for (const Tool& tool : tools) names.push_back(tool.name);
    return names;
}

}  // namespace

// The tools of this request, from what has been loaded.
void Turn::take_tools() {
    lend_group_tools();
    if (client_tools_ != nullptr) offered_ = with_client_tools(loaded_.tools, *client_tools_);
    state_.tools = names_of(offered_tools());
}

bool Turn::is_client_tool(const std::string& tool) const {
    const auto named = [&](const auto& each) { return each.name == tool; };
    if (client_tools_ != nullptr && std::any_of(client_tools_->begin(), client_tools_->end(), named)) return true;
    const auto own = std::find_if(loaded_.tools.begin(), loaded_.tools.end(), named);
    return own != loaded_.tools.end() && runs_on_client(*own);
}

bool Turn::needs_approval(const std::string& tool) const {
    return is_client_tool(tool) || state_.rules.needs_approval(tool);
}

// What was said, and the calls that need nobody, stay in the answer; those that wait become a message of their own.
// None is made yet: all their returns come together.
void Turn::await_approval(StepWork& work, std::size_t calls) {
    Message& request = work.request.emplace(new_message(MessageRole::approval, work.step_id));
    request.id = work.approval_id;
    request.model = work.assistant.model;
    std::vector<MessageToolCall> parked;
    for (std::size_t i = 0; i < std::min(calls, work.calls.size()); ++i) {
        MessageToolCall& call = work.assistant.tool_calls[i];
        // Whoever decides sees the tool's own arguments, without those of the loop.
        if (work.waits[i] && !state_.speaks_in_text) call.arguments = *work.calls[i].arguments_json;
        (work.waits[i] ? request.tool_calls : parked).push_back(std::move(call));
    }
    work.assistant.tool_calls = std::move(parked);
    work.calls.clear();
    if (work.tokens_shown) {
        work.tokens->finish(work.assistant.tool_calls, false);
        work.tokens->finish(request.tool_calls, true);
    }
    work.action = Stop{StopReason::requires_approval};
}

// One step without a model call. It has no record of its own: its messages belong to the step that asked.
awaitable<bool> Turn::carry_out_decision() {
    StepWork work;
    work.settles = true;
    --state_.steps_left;
    work.system_changed = co_await refresh_system_message(services_.database, loaded_);
    take_tools();
    const auto pending = pending_approval(loaded_.messages);
    STELE_ASSERT(pending.has_value());
    work.step_id = pending->request->step_id.value_or(work.step_id);
    SettledCalls settled = settle(*pending, decision_->approvals.value_or({}), !state_.speaks_in_text);
    work.calls = std::move(settled.approved);
    work.heartbeats.assign(work.calls.size(), true);
    // Rules about the order of calls were obeyed when the calls were written; a tool may have gone since.
    const std::vector<std::string> own = names_of(loaded_.tools);
    for (PreparedCall& call : work.calls) {
        apply_rules(call, ToolRuleSet({}), own, loaded_.tools);
        if (call.refusal.empty() && is_client_tool(call.tool))
            call.refusal = "The call was approved, but this tool runs at the client, which gave no result";
    }

    work.given = settled.results;
    work.given.insert(work.given.end(), settled.denials.begin(), settled.denials.end());
    work.action = RunTools{work.calls.size()};
    co_await make_calls(work);
    for (const MessageToolReturn& result : settled.results) state_.rules.called(result.name, result.value);
    ToolsReturned returned = note_returns(work);
    for (const MessageToolReturn& result : settled.results) returned.calls.push_back({result.name, false, true});
    for (const MessageToolReturn& denial : settled.denials) returned.calls.push_back({denial.name, true});
    returned.input_waits = !input_.empty();
    work.action = work.cut_off ? Stop{StopReason::cancelled} : next_action(state_, returned);

    co_await commit(work);
    show(work);
    co_return !std::holds_alternative<Stop>(work.action);
}

// The decision and all returns of the answer: those that a client gave, denials, then what was run.
void Turn::gather_decision(StepWork& work) {
    std::vector<MessageToolReturn> returns;
    work.fresh.clear();
    if (work.part != StepWork::Part::returns) {
        work.fresh.push_back(*decision_);
        returns = work.given;
    }
    if (work.part != StepWork::Part::calls)
        for (const PreparedCall& call : work.calls) returns.push_back(call.result);
    if (!returns.empty()) work.fresh.push_back(returns_of(work, std::move(returns)));
}

}  // namespace stele::runtime
