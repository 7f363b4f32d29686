#include "runtime/call_arguments.hpp"

#include "base/json_text.hpp"

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
