#include "tools/mcp/http_session.hpp"

#include "net/sse.hpp"
#include "tools/mcp/address.hpp"
#include "tools/mcp/headers.hpp"
#include "tools/mcp/oauth_challenge.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

namespace stele::tools::mcp {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using asio::awaitable;
using Clock = std::chrono::steady_clock;

constexpr int redirects_max = 3;
constexpr int resumptions_max = 5;                                  // that bring nothing new, one after the other
constexpr auto before_resumption = std::chrono::milliseconds(500);  // where the server names no time
constexpr auto resumption_wait_max = std::chrono::milliseconds(30'000);
constexpr auto reply_patience = std::chrono::milliseconds(5'000);
constexpr auto connect_patience = std::chrono::milliseconds(10'000);
constexpr std::size_t session_id_max = 1'024;

bool is_visible_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](unsigned char c) { return c > 0x20 && c < 0x7f; });
}

bool is_events(const net::Headers& headers) {
    const std::string* type = headers.find("Content-Type");
    return type != nullptr && type->starts_with("text/event-stream");
}

Error too_large() { return Error(ErrorCode::unavailable, "The MCP server's answer is too large"); }
Error too_late() { return Error(ErrorCode::timed_out, "The MCP server did not answer in time"); }

}  // namespace

/// The answer to one request, being read.
struct HttpSession::Reading {
    Exchange exchange;
    std::optional<json::value> result;
    std::optional<RpcError> error;
    std::string last_event_id;
    std::chrono::milliseconds retry = before_resumption;  ///< before the stream is gone on with
    std::size_t bytes = 0, bytes_max = 0;
    std::chrono::milliseconds silence{};
    Clock::time_point silent_until, until;

    bool done() const { return result || error; }

    /// Throws once the server has said nothing that counts for too long: bytes alone do not count.
    void check_time() const {
        const auto now = Clock::now();
        if (now >= until || now >= silent_until) throw too_late();
    }
    void heard_from() { silent_until = Clock::now() + silence; }
    void count(std::size_t more) {
        bytes += more;
        if (bytes > bytes_max) throw too_large();
    }
};

json::object with_modern_meta(json::object params) {
    json::object meta;
    if (const json::value* given = params.if_contains("_meta"); given != nullptr && given->is_object())
        meta = given->get_object();
    meta["io.modelcontextprotocol/protocolVersion"] = modern_version;
    meta["io.modelcontextprotocol/clientCapabilities"] = json::object();
    meta["io.modelcontextprotocol/clientInfo"] = json::object{{"name", "stele"}, {"version", "1"}};
    params["_meta"] = std::move(meta);
    return params;
}

json::object initialize_params(const std::string& version) {
    return {{"protocolVersion", version},
            {"capabilities", json::object()},
            {"clientInfo", json::object{{"name", "stele"}, {"version", "1"}}}};
}

namespace {

awaitable<void> send_quietly(net::HttpClient& client, net::ClientRequest request) {
    try {
        co_await client.send(std::move(request));
    } catch (const std::exception&) {
        // Nobody waits for it.
    }
}

}  // namespace

void post_and_forget(const asio::any_io_executor& executor, net::HttpClient& client, net::ClientRequest request) {
    request.connect_timeout = request.head_timeout = request.idle_timeout = request.total_timeout = reply_patience;
    request.body_bytes_max = 64u << 10;
    asio::co_spawn(executor, send_quietly(client, std::move(request)), asio::detached);
}

net::ClientRequest HttpSession::request_for(net::Method method, std::string body, const TextMap& headers,
                                            const Patience& patience) const {
    net::ClientRequest request;
    request.method = method;
    request.url = url_;
    request.body = std::move(body);
    request.headers.add("User-Agent", "stele");
    if (method == net::Method::post) request.headers.add("Content-Type", "application/json");
    request.headers.add("Accept",
                        method == net::Method::get ? "text/event-stream" : "application/json, text/event-stream");
    for (const auto& [name, value] : headers_) request.headers.add(name, value);
    for (const auto& [name, value] : headers) request.headers.add(name, value);
    request.connect_timeout = std::min(patience.total, connect_patience);
    request.head_timeout = request.idle_timeout = std::min(patience.silence, patience.total);
    request.total_timeout = patience.total;
    request.body_bytes_max = patience.bytes_max;
    return request;
}

TextMap HttpSession::headers_for(const std::string& method, const TextMap& more) const {
    TextMap headers;
    if (era_ == Era::modern) {
        headers.emplace_back("MCP-Protocol-Version", modern_version);
        if (!method.empty()) headers.emplace_back("Mcp-Method", method);
    } else {
        if (!session_id_.empty()) headers.emplace_back("Mcp-Session-Id", session_id_);
        if (!version_.empty() && version_ >= "2025-06-18") headers.emplace_back("MCP-Protocol-Version", version_);
    }
    headers.insert(headers.end(), more.begin(), more.end());
    return headers;
}

