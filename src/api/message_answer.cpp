#include "api/message_answer.hpp"

#include "base/ids.hpp"
#include "domain/answer.hpp"
#include "net/sse.hpp"
#include "runtime/run_failure.hpp"

#include <boost/asio/this_coro.hpp>

namespace stele::api {
namespace {

constexpr auto keep_alive_interval = std::chrono::seconds(20);
constexpr std::size_t stored_messages_max = 1'000;

std::string whole_answer(const std::string& messages_json, StopReason reason, const UsageStatistics& usage) {
    StopReasonMessage stop;
    stop.stop_reason = reason;
    return "{\"messages\":" + messages_json + ",\"stop_reason\":" + to_json(stop) + ",\"usage\":" + to_json(usage) +
           ",\"logprobs\":null,\"turns\":null}";
}

// Puts events into the frames of a stream and numbers them where the run is a background one.
class Frames {
public:
    Frames(std::string run_id, StreamOptions options) : run_id_(std::move(run_id)), options_(options) {}

    void ping() {
        if (!options_.include_pings) return;
        MessageHead head;
        head.id = "ping-" + new_uuid();
        head.date = to_iso8601_seconds(now());
        head.message_type = "ping";
        head.run_id = run_id_;
        if (options_.background) head.seq_id = ++sequence_;
        add(to_json(head));
    }

    void event(const runtime::RunEvent& event) {
        json_.clear();
        encoder_.encode(event, options_.background ? std::optional(++sequence_) : std::nullopt, json_);
        add(json_);
    }

    void end(const runtime::RunEnd& end) {
        StopReasonMessage stop;
        stop.stop_reason = end.reason;
        add(to_json(stop));
        if (end.failure) {
            const std::string type = runtime::failure_type(*end.failure);
            error(type, runtime::failure_message(type), end.failure->what());
        } else {
            add(to_json(end.usage));
        }
        add("[DONE]");
    }

    // The server stops before the run has ended.
    void interrupted() {
        error("stream_incomplete", "The server is stopping.", "The server stopped before the run had ended");
        add("[DONE]");
    }

    bool empty() const { return text_.empty(); }
    std::string take() { return std::exchange(text_, {}); }

private:
    void add(std::string_view json) { net::append_sse(text_, json); }

    void error(const std::string& type, const std::string& message, const std::string& detail) {
        ErrorMessage told;
        told.run_id = run_id_;
        told.error_type = type;
        told.message = message;
        told.detail = detail;
        net::append_sse(text_, to_json(told), "error");
    }

    std::string run_id_;
    StreamOptions options_;
    std::int64_t sequence_ = 0;
    runtime::EventEncoder encoder_;
    std::string json_;  ///< re-used
    std::string text_;
};

Response event_stream(const std::string& run_id) {
    Response response;
    response.content_type = "text/event-stream; charset=utf-8";
    response.headers.add("Cache-Control", "no-cache");
    response.headers.add("X-Accel-Buffering", "no");
    response.headers.add(run_header, run_id);
    return response;
}

awaitable<void> follow(std::shared_ptr<runtime::RunLog> log, StreamOptions options, net::BodyWriter& writer) {
    runtime::RunReader reader(log, co_await boost::asio::this_coro::executor);
    writer.on_close([&reader] { reader.wake(); });
    Frames frames(log->run_id(), options);
    frames.ping();
    bool over = false;
    while (!over) {
        if (!frames.empty()) co_await writer.write(frames.take());
        const std::vector<runtime::RunLog::Event> fresh = co_await reader.read(keep_alive_interval);
        if (writer.closed()) co_return;
        for (const auto& event : fresh) frames.event(event);
        if (reader.at_end()) {
            frames.end(*log->ended());
            over = true;
        } else if (writer.ending()) {
            frames.interrupted();
            over = true;
        } else if (fresh.empty()) {
            frames.ping();
        }
    }
    co_await writer.write(frames.take());
}

}  // namespace

bool wants_stream(const Request& request, const MessageRequest& body) {
    return body.streaming.value_or(false) || request.http.path.find("/stream") != std::string::npos;
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
    Response response = json_answer(whole_answer(messages + "]", end.reason, end.usage));
    response.headers.add(run_header, log->run_id());
    co_return response;
}

Response stream_answer(std::shared_ptr<runtime::RunLog> log, StreamOptions options) {
    Response response = event_stream(log->run_id());
    response.producer = [log = std::move(log), options](net::BodyWriter& writer) {
        return follow(log, options, writer);
    };
    return response;
}

awaitable<Response> repeat_run(Services& services, const Request& request, std::string run_id) {
    const auto body = decode<MessageRequest>(request.body());
    StreamOptions options;
    options.include_pings = body.include_pings;
    if (auto log = services.runtime.find(run_id)) {
        if (wants_stream(request, body)) co_return stream_answer(std::move(log), options);
        co_return co_await blocking_answer(std::move(log));
    }
    const auto run = co_await services.runs.find(request.organization_id, run_id);
    if (!run) throw not_found("Run", run_id);
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
        return message.role != MessageRole::assistant && message.role != MessageRole::tool;
    });
    const RunUsage counts = co_await services.runs.usage(run_id);

    runtime::RunEnd end;
    end.reason = run->stop_reason.value_or(StopReason::error);
    end.usage.completion_tokens = counts.completion_tokens;
    end.usage.prompt_tokens = counts.prompt_tokens;
    end.usage.total_tokens = counts.total_tokens;
    end.usage.step_count = run->step_count;
    const std::vector<LettaMessage> messages = expand_all(stored, view);
    if (!wants_stream(request, body)) {
        Response response = json_answer(whole_answer(to_json_array(messages), end.reason, end.usage));
        response.headers.add(run_header, run_id);
        co_return response;
    }
    Frames frames(run_id, options);
    frames.ping();
    for (const LettaMessage& message : messages) frames.event(runtime::RunEvent(message));
    frames.end(end);
    Response response = event_stream(run_id);
    response.body = frames.take();
    co_return response;
}

}  // namespace stele::api
