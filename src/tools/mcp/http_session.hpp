#pragma once

#include "net/client.hpp"
#include "tools/mcp/exchange.hpp"
#include "tools/mcp/session.hpp"

namespace stele::tools::mcp {

/// Streamable HTTP: every message is a POST of its own, answered by JSON or by a stream of events that ends with the
/// answer. Legacy revisions (2025-03-26 to 2025-11-25) keep a session by a header and can go on with a stream that
/// broke off; 2026-07-28 keeps nothing. Redirects are followed within the origin alone.
class HttpSession final : public Session {
public:
    /// `client` outlives it. `headers`: sent with every request.
    HttpSession(net::HttpClient& client, std::string url, TextMap headers)
        : client_(client), url_(std::move(url)), headers_(std::move(headers)) {}
    boost::asio::awaitable<RpcAnswer> request(std::string method, boost::json::object params, Patience patience,
                                              TextMap headers) override;
    Era era() const override { return era_; }
    void leave(const boost::asio::any_io_executor& executor) override;

    /// A request of the negotiation: what came of it, whatever it is. Throws as request does, but for time-outs.
    boost::asio::awaitable<Heard> probe(Patience patience);
    boost::asio::awaitable<Heard> initialize(std::string version, Patience patience);

    /// Ends the negotiation. Legacy: tells the server so.
    void speak_modern() { era_ = Era::modern; }
    boost::asio::awaitable<void> speak_legacy(std::string version, Patience patience);

    const std::string& challenge() const { return challenge_; }

private:
    struct Reading;

    boost::asio::awaitable<Heard> heard(std::string method, boost::json::object params, Patience patience);
    boost::asio::awaitable<Heard> exchange(std::int64_t id, std::string method, boost::json::object params,
                                           Patience patience, TextMap headers);
    boost::asio::awaitable<std::unique_ptr<net::ClientStream>> send(net::Method method, std::string body,
                                                                    TextMap headers, Patience patience, bool once);
    boost::asio::awaitable<void> read_json(Reading& reading, net::ClientStream& stream);
    boost::asio::awaitable<void> read_events(Reading& reading, net::ClientStream& stream);
    boost::asio::awaitable<void> resume(Reading& reading, Patience patience);
    boost::asio::awaitable<void> take(Reading& reading, std::string text);
    boost::asio::awaitable<void> post_quietly(std::string body);
    net::ClientRequest request_for(net::Method method, std::string body, const TextMap& headers,
                                   const Patience& patience) const;
    TextMap headers_for(const std::string& method, const TextMap& more) const;
    void take_back(const boost::asio::any_io_executor& executor, std::int64_t id, const char* why);

    net::HttpClient& client_;
    std::string url_;
    TextMap headers_;
    Era era_ = Era::legacy;
    std::string version_;     ///< negotiated; empty before
    std::string session_id_;  ///< legacy; many servers give none
    std::string challenge_;
    std::int64_t last_id_ = 0;
};

/// `params` with what 2026-07-28 wants in every request.
boost::json::object with_modern_meta(boost::json::object params);

/// Who we are, for `initialize`.
boost::json::object initialize_params(const std::string& version);

/// POSTs `body` and forgets about it. For what nobody waits for: a request taken back, a session closed.
void post_and_forget(const boost::asio::any_io_executor& executor, net::HttpClient& client, net::ClientRequest request);

}  // namespace stele::tools::mcp
