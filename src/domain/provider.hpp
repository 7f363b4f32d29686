#pragma once

#include "base/secret.hpp"
#include "domain/audit.hpp"
#include "domain/json.hpp"

#include <boost/describe/class.hpp>

#include <array>

namespace stele {

/// A provider of models that an organisation has brought along. As an answer: its key is never among it.
struct ProviderAnswer {
    std::string id;  ///< "provider-<uuid>"
    std::string name;
    std::string provider_type;
    std::string provider_category = "byok";
    std::optional<std::string> api_key;  ///< always null
    std::optional<std::string> base_url;
    std::optional<std::string> access_key;  ///< always null
    std::optional<std::string> region;
    std::optional<std::string> api_version;
    std::string organization_id;
    Timestamp updated_at{};
    std::optional<Timestamp> last_synced;
    std::optional<std::string> api_key_enc;     ///< always null
    std::optional<std::string> access_key_enc;  ///< always null
};
BOOST_DESCRIBE_STRUCT(ProviderAnswer, (),
                      (id, name, provider_type, provider_category, api_key, base_url, access_key, region, api_version,
                       organization_id, updated_at, last_synced, api_key_enc, access_key_enc))

/// The same with what logs in there.
struct StoredProvider {
    ProviderAnswer shown;
    Secret api_key, access_key;
    std::string created_by_id, last_updated_by_id;
    Timestamp created_at{};
    bool deleted = false;  ///< its name may be taken up again, and it then keeps its id
    std::int64_t version = 1;
};

// Members of what creates, changes and checks one. An empty text counts as null.
struct ProviderAccess {
    Patch<std::string> api_key;
    Patch<std::string> access_key;
    Patch<std::string> region;
    Patch<std::string> base_url;
    Patch<std::string> api_version;
};
BOOST_DESCRIBE_STRUCT(ProviderAccess, (), (api_key, access_key, region, base_url, api_version))

/// Body of POST /v1/providers.
struct ProviderCreate : ProviderAccess {
    std::string name;
    std::string provider_type;
};
BOOST_DESCRIBE_STRUCT(ProviderCreate, (ProviderAccess), (name, provider_type))
void check(const ProviderCreate& request, Problems& problems);
constexpr std::array<std::string_view, 3> required_members(const ProviderCreate*) {
    return {"name", "provider_type", "api_key"};
}

/// Body of PATCH /v1/providers/{provider_id}.
struct ProviderUpdate : ProviderAccess {};
BOOST_DESCRIBE_STRUCT(ProviderUpdate, (ProviderAccess), ())
void check(const ProviderUpdate& request, Problems& problems);

/// Body of POST /v1/providers/check: a provider that is described, or the id of a stored one.
struct ProviderCheck : ProviderAccess {
    Patch<std::string> provider_type;
    Patch<std::string> provider_id;
};
BOOST_DESCRIBE_STRUCT(ProviderCheck, (ProviderAccess), (provider_type, provider_id))
void check(const ProviderCheck& request, Problems& problems);

/// True for a word that the API knows as `provider_type`.
bool is_provider_type(std::string_view word);

/// Applies what `access` holds: absent leaves, null and the empty text clear. True if anything changed.
bool apply(const ProviderAccess& access, StoredProvider& provider);

}  // namespace stele
