#include "runtime/message_capture.hpp"

#include "base/ids.hpp"
#include "base/json_text.hpp"

namespace stele::runtime {
namespace {

using boost::asio::awaitable;

constexpr char capture_run_type[] = "capture_messages";

TurnRequest request_of(const CaptureTask& task) {
    TurnRequest request;
    request.organization_id = task.organization_id;
    request.user_id = task.user_id;
    request.agent_id = task.agent_id;
    request.conversation_id = task.conversation_id;
    request.run_type = capture_run_type;
    request.request_id = task.request_id;
    return request;
}

Run run_of(const CaptureTask& task) {
    Run run = new_run(request_of(task));
    run.status = RunStatus::completed;
    run.stop_reason = StopReason::end_turn;
    run.completed_at = run.created_at;
    run.total_duration_ns = 0;
    run.step_count = 1;
    return run;
}

Message new_message(const CaptureTask& task, MessageRole role, const Run& run, const std::string& step_id) {
    Message message;
    message.id = new_id("message");
    message.agent_id = task.agent_id;
    message.conversation_id = task.conversation_id;
    message.position = next_position();
    message.context_position = message.position;
    message.role = role;
    message.run_id = run.id;
    message.step_id = step_id;
    message.created_at = now();
    return message;
}

// An agent that speaks by a tool is shown to have used it: else its words would count as thoughts.
void say_by_tool(const CaptureTask& task, const Run& run, const std::string& step_id, Message& answer,
                 std::vector<Message>& messages) {
    MessageToolCall& call = answer.tool_calls.emplace_back();
    call.id = "call-" + new_uuid();
    call.name = "send_message";
    call.arguments = "{\"message\":" + json_string(task.turn.answer) + "}";
    Message returned = new_message(task, MessageRole::tool, run, step_id);
    MessageToolReturn& result = returned.tool_returns.emplace_back();
    result.tool_call_id = call.id;
    result.name = call.name;
    result.value = "Sent message successfully.";
    returned.name = call.name;
    messages.push_back(answer);
    messages.push_back(std::move(returned));
}

std::vector<Message> messages_of(const CaptureTask& task, const Agent& agent, const Run& run,
                                 const std::string& step_id) {
    std::vector<Message> messages;
    for (const std::string& text : task.turn.said) {
        Message message = new_message(task, MessageRole::user, run, step_id);
        message.content.push_back(text_part(text));
        messages.push_back(std::move(message));
    }
    if (task.turn.answer.empty()) return messages;
    Message answer = new_message(task, MessageRole::assistant, run, step_id);
    answer.model = task.model;
    if (!speaks_in_text(agent.agent_type)) {
        say_by_tool(task, run, step_id, answer, messages);
        return messages;
    }
    answer.content.push_back(text_part(task.turn.answer));
    messages.push_back(std::move(answer));
    return messages;
}

Step step_of(const CaptureTask& task, const Run& run, const std::string& step_id) {
    Step step;
    step.id = step_id;
    step.origin = capture_run_type;
    step.organization_id = task.organization_id;
    step.run_id = run.id;
    step.agent_id = task.agent_id;
    step.provider_name = task.provider;
    step.model = task.model;
    step.status = "success";
    step.stop_reason = StopReason::end_turn;
    step.created_at = run.created_at;
    const llm::Usage& usage = task.turn.usage;
    step.prompt_tokens = usage.input.value_or(0);
    step.completion_tokens = usage.output.value_or(0);
    step.total_tokens = step.prompt_tokens + step.completion_tokens;
    step.cached_input_tokens = usage.cached_input;
    step.cache_write_tokens = usage.cache_write;
    return step;
}

}  // namespace

storage::Transaction MessageCapture::transaction_of(const CaptureTask& task, const LoadedAgent& loaded,
                                                    const std::vector<Message>& messages, const Run& run,
                                                    const std::string& step_id) const {
    storage::Transaction transaction;
    parts_.messages.insert(transaction, task.organization_id, messages);
    parts_.runs.save_step(transaction, step_of(task, run, step_id), storage::StepTimes{}, storage::StepTrace{});
    parts_.runs.save(transaction, task.organization_id, run);
    AgentLastRun last;
    last.last_run_completion = run.completed_at;
    last.last_run_duration_ms = 0;
    last.last_stop_reason = run.stop_reason;
    parts_.agents.finish_turn(transaction, task.agent_id, static_cast<std::int64_t>(messages.size()), last);
    if (loaded.conversation)
        parts_.conversations.note_messages(transaction, task.conversation_id, now(), run.completed_at);
    return transaction;
}

awaitable<CapturedMessages> MessageCapture::capture(CaptureTask task) const {
    CapturedMessages captured;
    bool sleeps = false;
    const bool there = co_await parts_.agents.exists(task.organization_id, task.agent_id);
    if (!there) throw not_found("Agent", task.agent_id);
    {
        const Lease lease = co_await parts_.runtime.lease(task.agent_id, task.conversation_id);
        const auto loaded =
            co_await load_agent(parts_.database, task.organization_id, task.agent_id, task.conversation_id);
        if (!loaded) throw not_found("Agent", task.agent_id);
        if (task.turn.empty()) co_return captured;
        if (!loaded->messages.empty() && is_approval_request(loaded->messages.back()))
            throw Error(ErrorCode::conflict, "The conversation waits for an approval; answer it first");
        const Run run = run_of(task);
        const std::string step_id = new_id("step");
        const std::vector<Message> messages = messages_of(task, loaded->agent, run, step_id);
        storage::Transaction transaction = transaction_of(task, *loaded, messages, run, step_id);
        co_await parts_.database.commit(std::move(transaction));
        captured.messages_created = static_cast<std::int64_t>(messages.size());
        captured.run_ids.push_back(run.id);
        sleeps = loaded->agent.enable_sleeptime.value_or(false);
    }
    if (!sleeps) co_return captured;
    const TurnRequest turn = request_of(task);
    const auto woken = co_await parts_.runtime.sleeptime().after_turn(turn);
    if (woken) captured.run_ids.insert(captured.run_ids.end(), woken->begin(), woken->end());
    co_return captured;
}

}  // namespace stele::runtime
