#include "llm/anthropic_proxy.hpp"

#include "domain/json_parse.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

namespace stele::llm {
namespace {

namespace json = boost::json;

constexpr std::size_t bytes_max = 16u << 20;

json::value text_block(std::string_view text) { return json::object{{"type", "text"}, {"text", text}}; }

std::string text_at(const json::object& object, std::string_view name) {
    const json::value* value = object.if_contains(name);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

const json::object* object_at(const json::object& object, std::string_view name) {
    const json::value* value = object.if_contains(name);
    return value == nullptr ? nullptr : value->if_object();
}

// Counts come in parts: what a later event tells replaces what an earlier one told.
void take_usage(const json::object* usage, Usage& into) {
    if (usage == nullptr) return;
    const auto take = [&](std::string_view name, std::optional<std::int64_t>& value) {
        const json::value* number = usage->if_contains(name);
        if (number != nullptr && number->is_int64()) value = std::max<std::int64_t>(0, number->get_int64());
    };
    take("input_tokens", into.input);
    take("output_tokens", into.output);
    take("cache_read_input_tokens", into.cached_input);
    take("cache_creation_input_tokens", into.cache_write);
}

}  // namespace

std::string with_memory(std::string_view request, std::string_view memory) {
    JsonParse parsed = parse_json_value(request);
    json::object* object = parsed.value.if_object();
    if (!parsed.problem.empty() || object == nullptr) return std::string(request);
    json::array blocks;
    if (const json::value* system = object->if_contains("system")) {
        if (system->is_string() && !system->get_string().empty()) blocks.push_back(text_block(system->get_string()));
        if (system->is_array()) blocks = system->get_array();
    }
    blocks.push_back(text_block(memory));
    (*object)["system"] = std::move(blocks);
    return json::serialize(parsed.value);
}

void AnthropicAnswerReader::feed(std::string_view bytes) {
    if (failed_) return;
    if (!streamed_) {
        failed_ = body_.size() + bytes.size() > bytes_max;
        if (!failed_) body_ += bytes;
        return;
    }
    std::vector<net::SseEvent> events;
    if (!events_.feed(bytes, events)) failed_ = true;
    for (const net::SseEvent& event : events) take(event.data);
}

void AnthropicAnswerReader::take(std::string_view event) {
    const JsonParse parsed = parse_json_value(event);
    const json::object* object = parsed.value.if_object();
    if (!parsed.problem.empty() || object == nullptr) return;
    const std::string type = text_at(*object, "type");
    if (type == "message_start") {
        if (const json::object* message = object_at(*object, "message"))
            take_usage(object_at(*message, "usage"), usage_);
    } else if (type == "content_block_start") {
        const json::object* block = object_at(*object, "content_block");
        if (block != nullptr && text_at(*block, "type") == "text" && !text_.empty()) text_ += '\n';
    } else if (type == "content_block_delta") {
        const json::object* delta = object_at(*object, "delta");
        if (delta != nullptr && text_at(*delta, "type") == "text_delta") text_ += text_at(*delta, "text");
        failed_ = failed_ || text_.size() > bytes_max;
    } else if (type == "message_delta") {
        take_usage(object_at(*object, "usage"), usage_);
    } else if (type == "message_stop") {
        whole_ = true;
    } else if (type == "error") {
        failed_ = true;
    }
}

std::optional<ForeignTurn> AnthropicAnswerReader::finish(std::string_view messages) const {
    if (failed_) return std::nullopt;
    if (!streamed_) {
        const JsonParse parsed = parse_json_value(body_);
        if (!parsed.problem.empty() || !parsed.value.is_object()) return std::nullopt;
        return read_foreign_turn(messages, body_);
    }
    if (!whole_) return std::nullopt;
    ForeignTurn turn = read_foreign_turn(messages, "{}");
    turn.answer = text_.find_first_not_of(" \t\r\n") == std::string::npos ? std::string() : text_;
    turn.usage = usage_;
    if (turn.usage.input) *turn.usage.input += turn.usage.cached_input.value_or(0) + turn.usage.cache_write.value_or(0);
    return turn;
}

}  // namespace stele::llm
