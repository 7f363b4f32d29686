#pragma once

#include "api/route.hpp"
#include "domain/batch.hpp"

namespace stele::api {

/// Throws Error{not_found}.
awaitable<BatchJob> find_batch(const Services& services, std::string organization_id, std::string id);

/// Ends a batch, and the runs that work on it; it is called back. False if it has ended already.
awaitable<bool> cancel_batch(Services& services, std::string organization_id, std::string id);

}  // namespace stele::api
