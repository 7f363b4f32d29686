#pragma once

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stele::net {

class SpooledBody;

enum class Method : std::uint8_t { get, head, post, put, patch, delete_, options, other };

std::string_view to_string(Method method);

/// True if two header names are the same (ASCII, without case).
bool same_name(std::string_view a, std::string_view b);

/// Header fields in order of arrival; names compare without case.
class Headers {
public:
    void add(std::string name, std::string value) { fields_.emplace_back(std::move(name), std::move(value)); }

    /// The first value of `name`, or nothing.
    const std::string* find(std::string_view name) const;

    const std::vector<std::pair<std::string, std::string>>& fields() const { return fields_; }
    void clear() { fields_.clear(); }

private:
    std::vector<std::pair<std::string, std::string>> fields_;
};

/// One request, read whole. Owned by its connection's coroutine, which outlives the handler.
struct HttpRequest {
    Method method = Method::get;
    std::string target;  ///< as sent: path and query
    std::string path;    ///< without the query, not decoded
    std::string query;   ///< behind the '?', not decoded
    Headers headers;
    std::string body;  ///< de-chunked and un-gzipped
    /// Set in place of `body` for one that is too large for memory (ServerOptions::large).
    std::shared_ptr<SpooledBody> large_body{};
    std::string peer;  ///< address of the other end, without its port
    std::string id;    ///< given by the handler, for its logs; empty where no handler saw the request
};

/// Writes the body of a streamed answer. One thread: the connection's.
class BodyWriter {
public:
    virtual ~BodyWriter() = default;

    /// Sends `bytes` (as one chunk); returns when the kernel has taken them. Throws Error{cancelled} once the client is
    /// gone or too slow (write time-out), and from then on always.
    virtual boost::asio::awaitable<void> write(std::string bytes) = 0;

    /// Becomes true as soon as the client has closed its end, even while nothing is written.
    virtual bool closed() const = 0;

    /// Becomes true when the grace of a stopping server is over: the producer says what it still has to say and ends.
    /// A moment later the connection is cut.
    virtual bool ending() const = 0;

    /// Calls `hook`, on this thread, when the client goes away and when a stopping server's grace is over: to wake a
    /// producer that waits for something else. Replaces an earlier hook; an empty one removes it.
    virtual void on_close(std::function<void()> hook) = 0;
};

using BodyProducer = std::function<boost::asio::awaitable<void>(BodyWriter&)>;

/// A WebSocket (RFC 6455) that a client has opened. One thread: the connection's. One coroutine may read while one
/// other writes.
class WebSocket {
public:
    virtual ~WebSocket() = default;

    /// The next message, a text; nothing once the client has closed or is gone, or the server ends.
    virtual boost::asio::awaitable<std::optional<std::string>> read() = 0;

    /// Sends a text. Throws Error{cancelled} once the client is gone.
    virtual boost::asio::awaitable<void> write(std::string text) = 0;

    /// Ends the connection; what waits on it comes to its end.
    virtual void close() = 0;
};

using WebSocketHandler = std::function<boost::asio::awaitable<void>(WebSocket&)>;

struct HttpResponse {
    int status = 200;
    std::string content_type = "application/json";
    Headers headers;  ///< without Content-Type, Content-Length, Date, Connection
    std::string body;
    BodyProducer producer;  ///< when set: sent chunked instead of `body`, never compressed, never buffered
    /// When set: what becomes of the connection if the request opens a WebSocket; the rest is not sent then.
    WebSocketHandler socket;
};

/// Answers one request. Must not throw for what the requester did (api/dispatch turns errors into answers);
/// an exception that escapes is logged and answered as 500. `request` outlives the coroutine.
using Handler = std::function<boost::asio::awaitable<HttpResponse>(HttpRequest& request)>;

/// "a%20b+c" -> "a b c" when `plus_is_space`, else '+' stays. Nothing for a broken escape.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space);

/// Name and value pairs of a query string, in order, decoded. Nothing for a broken escape.
std::optional<std::vector<std::pair<std::string, std::string>>> parse_query(std::string_view query);

}  // namespace stele::net
