#pragma once

#include "domain/mcp_server.hpp"
#include "net/client.hpp"
#include "tools/mcp/session.hpp"

#include <functional>
#include <memory>

namespace stele::tools::mcp {

/// What a session with a server needs.
struct Endpoint {
    std::string url;
    bool configured_as_sse = false;
    TextMap headers;
    std::optional<Era> known;  ///< from an earlier contact
    std::chrono::milliseconds patience{30'000};
};

/// A session with the server at `endpoint`, by whichever revision of the protocol it speaks. `client` outlives it.
/// Throws as Session::request does; what the server said wrong is Error{unavailable}.
boost::asio::awaitable<std::unique_ptr<Session>> connect(net::HttpClient& client, Endpoint endpoint);

}  // namespace stele::tools::mcp
