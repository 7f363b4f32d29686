#include "domain/sandbox.hpp"

#include "base/ids.hpp"
#include "domain/json_mapping.hpp"

#include <boost/json/parse.hpp>

#include <sodium.h>

#include <algorithm>
#include <map>

namespace stele {
namespace {

namespace json = boost::json;

constexpr std::size_t name_bytes_max = 255;

json::value value_of(const Json& text) { return json::parse(text.text); }

// One SHA-256 as a decimal number: clients compare it, nothing reads it.
std::string decimal_sha256(const std::string& text) {
    unsigned char hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(hash, reinterpret_cast<const unsigned char*>(text.data()), text.size());
    std::vector<int> digits{0};  // lowest first
    for (const unsigned char byte : hash) {
        int carry = byte;
        for (int& digit : digits) {
            carry += digit * 256;
            digit = carry % 10;
            carry /= 10;
        }
        for (; carry > 0; carry /= 10) digits.push_back(carry % 10);
    }
    std::string decimal;
    for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit) decimal += static_cast<char>('0' + *digit);
    return decimal;
}

// Keys sorted at every depth, so that the order in which they came does not show.
json::value sorted(const json::value& value) {
    if (const json::array* array = value.if_array()) {
        json::array made;
        for (const json::value& each : *array) made.push_back(sorted(each));
        return made;
    }
    const json::object* object = value.if_object();
    if (object == nullptr) return value;
    std::map<std::string, json::value> ordered;
    for (const auto& [key, each] : *object) ordered.emplace(key, sorted(each));
    json::object made;
    for (auto& [key, each] : ordered) made[key] = std::move(each);
    return made;
}

std::string type_of(const json::object& config) {
    if (config.contains("sandbox_dir") || config.contains("use_venv") || config.contains("venv_name")) return "local";
    if (config.contains("language") || config.contains("npm_requirements")) return "modal";
    if (config.contains("template") || config.contains("timeout")) return "e2b";
    return "local";
}

// The others run elsewhere, so their settings are only kept.
Json checked_config(const std::string& type, const Json& config) {
    if (type != "local") return config;
    Json made;
    made.text = to_json(decode<LocalSandboxConfig>(config.text));
    return made;
}

void check_object(const Json& config, Problems& problems) {
    if (config.is_null() || config.text.front() != '{') problems.add("config", "must be an object", "dict_type");
}

void check_key(const std::string& key, Problems& problems) {
    if (!is_variable_name(key))
        problems.add("key", "must be the name of an environment variable: letters, digits and _, not a digit first",
                     "string_pattern_mismatch", json_string(key.substr(0, name_bytes_max)));
}

}  // namespace

bool is_variable_name(std::string_view name) {
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
    return !name.empty() && name.size() <= name_bytes_max && letter(name.front()) &&
           std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

std::string requirement_text(const Requirement& requirement, std::string_view sign) {
    return requirement.version ? requirement.name + std::string(sign) + *requirement.version : requirement.name;
}

void check(const LocalSandboxConfig&, Problems&) {}
void check(const SandboxConfigCreate& request, Problems& problems) { check_object(request.config, problems); }
void check(const SandboxConfigUpdate& request, Problems& problems) {
    if (request.config.has_value()) check_object(*request.config, problems);
}
void check(const SandboxEnvironmentVariableCreate& request, Problems& problems) { check_key(request.key, problems); }
void check(const SandboxEnvironmentVariableUpdate& request, Problems& problems) {
    if (request.key.has_value()) check_key(*request.key, problems);
}

SandboxConfig make_sandbox_config(Json config, const std::string& organization_id, const std::string& actor) {
    SandboxConfig made;
    made.id = new_id("sandbox");
    made.type = type_of(value_of(config).as_object());
    made.organization_id = organization_id;
    made.config = checked_config(made.type, config);
    made.created_by_id = made.last_updated_by_id = actor;
    made.created_at = made.updated_at = now();
    return made;
}

SandboxConfig default_sandbox_config(const std::string& type, const std::string& organization_id,
                                     const std::string& actor) {
    Json config{type == "e2b" ? R"({"timeout":300,"template":null,"pip_requirements":null})" : "{}"};
    SandboxConfig made = make_sandbox_config(std::move(config), organization_id, actor);
    STELE_ASSERT(made.type == type);
    return made;
}

bool apply(const SandboxConfigUpdate& update, SandboxConfig& stored, const std::string& actor) {
    if (!update.config.has_value()) return false;
    json::value merged = value_of(stored.config);
    for (const auto& [key, value] : value_of(*update.config).as_object()) merged.as_object()[key] = value;
    Json config = checked_config(stored.type, Json{json::serialize(merged)});
    if (config == stored.config) return false;
    stored.config = std::move(config);
    stored.last_updated_by_id = actor;
    stored.updated_at = now();
    return true;
}

std::string fingerprint_of(const SandboxConfig& config) {
    json::object all;
    all["type"] = config.type;
    all["organization_id"] = config.organization_id;
    all["config"] = value_of(config.config);
    return decimal_sha256(json::serialize(sorted(all)));
}

STELE_JSON_WRITTEN(SandboxConfig)
STELE_JSON(LocalSandboxConfig)
STELE_JSON_READ(SandboxConfigCreate)
STELE_JSON_READ(SandboxConfigUpdate)
STELE_JSON_WRITTEN(SandboxEnvironmentVariable)
STELE_JSON_READ(SandboxEnvironmentVariableCreate)
STELE_JSON_READ(SandboxEnvironmentVariableUpdate)

}  // namespace stele
