#pragma once

#include "base/error.hpp"
#include "base/time.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace stele::llm {

/// A failed model call in the API's terms; `type` is one of provider.hpp's words, `host` names the server in the text.
Error model_failure(const std::string& type, const std::string& message);

/// What a provider's error answer means. `retry_after`: what its headers ask for. Pure.
/// The text carries the provider's own message, cut to a sensible length, and never the key.
Error failure_of_answer(int status, std::string_view body, std::optional<std::chrono::milliseconds> retry_after,
                        const std::string& model, const std::string& host);

/// True for a body that tells of an error although its status was 200: {"error":...} or {"object":"error",...}.
bool is_error_body(std::string_view body);

/// What an error means that came within an answer or stream of status 200; its own code counts as the status. Pure.
Error failure_within_answer(std::string_view body, const std::string& model, const std::string& host);

/// The message in a provider's error body, in any of the forms in use; the start of the body if it has none.
std::string message_of_error_body(std::string_view body);

/// True if a provider's words say that the prompt is longer than the model's window.
bool says_context_overflow(std::string_view text);

/// How long to wait before the next attempt; nothing: give up. `attempt` counts from 1 and is the one that failed,
/// `jitter` lies in [0, 1). Pure. Overload, rate limits, time-outs and broken connections are tried again, what the
/// provider refused for good is not; a wait that the provider demands beyond a minute is not waited for.
std::optional<std::chrono::milliseconds> next_attempt(const Error& failure, int attempt, int attempts_max,
                                                      double jitter);

/// The wait in `Retry-After` or `retry-after-ms` headers' texts: seconds, which may have a fraction, or a date
/// (RFC 9110, 5.6.7: "Tue, 24 Nov 2026 10:20:30 GMT"), of which `at` is subtracted. Pure.
std::optional<std::chrono::milliseconds> parse_retry_after(const std::string* seconds, const std::string* milliseconds,
                                                           Timestamp at);

}  // namespace stele::llm
