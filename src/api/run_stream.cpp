#include "api/run_stream.hpp"

#include "api/conversation_place.hpp"
#include "api/event_frames.hpp"
#include "api/run_answer.hpp"
#include "api/tool_caller.hpp"
#include "runtime/run_recorder.hpp"
#include "runtime/runtime.hpp"
#include "storage/message_repository.hpp"
#include "storage/run_event_repository.hpp"
#include "storage/run_repository.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <charconv>

namespace stele::api {
namespace {

constexpr auto keep_alive_interval = std::chrono::seconds(20);
constexpr std::chrono::milliseconds otid_wait_first{250}, otid_wait_last{1'000};

awaitable<void> follow(std::shared_ptr<runtime::RunLog> log, StreamOptions options, net::BodyWriter& writer) {
    const auto read = std::max<std::int64_t>(0, options.starting_after - runtime::RunLog::first_seq_id + 1);
    runtime::RunReader reader(log, co_await boost::asio::this_coro::executor, static_cast<std::size_t>(read));
    writer.on_close([&reader] { reader.wake(); });
    EventFrames frames(log->run(), options);
    frames.first_ping();
    bool over = false;
    while (!over) {
        if (!frames.empty()) co_await writer.write(frames.take());
        const std::vector<runtime::RunEvent> fresh = co_await reader.read(keep_alive_interval);
        if (writer.closed()) co_return;
        for (const runtime::RunEvent& event : fresh) frames.event(event);
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

Error no_longer_kept(const std::string& run_id) {
    return Error(ErrorCode::gone, "The events of run " + run_id + " are no longer kept; its messages are");
}

// A crash leaves events without an end. The run itself may have come to its own just before: then its messages are
// whole, and the stream says that it is not.
awaitable<runtime::RunEnd> end_for_readers(const Services& services, Run run) {
    auto outcome = co_await services.run_events.outcome(run.id);
    if (outcome) co_return runtime::end_of(std::move(*outcome));
    runtime::RunEnd end;
    end.reason = run.stop_reason.value_or(StopReason::error);
    end.failure.emplace(ErrorCode::model_failed,
                        run.status == RunStatus::failed
                            ? "The server stopped before this run had ended"
                            : "The server stopped before the end of this stream was written; the run has ended, and "
                              "GET /v1/runs/" +
                                  run.id + "/messages has all of it");
    end.failure->type = "stream_incomplete";
    co_return end;
}

awaitable<void> replay(const Services& services, Run run, StreamOptions options, net::BodyWriter& writer) {
    EventFrames frames(run, options);
    frames.first_ping();
    std::int64_t told = std::max(options.starting_after, runtime::RunLog::first_seq_id - 1);
    for (;;) {
        const auto events = co_await services.run_events.next(run.id, told);
        if (!events) break;
        for (const std::string& line : events->lines) frames.stored(++told, line);
        co_await writer.write(frames.take());
    }
    const runtime::RunEnd end = co_await end_for_readers(services, run);
    frames.end(end);
    co_await writer.write(frames.take());
}

// What a browser sends when it takes a stream up again by itself.
std::optional<std::int64_t> last_event_id(const Request& request) {
    const std::string* header = request.http.headers.find("Last-Event-ID");
    if (header == nullptr || header->empty()) return std::nullopt;
    std::int64_t number = 0;
    const auto [end, failure] = std::from_chars(header->data(), header->data() + header->size(), number);
    if (failure != std::errc() || end != header->data() + header->size() || number < 0)
        throw invalid_field("header.Last-Event-ID", "must be the number of an event");
    return number;
}

StreamOptions options_of(const Request& request, const RetrieveStream& body) {
    StreamOptions options;
    options.include_pings = body.include_pings.value_or(true);
    options.starting_after = std::max(body.starting_after, last_event_id(request).value_or(0));
    return options;
}

// A run that is at work, or will be.
void will_wait_for_run(Services& services, const Request& request, const std::string& run_id) {
    const auto log = services.runtime.find(request.organization_id, run_id);
    if (!log) return;
    const Run run = log->run();
    if (!run.completed_at) will_wait(services, request, run.agent_id, run.conversation_id.value_or(""));
}

awaitable<Response> resume(Services& services, const Request& request) {
    const std::string run_id = request.path_id("run_id", "run");
    const auto body = decode_optional<RetrieveStream>(request);
    will_wait_for_run(services, request, run_id);
    co_return co_await resume_stream(services, request.organization_id, run_id, options_of(request, body));
}

// The run that took up the message with this otid. The request that brings the message may still be on its way.
awaitable<std::string> run_of_otid(Services& services, std::string agent_id, std::string otid) {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    for (auto wait = otid_wait_first; wait <= otid_wait_last; wait *= 2) {
        std::string at_work = services.runtime.run_of_otid(agent_id, otid);
        if (!at_work.empty()) co_return at_work;
        auto stored = co_await services.messages.run_of_otid(agent_id, otid);
        if (stored) co_return std::move(*stored);
        timer.expires_after(wait);
        co_await timer.async_wait(boost::asio::use_awaitable);
    }
    throw Error(ErrorCode::not_found, "No run has taken up a message with the otid '" + otid + "'");
}

std::string background_run_at_work(const Services& services, const std::string& organization_id,
                                   const ConversationPlace& place) {
    for (const Run& run : services.runtime.active_of(organization_id))
        if (run.background.value_or(false) && run.agent_id == place.agent_id &&
            run.conversation_id.value_or("") == place.conversation_id)
            return run.id;
    throw refused("No active runs found for this conversation");
}

awaitable<Response> resume_conversation(Services& services, const Request& request) {
    auto body = decode_optional<RetrieveStream>(request);
    const ConversationPlace place = co_await conversation_place(services, request, body.agent_id);
    std::string run_id;
    if (body.run_id) {
        run_id = std::move(*body.run_id);
        const Run run = co_await find_run(services, request.organization_id, run_id);
        if (run.agent_id != place.agent_id || run.conversation_id.value_or("") != place.conversation_id)
            throw not_found("Run", run_id);
    } else if (body.otid) {
        run_id = co_await run_of_otid(services, place.agent_id, std::move(*body.otid));
    } else {
        run_id = background_run_at_work(services, request.organization_id, place);
    }
    will_wait_for_run(services, request, run_id);
    co_return co_await resume_stream(services, request.organization_id, run_id, options_of(request, body));
}

}  // namespace

Response event_stream(const std::string& run_id) {
    Response response;
    response.content_type = "text/event-stream; charset=utf-8";
    response.headers.add("Cache-Control", "no-cache");
    response.headers.add("X-Accel-Buffering", "no");
    response.headers.add(run_header, run_id);
    return response;
}

Response stream_answer(std::shared_ptr<runtime::RunLog> log, StreamOptions options) {
    Response response = event_stream(log->run_id());
    if (const std::string warning = log->warning(); !warning.empty()) response.headers.add(warning_header, warning);
    response.producer = [log = std::move(log), options](net::BodyWriter& writer) {
        return follow(log, options, writer);
    };
    return response;
}

bool can_resume(const Run& run) {
    return run.background.value_or(false) &&
           now() - run.completed_at.value_or(run.created_at) < storage::RunEventRepository::kept_for;
}

awaitable<Response> resume_stream(Services& services, std::string organization_id, std::string run_id,
                                  StreamOptions options) {
    options.background = true;
    auto log = services.runtime.find(organization_id, run_id);
    std::optional<Run> run;
    if (log)
        run = log->run();
    else
        run = co_await services.runs.find(std::move(organization_id), run_id);
    if (!run) throw not_found("Run", run_id);
    if (!run->background.value_or(false)) throw refused("Run " + run_id + " was not created in background mode");
    if (log) co_return stream_answer(std::move(log), options);

    if (!can_resume(*run)) throw no_longer_kept(run_id);
    const std::int64_t told = std::max(options.starting_after, runtime::RunLog::first_seq_id - 1);
    const auto next = co_await services.run_events.next(run_id, told);
    if (next && next->first_seq != told + 1) throw no_longer_kept(run_id);
    Response response = event_stream(run_id);
    response.producer = [&services, run = std::move(*run), options](net::BodyWriter& writer) {
        return replay(services, run, options, writer);
    };
    co_return response;
}

std::span<const Route> run_stream_routes() {
    static constexpr Route routes[] = {
        {Method::post, "/v1/runs/{run_id}/stream", resume, "runs.messages.stream", "RetrieveStreamRequest?",
         "LettaStreamingResponse"},
        {Method::post, "/v1/conversations/{conversation_id}/stream", resume_conversation,
         "conversations.messages.stream", "RetrieveStreamRequest?", "LettaStreamingResponse", "agent_id"},
    };
    return routes;
}

}  // namespace stele::api
