#pragma once

#include "api/route.hpp"

namespace stele::api {

/// Ends those of `run_ids` that are at work, or wait for an approval, and tells of each how it stands then: the run's
/// status, or "failed" for one that did not come to its end in time. Throws Error{not_found}, before anything has
/// happened, for an id of which there is no run, or none of this agent.
awaitable<TextMap> cancel_runs(Services& services, std::string organization_id, std::string agent_id,
                               std::vector<std::string> run_ids);

}  // namespace stele::api
