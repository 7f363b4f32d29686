#pragma once

#include "api/route.hpp"
#include "runtime/agent_service.hpp"

namespace stele::api {

/// Which relationships of agents the request wants: `include` (generation 2 and later: nothing else), or the older
/// `include_relationships` (default: all). Throws Error{invalid_argument} for an unknown `include`.
runtime::AgentInclude agent_include(const Request& request);

}  // namespace stele::api
