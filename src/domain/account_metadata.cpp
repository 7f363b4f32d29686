#include "domain/account_metadata.hpp"

#include "domain/json_mapping.hpp"

namespace stele {
namespace {

constexpr std::size_t message_characters_max = 10'000;

}  // namespace

void check(const AccountFeedback& feedback, Problems& problems) {
    if (feedback.message.empty()) problems.add("message", "must not be empty", "string_too_short");
    if (code_points(feedback.message) > message_characters_max)
        problems.add("message", "must have at most 10000 characters", "string_too_long");
}

void check(const AccountTelemetry& telemetry, Problems& problems) {
    if (telemetry.events.empty()) problems.add("events", "must not be empty", "too_short");
}

STELE_JSON_WRITTEN(AccountUser)
STELE_JSON_WRITTEN(AccountStatus)
STELE_JSON_WRITTEN(AccountBalance)
STELE_JSON_READ(AccountFeedback)
STELE_JSON_READ(AccountTelemetry)

}  // namespace stele
