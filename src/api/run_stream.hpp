#pragma once

#include "api/message_answer.hpp"

namespace stele::api {

/// The head of a stream that tells of `run_id`.
Response event_stream(const std::string& run_id);

/// True if all that a background run has told is still there to be told again.
bool can_resume(const Run& run);

/// A background run's stream from `options.starting_after` on: followed if the run is at work, else told from what was
/// stored, whatever has happened to client or server meanwhile. Throws Error{not_found}, Error{invalid_argument} for a
/// run that is no background one, Error{gone} when what is asked for is no longer kept.
awaitable<Response> resume_stream(Services& services, std::string organization_id, std::string run_id,
                                  StreamOptions options);

}  // namespace stele::api
