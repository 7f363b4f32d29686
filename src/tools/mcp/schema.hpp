#pragma once

#include "domain/mcp_server.hpp"

#include <boost/json/value.hpp>

namespace stele::tools::mcp {

/// A tool's inputSchema as models take it: references written out (a reference within itself, or beyond the depth, is a
/// plain object), a type everywhere one can be told, properties and required where an object lacks them, objects with
/// properties closed, and nothing that leads elsewhere. Bounded in size, whatever the server wrote.
boost::json::value normalised(const boost::json::value& input_schema, std::vector<std::string>& problems);

/// How well a normalised schema serves: STRICT_COMPLIANT if every object is closed and needs all its properties,
/// NON_STRICT_ONLY if it is usable, INVALID if models or servers would stumble over it. `problems` of normalising make
/// it INVALID too.
McpToolHealth health_of(const boost::json::value& schema, std::vector<std::string> problems);

}  // namespace stele::tools::mcp
