#include "domain/provider.hpp"

#include "domain/json_mapping.hpp"

#include <algorithm>

namespace stele {
namespace {

constexpr std::size_t name_bytes_max = 64;
constexpr std::size_t text_bytes_max = 8'192;

constexpr std::string_view types[] = {"anthropic",     "azure",
                                      "baseten",       "bedrock",
                                      "cerebras",      "chatgpt_oauth",
                                      "deepseek",      "fireworks",
                                      "groq",          "google_ai",
                                      "google_vertex", "hugging-face",
                                      "letta",         "lmstudio_openai",
                                      "minimax",       "mistral",
                                      "moonshot",      "moonshot_coding",
                                      "ollama",        "openai",
                                      "openrouter",    "sglang",
                                      "together",      "vllm",
                                      "xai",           "zai",
                                      "zai_coding"};

void check_access(const ProviderAccess& access, Problems& problems) {
    const auto bounded = [&](const char* name, const Patch<std::string>& text) {
        if (text.has_value() && text->size() > text_bytes_max)
            problems.add(name, "must have at most 8192 bytes", "string_too_long");
    };
    bounded("api_key", access.api_key);
    bounded("access_key", access.access_key);
    bounded("region", access.region);
    bounded("base_url", access.base_url);
    bounded("api_version", access.api_version);
    if (access.base_url.has_value() && !access.base_url->empty() && !access.base_url->starts_with("http://") &&
        !access.base_url->starts_with("https://"))
        problems.add("base_url", "must begin with http:// or https://", "url_scheme");
    for (const auto* key : {&access.api_key, &access.access_key})
        if (key->has_value() && (*key)->find_first_of("\r\n") != std::string::npos)
            problems.add(key == &access.api_key ? "api_key" : "access_key", "must not hold a line break",
                         "string_pattern_mismatch");
}

void check_type(const std::string& type, Problems& problems) {
    if (is_provider_type(type)) return;
    std::string all;
    for (const std::string_view word : types) all += (all.empty() ? "" : ", ") + std::string(word);
    problems.add("provider_type", "must be one of: " + all, "enum", json_string(type));
}

bool take(const Patch<std::string>& from, std::optional<std::string>& into) {
    if (!from.present()) return false;
    std::optional<std::string> value;
    if (from.has_value() && !from->empty()) value = *from;
    const bool changed = value != into;
    into = std::move(value);
    return changed;
}

bool take(const Patch<std::string>& from, Secret& into) {
    if (!from.present()) return false;
    const std::string value = from.value_or("");
    const bool changed = value != into.reveal();
    into = Secret(value);
    return changed;
}

}  // namespace

bool is_provider_type(std::string_view word) {
    return std::find(std::begin(types), std::end(types), word) != std::end(types);
}

void check(const ProviderCreate& request, Problems& problems) {
    const bool plain = std::all_of(request.name.begin(), request.name.end(), [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.' || c == ' ';
    });
    if (request.name.empty() || request.name.size() > name_bytes_max || !plain)
        problems.add("name", "must have 1 to 64 characters: letters, digits, space, '-', '_' and '.'",
                     "string_pattern_mismatch");
    check_type(request.provider_type, problems);
    check_access(request, problems);
}

void check(const ProviderUpdate& request, Problems& problems) { check_access(request, problems); }

void check(const ProviderCheck& request, Problems& problems) {
    if (request.provider_type.has_value()) check_type(*request.provider_type, problems);
    check_access(request, problems);
}

bool apply(const ProviderAccess& access, StoredProvider& provider) {
    bool changed = take(access.api_key, provider.api_key);
    changed = take(access.access_key, provider.access_key) || changed;
    changed = take(access.region, provider.shown.region) || changed;
    changed = take(access.base_url, provider.shown.base_url) || changed;
    return take(access.api_version, provider.shown.api_version) || changed;
}

STELE_JSON_WRITTEN(ProviderAnswer)
STELE_JSON_READ(ProviderCreate)
STELE_JSON_READ(ProviderUpdate)
STELE_JSON_READ(ProviderCheck)

}  // namespace stele
