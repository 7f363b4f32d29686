#include "api/event_frames.hpp"

#include "base/ids.hpp"
#include "domain/answer.hpp"
#include "net/sse.hpp"
#include "runtime/run_failure.hpp"

#include <algorithm>

namespace stele::api {
namespace {

constexpr std::int64_t first_ping_seq = runtime::RunLog::first_seq_id - 1;

}  // namespace

EventFrames::EventFrames(const Run& run, StreamOptions options)
    : run_id_(run.id),
      began_(run.created_at),
      options_(options),
      told_(std::max(options.starting_after, first_ping_seq)) {}

void EventFrames::first_ping() {
    if (options_.starting_after >= first_ping_seq) return;
    MessageHead head;
    head.id = "ping" + run_id_.substr(run_id_.find('-'));
    head.date = to_iso8601_seconds(began_);
    ping(std::move(head));
}

void EventFrames::ping() {
    if (!options_.include_pings) return net::append_sse_comment(text_, "at work");  // proxies cut what is silent
    MessageHead head;
    head.id = "ping-" + new_uuid();
    head.date = to_iso8601_seconds(now());
    ping(std::move(head));
}

void EventFrames::ping(MessageHead head) {
    if (!options_.include_pings) return;
    head.message_type = "ping";
    head.run_id = run_id_;
    if (options_.background) head.seq_id = told_;
    add(to_json(head));
}

void EventFrames::event(const runtime::RunEvent& event) {
    json_.clear();
    if (!options_.background) {
        encoder_.encode(event, std::nullopt, json_);
        return add(json_);
    }
    encoder_.encode(event, told_ + 1, json_);
    stored(told_ + 1, json_);
}

void EventFrames::stored(std::int64_t seq_id, std::string_view json) {
    told_ = seq_id;
    net::append_sse_json(text_, json, {}, std::to_string(seq_id));
}

void EventFrames::end(const runtime::RunEnd& end) {
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

void EventFrames::interrupted() {
    error("stream_incomplete", "The server is stopping.", "The server stopped before the run had ended");
    add("[DONE]");
}

void EventFrames::add(std::string_view json) { net::append_sse_json(text_, json); }

void EventFrames::error(const std::string& type, const std::string& message, const std::string& detail) {
    ErrorMessage told;
    told.run_id = run_id_;
    told.error_type = type;
    told.message = message;
    told.detail = detail;
    net::append_sse_json(text_, to_json(told), "error");
}

}  // namespace stele::api
