#pragma once

#include "net/client.hpp"
#include "net/sse.hpp"
#include "tools/mcp/exchange.hpp"
#include "tools/mcp/session.hpp"

#include <deque>

namespace stele::tools::mcp {

/// HTTP+SSE of 2024-11-05: one stream of events brings the address for our messages and then all that the server says.
/// The address must lie within the stream's origin. A stream that ends is the end of the session.
class SseSession final : public Session {
public:
    /// `client` outlives it.
    SseSession(net::HttpClient& client, std::string url, TextMap headers)
        : client_(client), url_(std::move(url)), headers_(std::move(headers)) {}

    /// Opens the stream, waits for the address and begins the session. An answer that is no stream comes back as its
    /// status; throws as request does, but for a server that says nothing in time.
    boost::asio::awaitable<Heard> begin(Patience patience);

    boost::asio::awaitable<RpcAnswer> request(std::string method, boost::json::object params, Patience patience,
                                              TextMap headers) override;
    Era era() const override { return Era::sse; }

    const std::string& challenge() const { return challenge_; }

private:
    struct Waiting;

    boost::asio::awaitable<Heard> open(Patience patience);
    boost::asio::awaitable<net::SseEvent> next_event(Waiting& waiting);
    boost::asio::awaitable<RpcAnswer> exchange(std::int64_t id, std::string method, boost::json::object params,
                                               Patience patience);
    boost::asio::awaitable<int> post(std::string body, std::chrono::milliseconds patience);
    net::ClientRequest post_request(std::string body) const;

    net::HttpClient& client_;
    std::string url_, post_url_, challenge_;
    TextMap headers_;
    std::unique_ptr<net::ClientStream> stream_;
    net::SseReader reader_;
    std::deque<net::SseEvent> events_;
    std::int64_t last_id_ = 0;
};

}  // namespace stele::tools::mcp