awaitable<std::unique_ptr<net::ClientStream>> HttpSession::send(net::Method method, std::string body, TextMap headers,
                                                                Patience patience, bool once) {
    for (int redirects = 0;; ++redirects) {
        net::ClientRequest request = request_for(method, body, headers, patience);
        request.once = once;
        auto stream = co_await client_.open(std::move(request));
        const int status = stream->status();
        // 303 would turn the message into a question, and 301 and 302 often do.
        if (status != 307 && status != 308) co_return stream;
        const std::string* location = stream->headers().find("Location");
        const std::string next = location == nullptr ? std::string() : within_origin(url_, *location);
        if (next.empty() || redirects == redirects_max)
            throw Error(ErrorCode::permission_denied,
                        "The MCP server sends its clients elsewhere, which is not followed");
        url_ = next;
    }
}

awaitable<void> HttpSession::take(Reading& reading, std::string text) {
    auto messages = parse_messages(text);
    if (!messages) throw Error(ErrorCode::unavailable, "The MCP server's answer is no JSON");
    for (RpcMessage& message : *messages) {
        if (reading.done()) co_return;
        Reaction reaction = next(reading.exchange, std::move(message));
        if (auto answer = ending(reaction)) {
            reading.result = std::move(answer->result);
            if (!reading.result) reading.error = std::move(answer->error);
        } else if (std::holds_alternative<Progressed>(reaction)) {
            reading.heard_from();
        } else if (auto* reply = std::get_if<Reply>(&reaction)) {
            co_await post_quietly(std::move(reply->text));
            reading.check_time();
        }
    }
}

// Replies and notifications of ours: a server that does not take them will not answer either, and then we hear of it.
awaitable<void> HttpSession::post_quietly(std::string body) {
    Patience patience;
    patience.silence = patience.total = reply_patience;
    patience.bytes_max = 64u << 10;
    net::ClientRequest request = request_for(net::Method::post, std::move(body), headers_for("", {}), patience);
    bool cancelled = false;
    try {
        co_await client_.send(std::move(request));
    } catch (const Error& error) {
        cancelled = error.code == ErrorCode::cancelled;
    }
    if (cancelled) throw Error(ErrorCode::cancelled, "The request was cancelled");
}

awaitable<void> HttpSession::read_json(Reading& reading, net::ClientStream& stream) {
    std::string body;
    for (;;) {
        const std::string piece = co_await stream.read();
        if (piece.empty()) break;
        reading.count(piece.size());
        reading.check_time();
        body += piece;
    }
    if (body.empty()) co_return;
    // The body of a refusal need not be a message.
    if (stream.status() >= 300 && !parse_messages(body)) co_return;
    co_await take(reading, std::move(body));
}

awaitable<void> HttpSession::read_events(Reading& reading, net::ClientStream& stream) {
    net::SseReader reader(reading.bytes_max);
    while (!reading.done()) {
        const std::string piece = co_await stream.read();
        if (piece.empty()) break;
        reading.count(piece.size());
        reading.check_time();
        std::vector<net::SseEvent> events;
        if (!reader.feed(piece, events)) throw too_large();
        if (const auto told = reader.retry_ms())
            reading.retry = std::chrono::milliseconds(std::min<std::int64_t>(*told, resumption_wait_max.count()));
        for (net::SseEvent& event : events) {
            if (!event.id.empty() && is_visible_ascii(event.id)) reading.last_event_id = event.id;
            if (reading.done() || event.data.empty()) continue;
            if (event.event.empty() || event.event == "message") co_await take(reading, std::move(event.data));
        }
    }
}

// A stream that ended before its answer goes on where it broke off, if the server numbers its events.
awaitable<void> HttpSession::resume(Reading& reading, Patience patience) {
    asio::steady_timer timer(co_await asio::this_coro::executor);
    std::string before;
    for (int attempt = 0; attempt < resumptions_max && !reading.done(); ++attempt) {
        if (std::exchange(before, reading.last_event_id) != reading.last_event_id) attempt = 0;
        timer.expires_after(reading.retry);
        co_await timer.async_wait(asio::use_awaitable);
        reading.check_time();
        TextMap headers = headers_for("", {});
        headers.emplace_back("Last-Event-ID", reading.last_event_id);
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(reading.until - Clock::now());
        patience.total = std::max(left, std::chrono::milliseconds(1));
        const auto stream = co_await send(net::Method::get, {}, std::move(headers), patience, false);
        if (stream->status() != 200 || !is_events(stream->headers())) co_return;
        co_await read_events(reading, *stream);
    }
}

