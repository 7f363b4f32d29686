#pragma once

#include "tools/mcp/rpc.hpp"

#include <variant>

namespace stele::tools::mcp {

/// A request of ours that waits for its answer among all that the server sends meanwhile. It decides and does no I/O.
struct Exchange {
    std::int64_t id = 0;
    std::size_t messages = 0;    ///< that the server has sent
    bool tools_changed = false;  ///< it said that its list of tools is another now
};

struct Ignore {};      ///< nothing to do: a log line, the answer to something else
struct Progressed {};  ///< the server is at work: wait on
struct Reply {
    std::string text;  ///< to be sent to the server
};
struct Answered {
    boost::json::value result;
};
struct Refused {
    RpcError error;
};
struct Flooded {};  ///< the server sends and sends and does not answer

using Reaction = std::variant<Ignore, Progressed, Reply, Answered, Refused, Flooded>;

/// The result of a request or the error that the server gave instead.
struct RpcAnswer {
    std::optional<boost::json::value> result;
    RpcError error;
};

/// The answer that ends the exchange, if `reaction` is one. Throws Error{unavailable} for a server that talks without
/// end.
std::optional<RpcAnswer> ending(Reaction& reaction);

/// What to do about `message`. A ping is answered, any other request of the server refused: we offer it nothing.
Reaction next(Exchange& exchange, RpcMessage message);

}  // namespace stele::tools::mcp
