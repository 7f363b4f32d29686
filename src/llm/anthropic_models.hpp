#pragma once

#include "llm/model_listing.hpp"

/// Anthropic's list of models: GET {base}/models, in pages. Pure. Source: Anthropic API reference, "List Models",
/// version 2023-06-01: {"data":[{"type":"model","id":...}],"has_more":true,"last_id":...}.
namespace stele::llm {

inline constexpr char anthropic_version[] = "2023-06-01";

struct AnthropicModelPage {
    std::vector<ListedModel> models;
    std::optional<std::string> after_id;  ///< the next page's cursor; nothing: this was the last one
};

/// Nothing if `body` is no such page.
std::optional<AnthropicModelPage> read_anthropic_models(std::string_view body);

}  // namespace stele::llm
