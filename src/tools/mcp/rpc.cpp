#include "tools/mcp/rpc.hpp"

#include "domain/json_parse.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>

namespace stele::tools::mcp {
namespace {

namespace json = boost::json;

std::optional<RpcMessage> message_of(json::value& value) {
    if (!value.is_object()) return std::nullopt;
    json::object& object = value.get_object();
    RpcMessage message;
    const json::value* id = object.if_contains("id");
    if (id != nullptr) message.id = *id;
    if (json::value* method = object.if_contains("method"); method != nullptr && method->is_string()) {
        message.kind = id != nullptr && !id->is_null() ? RpcMessage::Kind::request : RpcMessage::Kind::notification;
        message.method = std::string(method->get_string());
        if (json::value* params = object.if_contains("params")) message.content = std::move(*params);
        return message;
    }
    if (json::value* error = object.if_contains("error"); error != nullptr && error->is_object()) {
        message.kind = RpcMessage::Kind::error;
        if (const json::value& code = member(*error, "code"); code.is_int64()) message.error.code = code.get_int64();
        message.error.message = text_member(*error, "message");
        message.error.data = member(*error, "data");
        return message;
    }
    if (json::value* result = object.if_contains("result"); result != nullptr && id != nullptr) {
        message.kind = RpcMessage::Kind::result;
        message.content = std::move(*result);
        return message;
    }
    return std::nullopt;
}

}  // namespace

std::optional<std::vector<RpcMessage>> parse_messages(std::string_view text) {
    JsonParse parsed = parse_json_value(text);
    if (!parsed.problem.empty()) return std::nullopt;
    std::vector<RpcMessage> messages;
    const auto take = [&](json::value& value) {
        if (auto message = message_of(value)) messages.push_back(std::move(*message));
    };
    if (parsed.value.is_array())
        for (json::value& each : parsed.value.get_array()) take(each);
    else
        take(parsed.value);
    return messages;
}

std::string request_text(std::int64_t id, std::string_view method, const json::object& params) {
    return json::serialize(json::object{{"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", params}});
}

std::string notification_text(std::string_view method, const json::object& params) {
    json::object message{{"jsonrpc", "2.0"}, {"method", method}};
    if (!params.empty()) message["params"] = params;
    return json::serialize(message);
}

std::string reply_text(const json::value& id, const json::object& result) {
    return json::serialize(json::object{{"jsonrpc", "2.0"}, {"id", id}, {"result", result}});
}

std::string refusal_text(const json::value& id, std::int64_t code, std::string_view message) {
    const json::object error{{"code", code}, {"message", message}};
    return json::serialize(json::object{{"jsonrpc", "2.0"}, {"id", id}, {"error", error}});
}

json::value parsed(std::string_view text) { return parse_json_value(text).value; }

std::size_t depth_of(const json::value& value) {
    std::size_t deepest = 0;
    if (value.is_array())
        for (const json::value& each : value.get_array()) deepest = std::max(deepest, depth_of(each));
    else if (value.is_object())
        for (const auto& [key, each] : value.get_object()) deepest = std::max(deepest, depth_of(each));
    else
        return 0;
    return deepest + 1;
}

const json::value& member(const json::value& value, std::string_view name) {
    static const json::value none;
    const json::value* found = value.is_object() ? value.get_object().if_contains(name) : nullptr;
    return found == nullptr ? none : *found;
}

std::string text_member(const json::value& value, std::string_view name) {
    const json::value& found = member(value, name);
    return found.is_string() ? std::string(found.get_string()) : std::string();
}

}  // namespace stele::tools::mcp
