#include "domain/chat_parameters.hpp"

#include "domain/json_mapping.hpp"

#include <algorithm>

namespace stele {
namespace {

constexpr std::size_t stops_max = 4;

void check_range(const char* name, const Patch<double>& value, double least, double most, Problems& problems) {
    if (value.has_value() && !(*value >= least && *value <= most))
        problems.add(name,
                     "must be between " + std::to_string(static_cast<int>(least)) + " and " +
                         std::to_string(static_cast<int>(most)),
                     "less_than_equal");
}

void check_tokens(const char* name, const Patch<std::int64_t>& value, Problems& problems) {
    if (value.has_value() && *value < 1) problems.add(name, "must be at least 1", "greater_than_equal");
}

void check_format(const Patch<Json>& format, Problems& problems) {
    if (!format.has_value() || format->is_null()) return;
    const std::string type = format->text.starts_with('{') ? json_member_text(format->text, "type").value_or("") : "";
    if (type != "text" && type != "json_object" && type != "json_schema")
        problems.add("response_format", "must be an object whose type is text, json_object or json_schema",
                     "literal_error");
    else if (type == "json_schema" && !json_member_text(format->text, "json_schema").value_or("").starts_with('{'))
        problems.add("response_format.json_schema", "is required", "missing");
}

}  // namespace

void read_json(const boost::json::value& from, ChatStop& into, Problems& problems) {
    into.texts.clear();
    if (from.is_string())
        into.texts.emplace_back(from.get_string());
    else if (from.is_array())
        mapping::read(from, into.texts, problems);
    else
        return mapping::wrong_type(from, "a text or a list of texts", "string_type", problems);
    const bool empty = std::any_of(into.texts.begin(), into.texts.end(), [](const auto& text) { return text.empty(); });
    if (into.texts.size() > stops_max || empty)
        problems.add("", "must be a text, or no more than 4 of them, none of them empty", "too_long");
}

Schema json_schema(const ChatStop*) {
    Schema text;
    text.type = "string";
    Schema schema;
    schema.any_of = {text, mapping::schema_of_type<std::vector<std::string>>()};
    return schema;
}

void check(const ChatParameters& parameters, Problems& problems) {
    check_range("temperature", parameters.temperature, 0, 2, problems);
    check_range("top_p", parameters.top_p, 0, 1, problems);
    check_range("frequency_penalty", parameters.frequency_penalty, -2, 2, problems);
    check_range("presence_penalty", parameters.presence_penalty, -2, 2, problems);
    check_tokens("max_tokens", parameters.max_tokens, problems);
    check_tokens("max_completion_tokens", parameters.max_completion_tokens, problems);
    check_format(parameters.response_format, problems);
}

ModelParameters model_parameters(const ChatParameters& from) {
    ModelParameters made;
    made.max_output_tokens =
        from.max_completion_tokens.has_value() ? from.max_completion_tokens.optional() : from.max_tokens.optional();
    made.temperature = from.temperature.optional();
    made.top_p = from.top_p.optional();
    made.frequency_penalty = from.frequency_penalty.optional();
    made.presence_penalty = from.presence_penalty.optional();
    made.seed = from.seed.optional();
    if (from.stop.has_value()) made.stop = from.stop->texts;
    if (from.response_format.has_value() && !from.response_format->is_null())
        made.response_format = *from.response_format;
    return made;
}

bool is_about_parameters(const Error& error) {
    return !error.fields.empty() && std::all_of(error.fields.begin(), error.fields.end(), [](const auto& field) {
        bool named = false;
        boost::mp11::mp_for_each<mapping::members_of<ChatParameters>>([&](auto member) {
            const std::string where = std::string("body.") + member.name;
            named = named || field.where == where || field.where.starts_with(where + ".");
        });
        return named;
    });
}

}  // namespace stele
