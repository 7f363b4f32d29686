#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace stele {

/// What went wrong, in terms that no protocol knows. api/error_response.cpp gives each its status and body.
enum class ErrorCode : std::uint8_t {
    invalid_argument,   ///< with `fields`: the request does not fit its schema; without: a rule of the resource forbids
                        ///< it
    unauthenticated,    ///< no credential, or a wrong one
    permission_denied,  ///< a right credential that may not do this
    not_found,
    method_not_allowed,
    conflict,             ///< another write came first, or a name is taken
    precondition_failed,  ///< If-Match names a version that is no longer there
    gone,                 ///< it was there, and is no longer kept
    too_large,
    unsupported_media,
    rate_limited,  ///< our own limiter
    model_failed,  ///< the model's server; `type` tells how ("llm_rate_limit", ...)
    timed_out,
    unavailable,  ///< store busy or full, shutting down, overloaded; may be tried again
    cancelled,
    internal,  ///< our own mistake
};

/// A failure that the author of the request must hear of. Thrown anywhere below api/, caught in api/dispatch.cpp
/// (becomes the answer) and in runtime (closes the run as failed). `what()` may be shown: no secret, no SQL, no path.
struct Error : std::runtime_error {
    /// One violation. `where` is a location such as "body.limit" or "path.block_id".
    struct Field {
        std::string where;
        std::string problem;
        std::string type = "value_error";  ///< the API's word for the kind of violation, e.g. "string_type"
        std::string input_json;            ///< what was sent, if it is short; else empty
    };

    Error(ErrorCode kind, const std::string& message) : std::runtime_error(message), code(kind) {}

    ErrorCode code;
    std::string type;  ///< the API's error type for model failures, e.g. "llm_timeout"
    std::vector<Field> fields;
    std::optional<std::chrono::milliseconds> retry_after;
    bool final = false;                                        ///< trying again cannot help (x-should-retry: false)
    std::vector<std::pair<std::string, std::string>> members;  ///< further text members of the error body
    std::string detail_json;  ///< replaces the text of `detail` by this JSON when not empty
};

/// "<Kind> not found": the answer for an unknown id and for an object of another organisation alike.
Error not_found(const std::string& kind, const std::string& id);

/// One field of the request is wrong; `where` as in Error::Field.
Error invalid_field(const std::string& where, const std::string& problem);

/// A rule of the resource forbids the request (status 400 of the API).
Error refused(const std::string& message);

/// The row was changed by somebody else between reading and writing. Its `type` tells it from a taken name: reading
/// again helps here.
inline constexpr char changed_meanwhile_type[] = "changed_meanwhile";
Error changed_meanwhile(const std::string& kind, const std::string& id);

/// Our own mistake at the edge of a layer: logs the condition and throws Error{internal}. In all builds.
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line);

}  // namespace stele

#define STELE_ASSERT(condition) \
    ((condition) ? static_cast<void>(0) : ::stele::assertion_failed(#condition, __FILE__, __LINE__))