awaitable<Heard> HttpSession::exchange(std::int64_t id, std::string method, json::object params, Patience patience,
                                       TextMap headers) {
    if (era_ == Era::modern) params = with_modern_meta(std::move(params));
    std::string body = request_text(id, method, params);
    TextMap all = headers_for(method, headers);
    Reading reading;
    reading.exchange.id = id;
    reading.bytes_max = patience.bytes_max;
    reading.silence = patience.silence;
    reading.until = Clock::now() + patience.total;
    reading.heard_from();
    const bool acts = method == "tools/call";  // the call may have been made although nothing was heard
    const auto stream = co_await send(net::Method::post, std::move(body), std::move(all), patience, acts);
    Heard heard;
    heard.status = stream->status();
    if (heard.status == 401 || heard.status == 403) challenge_ = challenges_of(stream->headers());
    if (method == "initialize" && heard.status == 200)
        if (const std::string* given = stream->headers().find("Mcp-Session-Id");
            given != nullptr && given->size() <= session_id_max && is_visible_ascii(*given))
            session_id_ = *given;
    const bool events = is_events(stream->headers()) && heard.status == 200;
    std::optional<Error> broken;
    try {
        if (events)
            co_await read_events(reading, *stream);
        else
            co_await read_json(reading, *stream);
    } catch (const Error& error) {
        // A broken connection need not be the end of a stream that can be gone on with.
        if (error.code != ErrorCode::unavailable || reading.last_event_id.empty() || reading.bytes > reading.bytes_max)
            throw;
        broken = error;
    }
    if (!reading.done() && events && era_ == Era::legacy && !reading.last_event_id.empty())
        co_await resume(reading, patience);
    if (reading.exchange.tools_changed) tools_changed_ = true;
    if (!reading.done() && broken) throw *broken;
    heard.result = std::move(reading.result);
    heard.error = std::move(reading.error);
    co_return heard;
}

awaitable<Heard> HttpSession::heard(std::string method, json::object params, Patience patience) {
    try {
        Heard heard = co_await exchange(++last_id_, std::move(method), std::move(params), patience, {});
        co_return heard;
    } catch (const Error& error) {
        if (error.code != ErrorCode::timed_out) throw;
    }
    Heard silence;
    silence.status = 0;
    co_return silence;
}

awaitable<Heard> HttpSession::probe(Patience patience) {
    era_ = Era::modern;
    Heard answer = co_await heard("server/discover", {}, patience);
    era_ = Era::legacy;
    co_return answer;
}

awaitable<Heard> HttpSession::initialize(std::string version, Patience patience) {
    era_ = Era::legacy;
    version_.clear();
    session_id_.clear();
    Heard answer = co_await heard("initialize", initialize_params(version), patience);
    co_return answer;
}

awaitable<void> HttpSession::speak_legacy(std::string version, Patience) {
    version_ = std::move(version);
    co_await post_quietly(notification_text("notifications/initialized", {}));
}

void HttpSession::take_back(const asio::any_io_executor& executor, std::int64_t id, const char* why) {
    if (era_ == Era::modern) return;  // the closed connection says it
    const json::object params{{"requestId", id}, {"reason", why}};
    post_and_forget(executor, client_,
                    request_for(net::Method::post, notification_text("notifications/cancelled", params),
                                headers_for("", {}), Patience{}));
}

void HttpSession::leave(const asio::any_io_executor& executor) {
    if (era_ == Era::legacy && !session_id_.empty())
        post_and_forget(executor, client_, request_for(net::Method::delete_, {}, headers_for("", {}), Patience{}));
}

awaitable<RpcAnswer> HttpSession::request(std::string method, json::object params, Patience patience, TextMap headers) {
    const auto executor = co_await asio::this_coro::executor;
    const std::int64_t id = ++last_id_;
    Heard heard;
    try {
        heard = co_await exchange(id, std::move(method), std::move(params), patience, std::move(headers));
    } catch (const Error& error) {
        if (error.code == ErrorCode::cancelled) take_back(executor, id, "the run was cancelled");
        if (error.code == ErrorCode::timed_out) take_back(executor, id, "it took too long");
        throw;
    } catch (const boost::system::system_error&) {  // cancelled between two operations
        take_back(executor, id, "the run was cancelled");
        throw;
    }
    RpcAnswer answer;
    if (heard.status == 401) throw Unauthorized(challenge_);
    if (heard.status == 403 && parse_challenge(challenge_).wants_more_rights()) throw Unauthorized(challenge_);
    if (heard.status == 404 && era_ == Era::legacy && !session_id_.empty()) throw SessionLost();
    if (heard.error) {
        answer.error = std::move(*heard.error);
        co_return answer;
    }
    if (!heard.result)
        throw Error(ErrorCode::unavailable,
                    heard.status == 200 ? std::string("The MCP server's answer ended before it was whole")
                                        : "The MCP server answered with status " + std::to_string(heard.status));
    answer.result = std::move(heard.result);
    co_return answer;
}

}  // namespace stele::tools::mcp
