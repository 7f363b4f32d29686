#include "runtime/call_arguments.hpp"

#include "base/json_text.hpp"
#include "domain/json.hpp"

#include <boost/json.hpp>

namespace stele::runtime {
namespace {

namespace json = boost::json;

// The first JSON value of `text`, if it is an object.
std::optional<json::object> first_object(std::string_view text) {
    json::stream_parser parser;
    boost::system::error_code failure;
    parser.write_some(text.data(), text.size(), failure);
    if (failure || !parser.done()) return std::nullopt;
    json::value value = parser.release();
    if (!value.is_object()) return std::nullopt;
    return std::move(value.get_object());
}

bool is_true(const json::value& value) {
    return (value.is_bool() && value.get_bool()) ||
           (value.is_string() && (value.get_string() == "true" || value.get_string() == "True"));
}

// True if `value` is of the JSON schema type `type`; anything is where the schema names none that we know.
bool is_of_type(const json::value& value, std::string_view type) {
    if (type == "string") return value.is_string();
    if (type == "boolean") return value.is_bool();
    if (type == "integer") return value.is_int64() || value.is_uint64();
    if (type == "number") return value.is_number();
    if (type == "array") return value.is_array();
    if (type == "object") return value.is_object();
    return true;
}

// What is wrong with `prefilled` for a tool with these parameters; empty if nothing is.
std::string problem_of(const json::object& prefilled, const json::object& properties) {
    for (const auto& [name, value] : prefilled) {
        const auto* property = properties.if_contains(name);
        if (property == nullptr) return "the tool takes no argument '" + std::string(name) + "'";
        if (!property->is_object()) continue;
        const auto* type = property->get_object().if_contains("type");
        if (type == nullptr || !type->is_string() || is_of_type(value, type->get_string())) continue;
        return "'" + std::string(name) + "' must be of type " + std::string(type->get_string()) + ", not " +
               json::serialize(value);
    }
    return {};
}

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n") == std::string_view::npos; }

}  // namespace

std::optional<CallArguments> read_call_arguments(std::string_view written, bool loop_parameters) {
    CallArguments arguments;
    if (is_blank(written)) {
        arguments.json = "{}";
        return arguments;
    }
    auto object = first_object(written);
    if (!object) return std::nullopt;
    if (loop_parameters) {
        if (const auto* thinking = object->if_contains("thinking"); thinking != nullptr && thinking->is_string())
            arguments.thinking = thinking->get_string();
        if (const auto* heartbeat = object->if_contains("request_heartbeat")) arguments.heartbeat = is_true(*heartbeat);
        object->erase("thinking");
        object->erase("request_heartbeat");
    }
    arguments.json = json::serialize(*object);
    return arguments;
}

FilledArguments with_prefilled(const std::string& json, const std::string& prefilled, const std::string& schema) {
    FilledArguments filled{json, {}};
    auto arguments = first_object(json);
    const auto forced = first_object(prefilled);
    if (!arguments || !forced) {
        filled.problem = "they are no JSON object";
        return filled;
    }
    const auto parameters = first_object(json_member_text(schema, "parameters").value_or("{}"));
    const auto* properties = parameters ? parameters->if_contains("properties") : nullptr;
    filled.problem = problem_of(
        *forced, properties != nullptr && properties->is_object() ? properties->get_object() : json::object());
    if (!filled.problem.empty()) return filled;
    for (const auto& [name, value] : *forced) (*arguments)[name] = value;
    filled.json = json::serialize(*arguments);
    return filled;
}

std::string with_heartbeat(const std::string& json, bool heartbeat) {
    std::string out = json.substr(0, json.size() - 1);
    if (out.size() > 1) out += ", ";
    return out + "\"request_heartbeat\": " + (heartbeat ? "true" : "false") + "}";
}

std::string with_thinking(const std::string& json, const std::string& thinking) {
    if (json.size() < 2 || json.front() != '{') return json;
    return "{\"thinking\": " + json_string(thinking) + (json == "{}" ? "" : ", ") + json.substr(1);
}

}  // namespace stele::runtime
