#pragma once

#include "domain/json.hpp"

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include <array>

namespace stele {

/// How far a credential reaches; each holds what stands before it.
/// `read`: requests that change nothing. `write`: everything in the key's own organisation. `admin`: besides users,
/// organisations and keys (/v1/admin), and the header user_id, with which a request speaks for any user.
BOOST_DEFINE_ENUM_CLASS(Scope, read, write, admin)

/// A key with which a program speaks for a user. Its text exists in the answer that made it and nowhere else.
struct ApiKey {
    std::string id;  ///< "key-<uuid>"
    std::string name;
    std::string user_id;
    std::string organization_id;  ///< the user's
    std::vector<std::string> scopes{"read", "write"};
    std::optional<std::int64_t> rate_limit;  ///< requests a minute; nothing: as many as there are
    std::optional<Timestamp> expires_at;
    std::optional<Timestamp> last_used_at;  ///< exact while the server runs; a crash may set it back by a minute
    std::string key_start;                  ///< the first characters, to tell keys apart
    std::string created_by_id;
    Timestamp created_at{};
    Timestamp updated_at{};
};
BOOST_DESCRIBE_STRUCT(ApiKey, (),
                      (id, name, user_id, organization_id, scopes, rate_limit, expires_at, last_used_at, key_start,
                       created_by_id, created_at, updated_at))

/// Answer of POST /v1/admin/keys.
struct ApiKeyMade : ApiKey {
    std::string key;
};
BOOST_DESCRIBE_STRUCT(ApiKeyMade, (ApiKey), (key))

/// Body of POST /v1/admin/keys.
struct CreateApiKey {
    std::string name;
    std::optional<std::string> user_id;  ///< nothing: the acting user
    std::vector<std::string> scopes{"read", "write"};
    std::optional<std::int64_t> rate_limit;
    std::optional<Timestamp> expires_at;
};
BOOST_DESCRIBE_STRUCT(CreateApiKey, (), (name, user_id, scopes, rate_limit, expires_at))
constexpr std::array<std::string_view, 1> required_members(const CreateApiKey*) { return {"name"}; }
void check(const CreateApiKey& request, Problems& problems);

/// Body of PATCH /v1/admin/keys/{key_id}. Null for rate_limit and expires_at: none.
struct UpdateApiKey {
    Patch<std::string> name;
    Patch<std::vector<std::string>> scopes;
    Patch<std::int64_t> rate_limit;
    Patch<Timestamp> expires_at;
};
BOOST_DESCRIBE_STRUCT(UpdateApiKey, (), (name, scopes, rate_limit, expires_at))
void check(const UpdateApiKey& request, Problems& problems);

/// True if anything changed.
bool apply(const UpdateApiKey& update, ApiKey& key);

/// The farthest of `scopes`, which are names that check() has let through.
Scope reach_of(const std::vector<std::string>& scopes);

/// "stele_" and 256 random bits in base64url.
inline constexpr char api_key_prefix[] = "stele_";
std::string new_api_key();

/// `prefix` and 256 random bits of the system's generator in base64url (RFC 4648 section 5, without padding).
std::string new_bearer(std::string_view prefix);

/// What a key or token is found by (BLAKE2b, 32 bytes, in hexadecimal). Its 256 bits are random, so a fast hash does.
std::string bearer_hash(std::string_view text);

}  // namespace stele
