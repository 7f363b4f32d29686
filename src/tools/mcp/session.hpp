#pragma once

#include "domain/json.hpp"
#include "tools/mcp/exchange.hpp"
#include "tools/mcp/negotiation.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>

namespace stele::tools::mcp {

/// What one request may take. Silence is what lies between two messages of the server that say it is at work.
struct Patience {
    std::chrono::milliseconds silence{30'000};
    std::chrono::milliseconds total{30'000};
    std::size_t bytes_max = 16u << 20;
};

/// The server wants a credential, or another one.
struct Unauthorized : Error {
    explicit Unauthorized(std::string challenge_)
        : Error(ErrorCode::unauthenticated, "The MCP server wants a login"), challenge(std::move(challenge_)) {}

    std::string challenge;  ///< its WWW-Authenticate header
};

/// The server no longer knows the session; what was asked has not been done.
struct SessionLost : Error {
    SessionLost() : Error(ErrorCode::unavailable, "The MCP server has forgotten the session") {}
};

/// A conversation with a server, ready for requests: one at a time. One thread.
///
/// request throws Error{timed_out}, Error{unavailable} for a server that can't be reached, breaks off or answers what
/// is no answer, Error{permission_denied} for an address that is not allowed, Unauthorized, SessionLost and
/// Error{cancelled}; after any of them the session is not used again. A request that is cancelled or takes too long is
/// taken back with the server.
class Session {
public:
    virtual ~Session() = default;

    /// `headers`: for this request alone, where the transport has any.
    virtual boost::asio::awaitable<RpcAnswer> request(std::string method, boost::json::object params, Patience patience,
                                                      TextMap headers) = 0;
    virtual Era era() const = 0;

    /// Tells the server that the session is over, without waiting.
    virtual void leave(const boost::asio::any_io_executor&) {}

    /// True once the server has said, since this was last asked, that its tools are others now.
    bool take_tools_changed() { return std::exchange(tools_changed_, false); }

protected:
    bool tools_changed_ = false;
};

}  // namespace stele::tools::mcp
