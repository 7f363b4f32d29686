#pragma once

#include "api/route.hpp"
#include "domain/message_view.hpp"
#include "domain/run.hpp"

namespace stele::api {

/// The run as it stands: what is known of one at work is newer than its row. Throws Error{not_found}.
awaitable<Run> find_run(const Services& services, std::string organization_id, std::string run_id);

/// What a run stored, its input included, in the order of `page`; of one role, if one is named.
awaitable<std::vector<LettaMessage>> messages_of_run(const Services& services, std::string organization_id, Run run,
                                                     storage::Page page,
                                                     std::optional<std::string> role = std::nullopt);

/// What a run that has ended answered, as JSON of a LettaResponse; the messages in it are those of messages_of_run.
awaitable<std::string> result_of(const Services& services, std::string organization_id, Run run);

/// The run as it is shown by itself: one that was asked for asynchronously holds its answer, once it has succeeded, as
/// metadata.result; the messages in it are those of GET /v1/runs/{run_id}/messages.
awaitable<Run> with_result(const Services& services, std::string organization_id, Run run);

}  // namespace stele::api
