#pragma once

#include "domain/json.hpp"

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include <array>

namespace stele {

/// What a client-side access token may allow with an agent. What each lets through: api/token_rules.cpp.
BOOST_DEFINE_ENUM_CLASS(AgentAccess, read_messages, write_messages, read_agent, write_agent)

/// The rights to one agent.
struct AccessItem {
    std::string type = "agent";
    std::string id;  ///< "agent-<uuid>"
    std::vector<std::string> access;
};
BOOST_DESCRIBE_STRUCT(AccessItem, (), (type, id, access))
constexpr std::array<std::string_view, 2> required_members(const AccessItem*) { return {"id", "access"}; }
void check(const AccessItem& item, Problems& problems);

struct AccessPolicy {
    std::string version = "1";
    std::vector<AccessItem> data;
};
BOOST_DESCRIBE_STRUCT(AccessPolicy, (), (version, data))

/// A bearer token for a browser. `token` is whole in the answer that made it and masked in every other.
struct AccessToken {
    AccessPolicy policy;
    std::string token;
    std::string hostname;  ///< the origin whose pages may use it
    Timestamp expiresAt{};
    std::string id;               ///< "token-<uuid>"
    std::string organization_id;  ///< not described, like the next
    std::string user_id;
    Timestamp created_at{};
};
BOOST_DESCRIBE_STRUCT(AccessToken, (), (policy, token, hostname, expiresAt, id))

/// Body of POST /v1/client-side-access-tokens.
struct CreateAccessToken {
    std::vector<AccessItem> policy;
    std::string hostname;
    std::optional<Timestamp> expires_at;  ///< nothing: in five minutes
};
BOOST_DESCRIBE_STRUCT(CreateAccessToken, (), (policy, hostname, expires_at))
constexpr std::array<std::string_view, 2> required_members(const CreateAccessToken*) { return {"policy", "hostname"}; }

/// Answer of GET /v1/client-side-access-tokens.
struct AccessTokens {
    std::vector<AccessToken> tokens;
    bool hasNextPage = false;
};
BOOST_DESCRIBE_STRUCT(AccessTokens, (), (tokens, hasNextPage))

inline constexpr char access_token_prefix[] = "ste_";

/// The token that `request` asks for, without its text; agents named twice are joined. Throws Error{invalid_argument}
/// with `message` and `errorCode` for an empty policy, a hostname that is no origin, and an end that has passed or lies
/// more than 30 days ahead.
AccessToken plan_access_token(const CreateAccessToken& request, Timestamp time);

/// An error in the form that hosted rows have: `message` and `errorCode` beside the detail; status 400.
Error hosted_refusal(const std::string& code, const std::string& message);

/// True if `policy` allows `access` with the agent; nothing if it does not name the agent at all.
std::optional<bool> allows(const AccessPolicy& policy, const std::string& agent_id, AgentAccess access);

/// True for "scheme://host[:port]" of http or https, in the form in which browsers send it.
bool is_origin(std::string_view text);

/// The members of a JSON object that are not null; none for any other text.
std::vector<std::string> members_set(std::string_view object);

}  // namespace stele
