#include "api/message_answer.hpp"

#include "api/event_frames.hpp"
#include "api/run_stream.hpp"
#include "runtime/run_recorder.hpp"
#include "runtime/runtime.hpp"
#include "storage/agent_repository.hpp"
#include "storage/message_repository.hpp"
#include "storage/run_event_repository.hpp"
#include "storage/run_repository.hpp"

namespace stele::api {
namespace {

constexpr std::size_t stored_messages_max = 1'000;

}  // namespace

std::string letta_response(const std::string& messages_json, StopReason reason, const UsageStatistics& usage) {
    StopReasonMessage stop;
    stop.stop_reason = reason;
    return "{\"messages\":" + messages_json + ",\"stop_reason\":" + to_json(stop) + ",\"usage\":" + to_json(usage) +
           ",\"logprobs\":null,\"turns\":null}";
}

bool wants_stream(const Request& request, const MessageRequest& body) {
    if (request.http.path.find("/stream") != std::string::npos) return true;
    return body.streaming.value_or(request.http.path.find("/conversations/") != std::string::npos);
}

ViewOptions view_of(AgentType type) {
    ViewOptions options;
    options.text_is_assistant_message = speaks_in_text(type);
    return options;
}

awaitable<Response> blocking_answer(std::shared_ptr<runtime::RunLog> log) {
    runtime::RunEnd end = co_await runtime::wait_for_end(log);
    if (end.failure) throw std::move(*end.failure);
    runtime::EventEncoder encoder;
    std::string messages = "[";
    for (const auto& event : log->messages(0)) {
        if (messages.size() > 1) messages += ',';
        encoder.encode(event, std::nullopt, messages);
    }
    Response response = json_answer(letta_response(messages + "]", end.reason, end.usage));
    response.headers.add(run_header, log->run_id());
    if (const std::string warning = log->warning(); !warning.empty()) response.headers.add(warning_header, warning);
    co_return response;
}

awaitable<runtime::RunEnd> stored_end(const Services& services, Run run) {
    auto outcome = co_await services.run_events.outcome(run.id);
    if (outcome) co_return runtime::end_of(std::move(*outcome));
    const RunUsage counts = co_await services.runs.usage(run.id);
    runtime::RunEnd end;
    end.reason = run.stop_reason.value_or(StopReason::error);
    end.usage.completion_tokens = counts.completion_tokens;
    end.usage.prompt_tokens = counts.prompt_tokens;
    end.usage.total_tokens = counts.total_tokens;
    end.usage.step_count = run.step_count;
    co_return end;
}

awaitable<Response> repeat_run(Services& services, const Request& request, std::string run_id) {
    const auto body = decode<MessageRequest>(request.body());
    StreamOptions options;
    options.include_pings = body.include_pings;
    if (auto log = services.runtime.find(request.organization_id, run_id)) {
        options.background = log->background();
        if (wants_stream(request, body)) co_return stream_answer(std::move(log), options);
        co_return co_await blocking_answer(std::move(log));
    }
    const auto run = co_await services.runs.find(request.organization_id, run_id);
    if (!run) throw not_found("Run", run_id);
    if (wants_stream(request, body) && can_resume(*run))
        co_return co_await resume_stream(services, request.organization_id, std::move(run_id), options);
    const auto agent = co_await services.agents.find(request.organization_id, run->agent_id);
    ViewOptions view = view_of(agent ? agent->agent_type : AgentType::letta_v1_agent);
    view.use_assistant_message = !view.text_is_assistant_message && body.use_assistant_message;
    storage::MessageFilter filter;
    filter.run_id = run_id;
    storage::Page page;
    page.ascending = true;
    page.limit = stored_messages_max;
    std::vector<Message> stored = co_await services.messages.list(request.organization_id, filter, page);
    std::erase_if(stored, [](const Message& message) {
        return message.role != MessageRole::assistant && message.role != MessageRole::tool &&
               !is_approval_request(message);
    });
    const runtime::RunEnd end = co_await stored_end(services, *run);
    const std::vector<LettaMessage> messages = expand_all(stored, view);
    if (!wants_stream(request, body)) {
        Response response = json_answer(letta_response(to_json_array(messages), end.reason, end.usage));
        response.headers.add(run_header, run_id);
        co_return response;
    }
    EventFrames frames(*run, options);
    frames.first_ping();
    for (const LettaMessage& message : messages) frames.event(runtime::RunEvent(message));
    frames.end(end);
    Response response = event_stream(run_id);
    response.body = frames.take();
    co_return response;
}

}  // namespace stele::api
