#include "llm/anthropic_models.hpp"

#include <boost/json.hpp>

namespace stele::llm {
namespace {

namespace json = boost::json;

std::optional<std::int64_t> window_of(const json::object& model) {
    const auto* tokens = model.if_contains("max_input_tokens");
    if (tokens == nullptr || !tokens->is_number()) return std::nullopt;
    boost::system::error_code failure;
    const auto number = tokens->to_number<std::int64_t>(failure);
    return failure || number <= 0 ? std::nullopt : std::optional(number);
}

std::string text_at(const json::object& from, std::string_view name) {
    const auto* value = from.if_contains(name);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

// What stands in a query as it is. Ids of models hold nothing else.
bool is_plain(const std::string& id) {
    constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:@";
    return !id.empty() && id.find_first_not_of(letters) == std::string::npos;
}

}  // namespace

std::optional<AnthropicModelPage> read_anthropic_models(std::string_view body) {
    boost::system::error_code failure;
    const json::value parsed = json::parse(body, failure);
    if (failure || !parsed.is_object()) return std::nullopt;
    const json::object& page = parsed.get_object();
    const auto* data = page.if_contains("data");
    if (data == nullptr || !data->is_array()) return std::nullopt;
    AnthropicModelPage read;
    for (const json::value& each : data->get_array()) {
        if (!each.is_object()) continue;
        ListedModel model;
        model.id = text_at(each.get_object(), "id");
        model.context_window = window_of(each.get_object());
        if (!model.id.empty()) read.models.push_back(std::move(model));
    }
    const auto* more = page.if_contains("has_more");
    if (more != nullptr && more->is_bool() && more->get_bool()) read.after_id = text_at(page, "last_id");
    if (read.after_id && !is_plain(*read.after_id)) read.after_id.reset();
    return read;
}

}  // namespace stele::llm
