#pragma once

#include "base/error.hpp"
#include "domain/run.hpp"

#include <string>

namespace stele::runtime {

/// Why calls are denied that waited for an approval when their run was cancelled.
inline constexpr char user_cancelled[] = "the user cancelled the run";

/// The stop reason with which a run ends on `error`.
StopReason stop_reason_of(const Error& error);

/// The API's word for a failure: error_type of streams and steps, `type` of the LLM errors' bodies.
std::string failure_type(const Error& error);

/// The sentence that a person may be shown for a failure type; what exactly went wrong stands in the error's text.
std::string failure_message(const std::string& type);

/// The run's metadata; `failure`, when not empty, says why it failed, and `identity_id` on whose behalf it was.
std::string run_metadata(const std::string& run_type, const std::string& failure, const std::string& identity_id);

}  // namespace stele::runtime
