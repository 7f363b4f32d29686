#include "llm/providers.hpp"

#include <algorithm>
#include <cctype>

namespace stele::llm {
namespace {

// Quirks by name, so that the rows below read like the provider's own documentation.
constexpr Quirks plain{};
constexpr Quirks vllm_like{.max_tokens_name = true, .no_forced_tool = true, .no_required_tool = true, .no_user = true};
constexpr Quirks old_tokens_name{.max_tokens_name = true};
constexpr Quirks deepseek_like{.max_tokens_name = true, .reasoning_back = true};
constexpr Quirks no_forced_tool{.no_forced_tool = true};
constexpr Quirks local{.max_tokens_name = true, .no_forced_tool = true};
constexpr Quirks strict_fields{
    .max_tokens_name = true, .no_forced_tool = true, .no_user = true, .no_parallel_switch = true};

}  // namespace

const std::vector<ProviderKind>& provider_kinds() {
    static const std::vector<ProviderKind> kinds = {
        {"openai", "OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_API_BASE", "https://api.openai.com/v1", Listing::models,
         plain, "", "Bearer", false, true},
        {"ollama", "", "OLLAMA_BASE_URL", "", "", Listing::ollama, local, "", "Bearer", true},
        {"groq", "GROQ_API_KEY", "", "", "https://api.groq.com/openai/v1", Listing::models, no_forced_tool, "",
         "Bearer", false, true},
        {"together", "TOGETHER_API_KEY", "", "", "https://api.together.xyz/v1", Listing::models, strict_fields},
        {"vllm", "", "VLLM_API_BASE", "", "", Listing::models, vllm_like, "VLLM_HANDLE_BASE", "Bearer", true},
        {"sglang", "", "SGLANG_API_BASE", "", "", Listing::models, vllm_like, "SGLANG_HANDLE_BASE", "Bearer", true},
        {"deepseek", "DEEPSEEK_API_KEY", "", "", "https://api.deepseek.com/v1", Listing::models, deepseek_like},
        {"xai", "XAI_API_KEY", "", "", "https://api.x.ai/v1", Listing::models, plain},
        {"lmstudio", "", "LMSTUDIO_BASE_URL", "", "", Listing::lm_studio, vllm_like, "", "Bearer", true},
        {"zai", "ZAI_API_KEY", "ZAI_BASE_URL", "", "https://api.z.ai/api/paas/v4", Listing::models, strict_fields},
        {"openrouter", "OPENROUTER_API_KEY", "", "", "https://openrouter.ai/api/v1", Listing::models, old_tokens_name,
         "OPENROUTER_HANDLE_BASE"},
        {"fireworks", "FIREWORKS_API_KEY", "FIREWORKS_API_BASE", "", "https://api.fireworks.ai/inference/v1",
         Listing::models, strict_fields},
        {"mistral", "MISTRAL_API_KEY", "", "", "https://api.mistral.ai/v1", Listing::models, strict_fields},
        {"cerebras", "CEREBRAS_API_KEY", "", "", "https://api.cerebras.ai/v1", Listing::models, plain},
        // Stored by organisations alone: the operator's key is the proxy's (app/options).
        {"anthropic", "", "", "", "https://api.anthropic.com/v1", Listing::anthropic, plain, "", "", true},
        {"baseten", "BASETEN_API_KEY", "", "", "https://inference.baseten.co/v1", Listing::models, plain, "",
         "Api-Key"},
    };
    return kinds;
}

bool talks(const ProviderKind& kind) { return kind.listing != Listing::anthropic; }

const ProviderKind* find_provider_kind(std::string_view name) {
    const auto& kinds = provider_kinds();
    const auto found =
        std::find_if(kinds.begin(), kinds.end(), [&](const ProviderKind& kind) { return kind.name == name; });
    return found == kinds.end() ? nullptr : &*found;
}

std::vector<EndpointConfig> endpoints_from_environment(const std::function<std::string(std::string_view)>& variable) {
    std::vector<EndpointConfig> endpoints;
    const auto value = [&](std::string_view name) {
        std::string text = name.empty() ? std::string() : variable(name);
        while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) text.pop_back();
        return text;  // a key read from a file often brings its line feed along
    };
    for (const ProviderKind& kind : provider_kinds()) {
        EndpointConfig endpoint;
        endpoint.key = Secret(value(kind.key_variable));
        endpoint.base_url = value(kind.url_variable);
        if (endpoint.base_url.empty()) endpoint.base_url = value(kind.older_url_variable);
        if (endpoint.key.empty() && endpoint.base_url.empty()) continue;
        if (endpoint.base_url.empty()) endpoint.base_url = kind.default_url;
        if (endpoint.base_url.empty()) continue;
        endpoint.kind = kind.name;
        endpoint.name = value(kind.handle_base_variable);
        if (endpoint.name.empty()) endpoint.name = kind.name;
        endpoints.push_back(std::move(endpoint));
    }
    return endpoints;
}

}  // namespace stele::llm
