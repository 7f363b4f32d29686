#pragma once

#include "domain/json.hpp"

#include <boost/describe/class.hpp>

#include <array>

namespace stele {

// What the terminal client asks about the account behind its credential (/v1/metadata). A server of one's own has no
// credits to count.

inline constexpr char own_billing_tier[] = "self-hosted";

/// Answer of GET /v1/metadata/user.
struct AccountUser {
    std::string id;
    std::string email;
    std::string name;
    std::string organization_name;
    std::string organization_id;
    std::optional<std::string> current_project_name;
    std::optional<std::string> current_project_id;
    std::string billing_tier = own_billing_tier;
    std::int64_t remaining_credits = 0;
};
BOOST_DESCRIBE_STRUCT(AccountUser, (),
                      (id, email, name, organization_name, organization_id, current_project_name, current_project_id,
                       billing_tier, remaining_credits))

/// Answer of GET /v1/metadata/status.
struct AccountStatus {
    std::optional<std::string> current_project_id;
};
BOOST_DESCRIBE_STRUCT(AccountStatus, (), (current_project_id))

/// Answer of GET /v1/metadata/balance.
struct AccountBalance {
    std::int64_t total_balance = 0;
    std::int64_t monthly_credit_balance = 0;
    std::int64_t purchased_credit_balance = 0;
    std::string billing_tier = own_billing_tier;
};
BOOST_DESCRIBE_STRUCT(AccountBalance, (),
                      (total_balance, monthly_credit_balance, purchased_credit_balance, billing_tier))

/// Body of POST /v1/metadata/feedback. Whatever else the client tells is kept as it came.
struct AccountFeedback {
    std::string message;
    std::string feature = "letta-code";
};
BOOST_DESCRIBE_STRUCT(AccountFeedback, (), (message, feature))
constexpr std::array<std::string_view, 1> required_members(const AccountFeedback*) { return {"message"}; }
void check(const AccountFeedback& feedback, Problems& problems);

/// Body of POST /v1/metadata/telemetry: read for its shape, and dropped.
struct AccountTelemetry {
    std::string service;
    std::optional<std::string> server_version;
    std::vector<Json> events;
};
BOOST_DESCRIBE_STRUCT(AccountTelemetry, (), (service, server_version, events))
constexpr std::array<std::string_view, 2> required_members(const AccountTelemetry*) { return {"service", "events"}; }
void check(const AccountTelemetry& telemetry, Problems& problems);

}  // namespace stele
