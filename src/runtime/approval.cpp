#include "runtime/approval.hpp"

#include "base/ids.hpp"
#include "base/json_text.hpp"
#include "runtime/call_arguments.hpp"

#include <algorithm>
#include <set>

namespace stele::runtime {
namespace {

using Ids = std::set<std::string>;

Ids ids_of(const std::vector<MessageToolCall>& calls) {
    Ids ids;
    for (const MessageToolCall& call : calls) ids.insert(call.id);
    return ids;
}

Ids ids_of(const std::vector<ApprovalDecision>& decisions) {
    Ids ids;
    for (const ApprovalDecision& decision : decisions) ids.insert(decision.tool_call_id);
    return ids;
}

std::string listed(const Ids& ids) {
    std::string text;
    for (const std::string& id : ids) text += (text.empty() ? "" : ", ") + id;
    return text.empty() ? "none" : text;
}

// The older form names a message or a call; here it is taken for a call.
std::vector<ApprovalDecision> said_in(const InputMessage& answer) {
    std::vector<ApprovalDecision> decisions = answer.approvals.value_or({});
    for (ApprovalDecision& decision : answer.tool_returns.value_or({})) decisions.push_back(std::move(decision));
    if (answer.approvals.has_value() || answer.tool_returns.has_value() || !answer.approve.has_value())
        return decisions;
    ApprovalDecision& only = decisions.emplace_back();
    only.tool_call_id = answer.approval_request_id.value_or("");
    only.approve = *answer.approve;
    only.reason = answer.reason.optional();
    return decisions;
}

const ApprovalDecision* find_decision(const std::vector<ApprovalDecision>& decisions, const std::string& call_id) {
    const auto found = std::find_if(decisions.begin(), decisions.end(),
                                    [&](const ApprovalDecision& decision) { return decision.tool_call_id == call_id; });
    return found == decisions.end() ? nullptr : &*found;
}

PreparedCall prepared(const MessageToolCall& call, bool loop_parameters) {
    PreparedCall made;
    made.id = call.id;
    made.tool = call.name;
    if (auto arguments = read_call_arguments(call.arguments, loop_parameters))
        made.arguments_json = std::move(arguments->json);
    return made;
}

MessageToolReturn result_of(const MessageToolCall& call, const ApprovalDecision& decision) {
    MessageToolReturn result;
    result.tool_call_id = call.id;
    result.name = call.name;
    result.status = decision.status;
    result.value = decision.tool_return;
    result.stdout_lines = decision.stdout_lines;
    result.stderr_lines = decision.stderr_lines;
    if (decision.parts) result.parts = *decision.parts;
    return result;
}

MessageToolReturn denial_of(const MessageToolCall& call, const ApprovalDecision& decision) {
    MessageToolReturn denial;
    denial.tool_call_id = call.id;
    denial.name = call.name;
    denial.status = "error";
    denial.value = "Error: this call was denied, and was not made.";
    if (decision.reason && !decision.reason->empty()) denial.value += " Reason: " + *decision.reason;
    return denial;
}

}  // namespace

std::optional<PendingApproval> pending_approval(const std::vector<Message>& context) {
    if (context.empty() || !is_approval_request(context.back())) return std::nullopt;
    PendingApproval pending;
    pending.request = &context.back();
    if (context.size() > 1) {
        const Message& before = context[context.size() - 2];
        if (before.role == MessageRole::assistant && !before.tool_calls.empty() &&
            before.step_id == pending.request->step_id)
            pending.parked = &before;
    }
    return pending;
}

std::vector<ApprovalDecision> decisions_for(const InputMessage& answer, const PendingApproval& pending) {
    std::vector<ApprovalDecision> decisions = said_in(answer);
    const std::vector<MessageToolCall>& calls = pending.request->tool_calls;
    if (calls.size() == 1 && decisions.size() == 1 && decisions.front().tool_call_id == pending.request->id)
        decisions.front().tool_call_id = calls.front().id;

    const Ids waiting = ids_of(calls), named = ids_of(decisions);
    if (waiting != named)
        throw refused("Invalid tool call IDs. Approval request " + pending.request->id +
                      " needs one decision for each of: " + listed(waiting) +
                      ". The answer speaks of: " + listed(named));
    std::vector<ApprovalDecision> once;
    for (ApprovalDecision& decision : decisions) {
        const ApprovalDecision* same = find_decision(once, decision.tool_call_id);
        if (same == nullptr)
            once.push_back(std::move(decision));
        else if (same->kind != decision.kind || same->approve != decision.approve)
            throw refused("The approval decides about call " + decision.tool_call_id + " in two different ways");
    }
    return once;
}

bool answered_before(const InputMessage& answer, std::span<const Message> messages) {
    Ids asked = ids_of(said_in(answer));
    for (const Message& message : messages)
        if (is_approval_request(message) && asked == Ids{message.id}) asked = ids_of(message.tool_calls);
    if (asked.empty()) return false;
    return std::any_of(messages.begin(), messages.end(), [&](const Message& message) {
        Ids returned;
        for (const MessageToolReturn& each : message.tool_returns) returned.insert(each.tool_call_id);
        return std::includes(returned.begin(), returned.end(), asked.begin(), asked.end());
    });
}

SettledCalls settle(const PendingApproval& pending, const std::vector<ApprovalDecision>& decisions,
                    bool loop_parameters) {
    SettledCalls settled;
    if (pending.parked != nullptr)
        for (const MessageToolCall& call : pending.parked->tool_calls)
            settled.approved.push_back(prepared(call, loop_parameters));
    for (const MessageToolCall& call : pending.request->tool_calls) {
        const ApprovalDecision* decision = find_decision(decisions, call.id);
        STELE_ASSERT(decision != nullptr);
        if (decision->kind == ApprovalDecision::Kind::tool) {
            settled.results.push_back(result_of(call, *decision));
        } else if (decision->approve) {
            settled.approved.push_back(prepared(call, loop_parameters));
        } else {
            settled.denials.push_back(denial_of(call, *decision));
        }
    }
    return settled;
}

std::vector<Message> denial(const PendingApproval& pending, const std::string& reason) {
    Message decision;
    decision.agent_id = pending.request->agent_id;
    decision.conversation_id = pending.request->conversation_id;
    decision.run_id = pending.request->run_id;
    decision.step_id = pending.request->step_id;
    decision.created_at = now();
    Message returns = decision;
    decision.role = MessageRole::approval;
    returns.role = MessageRole::tool;

    ApprovalDecision denied;
    denied.reason = reason;
    if (pending.parked != nullptr)
        for (const MessageToolCall& call : pending.parked->tool_calls)
            returns.tool_returns.push_back(denial_of(call, denied));
    std::vector<ApprovalDecision> decisions;
    for (const MessageToolCall& call : pending.request->tool_calls) {
        denied.tool_call_id = call.id;
        decisions.push_back(denied);
        returns.tool_returns.push_back(denial_of(call, denied));
    }
    decision.approvals = std::move(decisions);
    returns.name = returns.tool_returns.front().name;
    std::vector<Message> both = {std::move(decision), std::move(returns)};
    for (Message& message : both) {
        message.id = new_id("message");
        message.position = next_position();
        message.context_position = message.position;
    }
    return both;
}

Error nothing_pending() { return refused("No tool call is currently awaiting approval"); }

Error still_pending(const PendingApproval& pending) {
    const std::string text =
        "Cannot send a new message: the agent is waiting for approval of a tool call. "
        "Please approve or deny the pending request before continuing.";
    Error error(ErrorCode::conflict, text);
    error.detail_json = "{\"code\":\"PENDING_APPROVAL\",\"message\":" + json_string(text) +
                        ",\"pending_request_id\":" + json_string(pending.request->id) + "}";
    return error;
}

}  // namespace stele::runtime
