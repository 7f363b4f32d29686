#pragma once

#include "api/route.hpp"
#include "runtime/agent_service.hpp"
#include "storage/agent_repository.hpp"

namespace stele::api {

/// Which relationships of agents the request wants: `include` (generation 2 and later: nothing else), or the older
/// `include_relationships` (default: all). Throws Error{invalid_argument} for an unknown `include`.
runtime::AgentInclude agent_include(const Request& request);

/// A page of the agents that `filter` names by something they have, hidden ones too.
boost::asio::awaitable<Response> linked_agents(Services& services, const Request& request, storage::AgentFilter filter,
                                               storage::Page page);

}  // namespace stele::api
