#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Reading what providers say of their models. Pure.
namespace stele::llm {

/// A model as its server lists it.
struct ListedModel {
    std::string id;
    bool embedding = false;
    std::optional<std::int64_t> context_window;
    std::optional<std::int64_t> embedding_dim;
};

/// The models of GET {base}/models: {"data":[...]} or a bare array, the context window under any of the names in use.
/// Nothing if `body` is no such list.
std::optional<std::vector<ListedModel>> read_model_list(std::string_view body);

/// The names in Ollama's GET /api/tags.
std::optional<std::vector<std::string>> read_ollama_tags(std::string_view body);

/// What Ollama's POST /api/show says of `id`; nothing for a model that neither calls tools nor embeds.
std::optional<ListedModel> read_ollama_model(const std::string& id, std::string_view body);

/// True for the models of api.openai.com that agents can use, out of everything that is listed there.
bool is_official_chat_model(std::string_view id);

/// The context window of a well-known model, by its id's beginning.
std::optional<std::int64_t> known_context_window(std::string_view id);

/// The dimension of a well-known embedding model.
std::optional<std::int64_t> known_embedding_dim(std::string_view id);

}  // namespace stele::llm
