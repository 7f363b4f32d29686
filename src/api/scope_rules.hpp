#pragma once

#include "api/route.hpp"
#include "domain/api_key.hpp"

namespace stele::api {

/// What a credential has to reach for this operation: `admin` for those called "admin.", `read` for what changes
/// nothing, `write` for all others.
Scope needed_scope(const Route& route);

}  // namespace stele::api
