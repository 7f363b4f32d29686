#pragma once

#include "api/route.hpp"

namespace stele::api {

/// Throws Error{invalid_argument} for a callback_url that is no http or https URL.
void check_callback_url(const std::optional<std::string>& url);

/// Waits for the end of the run, then tells its callback_url of it, once: {run_id, status, completed_at, metadata}.
/// What came of it is written to the run. Goes to public addresses alone unless the operator allows others; follows no
/// redirect. `services` outlive it. Throws nothing.
awaitable<void> send_callback(const Services& services, std::string organization_id, std::string run_id);

/// Sends what an earlier life of the server did not come to: callbacks of runs that have ended since.
awaitable<void> send_due_callbacks(const Services& services);

}  // namespace stele::api
