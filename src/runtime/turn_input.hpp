#pragma once

#include "runtime/agent_loader.hpp"

#include <boost/asio/awaitable.hpp>

namespace stele::runtime {

struct TurnServices;
struct TurnRequest;

/// What a turn begins with.
struct TurnInput {
    std::vector<Message> messages;    ///< new, not stored yet
    std::optional<Message> decision;  ///< of the client about the calls that wait: to be carried out before all else
    bool continues = false;           ///< what the request before left unfinished, so the context stays as it is
};

/// Looks at what `request` brings and at what the conversation waits for, which belongs to the caller's lease, and
/// repairs what an edit of the context has broken (in the store too). An approval that arrives for the second time goes
/// on with what follows it. References outlive the call.
/// Throws Error{invalid_argument} for an approval that fits nothing, Error{conflict} with the id of the request for
/// other messages while one is pending.
boost::asio::awaitable<TurnInput> take_input(const TurnServices& services, const TurnRequest& request,
                                             LoadedAgent& loaded);

}  // namespace stele::runtime
