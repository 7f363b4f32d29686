#pragma once

#include "base/secret.hpp"
#include "llm/quirks.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stele::llm {

/// How a provider's models are listed.
enum class Listing : std::uint8_t {
    models,     ///< GET {base}/models: OpenAI's form, with the window under any of the names in use
    ollama,     ///< GET /api/tags and POST /api/show
    lm_studio,  ///< GET /api/v0/models, else as `models`
    anthropic,  ///< GET {base}/models with Anthropic's headers, in pages
};

/// A kind of provider that speaks the chat-completions protocol, or Anthropic's own (see talks). Most "new providers"
/// are one row of the table.
struct ProviderKind {
    std::string_view name;          ///< also the prefix of its handles
    std::string_view key_variable;  ///< environment variable of the key; empty: needs none
    std::string_view url_variable;  ///< environment variable of the base URL; empty: has none
    std::string_view older_url_variable;
    std::string_view default_url;  ///< empty: enabled by its URL, else by its key
    Listing listing = Listing::models;
    Quirks quirks;
    std::string_view handle_base_variable = {};  ///< environment variable that replaces the handles' prefix
    std::string_view key_scheme = "Bearer";
    bool below_v1 = false;  ///< its API is always below /v1, which users leave out
    bool batches = false;   ///< it has batches like OpenAI's; a server elsewhere that imitates it need not
};

/// True for a kind that agents can be run on. Models of the others are listed and reached through the proxy of their
/// protocol alone.
bool talks(const ProviderKind& kind);

/// All of them, in the order of listings.
const std::vector<ProviderKind>& provider_kinds();
const ProviderKind* find_provider_kind(std::string_view name);

/// A server to be asked for models, from the environment or the configuration file.
struct EndpointConfig {
    std::string name;             ///< prefix of its handles
    std::string id;               ///< of the stored provider; empty: configured by the operator
    std::string organization_id;  ///< whose it is; empty: there for everybody
    std::string kind = "openai";  ///< a name of the table
    std::string base_url;         ///< any spelling
    Secret key;
    std::optional<std::int64_t> context_window;  ///< for models whose window the server does not tell
    std::optional<bool> batches;                 ///< whether the server has batches like OpenAI's; nothing: by its kind
};

/// The endpoints that the environment switches on. `variable`: looks one up; empty when unset.
std::vector<EndpointConfig> endpoints_from_environment(const std::function<std::string(std::string_view)>& variable);

}  // namespace stele::llm
