#pragma once

#include "api/route.hpp"

namespace stele::api {

/// Tells the callback_url of a batch, if it has one, that it has ended, once: {job_id, status, completed_at}. What came
/// of it is written to the batch. `services` outlive it. Throws nothing.
awaitable<void> send_batch_callback(const Services& services, std::string organization_id, std::string batch_id);

/// Sends what an earlier life of the server did not come to.
awaitable<void> send_due_batch_callbacks(const Services& services);

}  // namespace stele::api
