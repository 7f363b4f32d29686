#include "llm/model_listing.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace stele::llm {
namespace {

namespace json = boost::json;

std::optional<std::int64_t> positive_at(const json::object& from, std::string_view name) {
    const auto* value = from.if_contains(name);
    if (value == nullptr || !value->is_number()) return std::nullopt;
    boost::system::error_code failure;
    const auto number = value->to_number<std::int64_t>(failure);
    return failure || number <= 0 ? std::nullopt : std::optional(number);
}

std::string text_at(const json::object& from, std::string_view name) {
    const auto* value = from.if_contains(name);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

// What is loaded counts more than what the model could do: a longer prompt would be cut silently.
std::optional<std::int64_t> window_of(const json::object& model) {
    for (const char* name :
         {"loaded_context_length", "max_model_len", "context_window", "context_length", "max_context_length", "n_ctx"})
        if (const auto window = positive_at(model, name)) return window;
    if (const auto* meta = model.if_contains("meta"); meta != nullptr && meta->is_object())
        for (const char* name : {"n_ctx", "n_ctx_train"})
            if (const auto window = positive_at(meta->get_object(), name)) return window;
    return std::nullopt;
}

bool is_embedding(const json::object& model, const std::string& id) {
    const std::string type = text_at(model, "type");
    return type == "embedding" || type == "embeddings" || id.find("embed") != std::string::npos;
}

// "qwen3.context_length" in Ollama's model_info, whatever the architecture's name.
std::optional<std::int64_t> by_suffix(const json::object& info, std::string_view suffix) {
    for (const auto& [name, value] : info)
        if (std::string_view(name).ends_with(suffix)) return positive_at(info, name);
    return std::nullopt;
}

struct KnownModel {
    std::string_view beginning;
    std::int64_t number;
};

// The longest matching beginning counts.
constexpr KnownModel windows[] = {
    {"gpt-3.5-turbo", 16'385},   {"gpt-4", 8'192},     {"gpt-4-turbo", 128'000}, {"gpt-4-1106", 128'000},
    {"gpt-4-0125", 128'000},     {"gpt-4o", 128'000},  {"gpt-4.1", 1'047'576},   {"gpt-4.5", 128'000},
    {"gpt-5", 400'000},          {"o1", 200'000},      {"o3", 200'000},          {"o4", 200'000},
    {"deepseek", 128'000},       {"grok-3", 131'072},  {"grok-4", 256'000},      {"grok-4-fast", 2'000'000},
    {"grok-code-fast", 256'000}, {"glm-4.5", 128'000}, {"glm", 180'000},         {"claude", 200'000},
};
constexpr KnownModel dimensions[] = {
    {"text-embedding-3-small", 1'536},
    {"text-embedding-3-large", 3'072},
    {"text-embedding-ada-002", 1'536},
    {"nomic-embed-text", 768},
    {"mxbai-embed-large", 1'024},
    {"all-minilm", 384},
    {"bge-m3", 1'024},
};

template <std::size_t Size>
std::optional<std::int64_t> longest_match(const KnownModel (&table)[Size], std::string_view id) {
    const KnownModel* best = nullptr;
    for (const KnownModel& row : table)
        if (id.starts_with(row.beginning) && (best == nullptr || row.beginning.size() > best->beginning.size()))
            best = &row;
    return best == nullptr ? std::nullopt : std::optional(best->number);
}

}  // namespace

std::optional<std::vector<ListedModel>> read_model_list(std::string_view body) {
    boost::system::error_code failure;
    const json::value parsed = json::parse(json::string_view(body.data(), body.size()), failure);
    if (failure) return std::nullopt;
    const json::array* list = parsed.if_array();
    if (list == nullptr && parsed.is_object())
        if (const auto* data = parsed.get_object().if_contains("data")) list = data->if_array();
    if (list == nullptr) return std::nullopt;
    std::vector<ListedModel> models;
    for (const json::value& each : *list) {
        if (!each.is_object()) continue;
        ListedModel model;
        model.id = text_at(each.get_object(), "id");
        if (model.id.empty()) continue;
        model.embedding = is_embedding(each.get_object(), model.id);
        model.context_window = window_of(each.get_object());
        models.push_back(std::move(model));
    }
    return models;
}

std::optional<std::vector<std::string>> read_ollama_tags(std::string_view body) {
    boost::system::error_code failure;
    const json::value parsed = json::parse(json::string_view(body.data(), body.size()), failure);
    if (failure || !parsed.is_object()) return std::nullopt;
    const auto* models = parsed.get_object().if_contains("models");
    if (models == nullptr || !models->is_array()) return std::nullopt;
    std::vector<std::string> names;
    for (const json::value& model : models->get_array())
        if (model.is_object()) names.push_back(text_at(model.get_object(), "name"));
    std::erase(names, std::string());
    return names;
}

std::optional<ListedModel> read_ollama_model(const std::string& id, std::string_view body) {
    boost::system::error_code failure;
    const json::value parsed = json::parse(json::string_view(body.data(), body.size()), failure);
    if (failure || !parsed.is_object()) return std::nullopt;
    bool tools = false, embeds = false;
    if (const auto* capabilities = parsed.get_object().if_contains("capabilities");
        capabilities != nullptr && capabilities->is_array()) {
        for (const json::value& capability : capabilities->get_array()) {
            tools = tools || capability == "tools";
            embeds = embeds || capability == "embedding";
        }
    }
    if (!tools && !embeds) return std::nullopt;
    ListedModel model;
    model.id = id;
    model.embedding = embeds && !tools;
    if (const auto* info = parsed.get_object().if_contains("model_info"); info != nullptr && info->is_object()) {
        model.context_window = by_suffix(info->get_object(), ".context_length");
        if (model.embedding) model.embedding_dim = by_suffix(info->get_object(), ".embedding_length");
    }
    return model;
}

bool is_official_chat_model(std::string_view id) {
    constexpr std::string_view families[] = {"gpt-4", "gpt-5", "o1", "o3", "o4"};
    constexpr std::string_view other_uses[] = {"transcribe", "search",  "realtime",   "tts",    "audio",
                                               "computer",   "o1-mini", "o1-preview", "o1-pro", "image"};
    return std::any_of(std::begin(families), std::end(families),
                       [&](std::string_view family) { return id.starts_with(family); }) &&
           std::none_of(std::begin(other_uses), std::end(other_uses),
                        [&](std::string_view use) { return id.find(use) != std::string_view::npos; });
}

std::optional<std::int64_t> known_context_window(std::string_view id) { return longest_match(windows, id); }
std::optional<std::int64_t> known_embedding_dim(std::string_view id) { return longest_match(dimensions, id); }

}  // namespace stele::llm
