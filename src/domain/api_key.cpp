#include "domain/api_key.hpp"

#include "base/ids.hpp"
#include "domain/json_mapping.hpp"

#include <sodium.h>

#include <algorithm>

namespace stele {
namespace {

constexpr std::size_t bearer_bytes = 32;
constexpr std::size_t name_bytes_max = 1'000;
constexpr std::int64_t rate_limit_max = 1'000'000;

void check_name(const std::string& name, Problems& problems) {
    if (name.empty() || name.size() > name_bytes_max)
        problems.add("name", "must have 1 to 1000 bytes", name.empty() ? "string_too_short" : "string_too_long");
}

std::optional<Scope> parse_scope(std::string_view word) {
    Scope scope{};
    if (!boost::describe::enum_from_string(std::string(word).c_str(), scope)) return std::nullopt;
    return scope;
}

void check_scopes(const std::vector<std::string>& scopes, Problems& problems) {
    if (scopes.empty()) return problems.add("scopes", "must not be empty", "too_short");
    problems.enter("scopes");
    for (std::size_t i = 0; i < scopes.size(); ++i)
        if (!parse_scope(scopes[i]))
            problems.add(std::to_string(i), "must be one of: read, write, admin", "literal_error",
                         json_string(scopes[i]));
    problems.leave();
}

void check_rate(std::int64_t rate_limit, Problems& problems) {
    if (rate_limit < 1 || rate_limit > rate_limit_max)
        problems.add("rate_limit", "must be within 1 and 1000000 requests a minute");
}

}  // namespace

void check(const CreateApiKey& request, Problems& problems) {
    check_name(request.name, problems);
    if (request.user_id && !is_id(*request.user_id, "user"))
        problems.add("user_id", "must match 'user-{uuid4}'", "string_pattern_mismatch");
    check_scopes(request.scopes, problems);
    if (request.rate_limit) check_rate(*request.rate_limit, problems);
    if (request.expires_at && *request.expires_at <= now()) problems.add("expires_at", "must lie ahead");
}

void check(const UpdateApiKey& request, Problems& problems) {
    if (request.name.has_value()) check_name(*request.name, problems);
    if (request.scopes.has_value()) check_scopes(*request.scopes, problems);
    if (request.rate_limit.has_value()) check_rate(*request.rate_limit, problems);
}

bool apply(const UpdateApiKey& update, ApiKey& key) {
    bool changed = update.name.set_into(key.name);
    changed |= update.scopes.set_into(key.scopes);
    changed |= update.rate_limit.set_into(key.rate_limit);
    changed |= update.expires_at.set_into(key.expires_at);
    return changed;
}

Scope reach_of(const std::vector<std::string>& scopes) {
    Scope farthest = Scope::read;
    for (const std::string& word : scopes) farthest = std::max(farthest, parse_scope(word).value_or(Scope::read));
    return farthest;
}

std::string new_bearer(std::string_view prefix) {
    unsigned char bytes[bearer_bytes];
    randombytes_buf(bytes, sizeof bytes);
    char text[sodium_base64_ENCODED_LEN(sizeof bytes, sodium_base64_VARIANT_URLSAFE_NO_PADDING)];
    sodium_bin2base64(text, sizeof text, bytes, sizeof bytes, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    return std::string(prefix) + text;
}

std::string new_api_key() { return new_bearer(api_key_prefix); }

std::string bearer_hash(std::string_view text) {
    unsigned char hash[crypto_generichash_BYTES];
    crypto_generichash(hash, sizeof hash, reinterpret_cast<const unsigned char*>(text.data()), text.size(), nullptr, 0);
    char hex[sizeof hash * 2 + 1];
    sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
    return hex;
}

STELE_JSON_WRITTEN(ApiKey)
STELE_JSON_WRITTEN(ApiKeyMade)
STELE_JSON_READ(CreateApiKey)
STELE_JSON_READ(UpdateApiKey)

}  // namespace stele
