#include "tools/mcp/sse_session.hpp"

#include "net/within.hpp"
#include "tools/mcp/address.hpp"
#include "tools/mcp/http_session.hpp"
#include "tools/mcp/oauth_challenge.hpp"

#include <algorithm>

namespace stele::tools::mcp {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using asio::awaitable;
using Clock = std::chrono::steady_clock;

constexpr auto connect_patience = std::chrono::milliseconds(10'000);
constexpr auto stream_silence = std::chrono::minutes(6);  // idle sessions are kept a little shorter than that
constexpr auto stream_age_max = std::chrono::hours(24);
constexpr auto reply_patience = std::chrono::milliseconds(5'000);

Error too_late() { return Error(ErrorCode::timed_out, "The MCP server did not answer in time"); }

}  // namespace

/// How long, and for how many bytes, something on the stream is waited for.
struct SseSession::Waiting {
    Clock::time_point until, silent_until;
    std::size_t bytes_left = 0;
};

namespace {

// Bytes that have come say nothing yet; so each read has the time that is left, whatever came before it.
awaitable<std::string> read_within(net::ClientStream& stream, Clock::time_point until) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
    if (left <= std::chrono::milliseconds(0)) throw too_late();
    std::string piece = co_await net::within(left, stream.read());
    co_return piece;
}

}  // namespace

awaitable<net::SseEvent> SseSession::next_event(Waiting& waiting) {
    while (events_.empty()) {
        const std::string piece = co_await read_within(*stream_, std::min(waiting.until, waiting.silent_until));
        if (piece.empty()) throw Error(ErrorCode::unavailable, "The MCP server has ended its stream");
        if (piece.size() > waiting.bytes_left)
            throw Error(ErrorCode::unavailable, "The MCP server's answer is too large");
        waiting.bytes_left -= piece.size();
        std::vector<net::SseEvent> events;
        if (!reader_.feed(piece, events)) throw Error(ErrorCode::unavailable, "The MCP server's answer is too large");
        for (net::SseEvent& event : events) events_.push_back(std::move(event));
        if (Clock::now() >= std::min(waiting.until, waiting.silent_until)) throw too_late();
    }
    net::SseEvent event = std::move(events_.front());
    events_.pop_front();
    co_return event;
}

awaitable<Heard> SseSession::open(Patience patience) {
    net::ClientRequest request;
    request.url = url_;
    request.headers.add("User-Agent", "stele");
    request.headers.add("Accept", "text/event-stream");
    for (const auto& [name, value] : headers_) request.headers.add(name, value);
    request.connect_timeout = std::min(patience.total, connect_patience);
    request.head_timeout = patience.total;
    request.idle_timeout = stream_silence;
    request.total_timeout = stream_age_max;
    stream_ = co_await client_.open(std::move(request));
    Heard heard;
    heard.status = stream_->status();
    challenge_ = challenges_of(stream_->headers());
    const std::string* type = stream_->headers().find("Content-Type");
    if (heard.status == 200 && (type == nullptr || !type->starts_with("text/event-stream"))) heard.status = 406;
    if (heard.status != 200) co_return heard;
    Waiting waiting;
    waiting.until = waiting.silent_until = Clock::now() + patience.total;
    waiting.bytes_left = 64u << 10;
    for (;;) {
        const net::SseEvent event = co_await next_event(waiting);
        if (event.event != "endpoint") continue;
        post_url_ = within_origin(url_, event.data);
        if (post_url_.empty())
            throw Error(ErrorCode::permission_denied,
                        "The MCP server sends its clients elsewhere, which is not followed");
        co_return heard;
    }
}

awaitable<Heard> SseSession::begin(Patience patience) {
    Heard heard;
    bool silent = false;
    try {
        heard = co_await open(patience);
        if (heard.status == 200) {
            RpcAnswer answer = co_await exchange(++last_id_, "initialize", initialize_params("2024-11-05"), patience);
            if (answer.result)
                heard.result = std::move(answer.result);
            else
                heard.error = std::move(answer.error);
        }
        if (heard.result) co_await post(notification_text("notifications/initialized", {}), patience.total);
    } catch (const Error& error) {
        if (error.code != ErrorCode::timed_out) throw;
        silent = true;
    }
    if (silent) heard.status = 0;
    co_return heard;
}

net::ClientRequest SseSession::post_request(std::string body) const {
    net::ClientRequest request;
    request.method = net::Method::post;
    request.url = post_url_;
    request.body = std::move(body);
    request.headers.add("User-Agent", "stele");
    request.headers.add("Content-Type", "application/json");
    for (const auto& [name, value] : headers_) request.headers.add(name, value);
    request.body_bytes_max = 64u << 10;  // what it says there does not matter
    request.once = true;                 // the call in it may have been made
    return request;
}

awaitable<int> SseSession::post(std::string body, std::chrono::milliseconds patience) {
    net::ClientRequest request = post_request(std::move(body));
    request.connect_timeout = std::min(patience, connect_patience);
    request.head_timeout = request.idle_timeout = request.total_timeout = patience;
    const net::ClientResponse response = co_await client_.send(std::move(request));
    if (response.status == 401 || response.status == 403) challenge_ = challenges_of(response.headers);
    co_return response.status;
}

awaitable<RpcAnswer> SseSession::exchange(std::int64_t id, std::string method, json::object params, Patience patience) {
    const auto begun = Clock::now();
    const int status = co_await post(request_text(id, method, params), patience.total);
    const bool more_rights = status == 403 && parse_challenge(challenge_).wants_more_rights();
    if (status == 401 || more_rights) throw Unauthorized(challenge_);
    if (status == 404) throw SessionLost();
    if (status < 200 || status >= 300)
        throw Error(ErrorCode::unavailable, "The MCP server answered with status " + std::to_string(status));
    Exchange exchange;
    exchange.id = id;
    Waiting waiting;
    waiting.until = begun + patience.total;
    waiting.silent_until = Clock::now() + patience.silence;
    waiting.bytes_left = patience.bytes_max;
    for (;;) {
        const net::SseEvent event = co_await next_event(waiting);
        if (!event.event.empty() && event.event != "message") continue;
        auto messages = parse_messages(event.data);
        if (!messages) throw Error(ErrorCode::unavailable, "The MCP server's answer is no JSON");
        for (RpcMessage& message : *messages) {
            Reaction reaction = next(exchange, std::move(message));
            if (exchange.tools_changed) tools_changed_ = true;
            if (auto answer = ending(reaction)) co_return std::move(*answer);
            if (std::holds_alternative<Progressed>(reaction)) waiting.silent_until = Clock::now() + patience.silence;
            if (auto* reply = std::get_if<Reply>(&reaction)) co_await post(std::move(reply->text), reply_patience);
        }
    }
}

awaitable<RpcAnswer> SseSession::request(std::string method, json::object params, Patience patience, TextMap) {
    const auto executor = co_await asio::this_coro::executor;
    const std::int64_t id = ++last_id_;
    const auto take_back = [&](const char* why) {
        const json::object taken{{"requestId", id}, {"reason", why}};
        post_and_forget(executor, client_, post_request(notification_text("notifications/cancelled", taken)));
    };
    try {
        RpcAnswer answer = co_await exchange(id, std::move(method), std::move(params), patience);
        co_return answer;
    } catch (const Error& error) {
        if (error.code == ErrorCode::cancelled) take_back("the run was cancelled");
        if (error.code == ErrorCode::timed_out) take_back("it took too long");
        throw;
    } catch (const boost::system::system_error&) {
        take_back("the run was cancelled");
        throw;
    }
}

}  // namespace stele::tools::mcp
