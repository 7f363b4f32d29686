#include "llm/foreign_turn.hpp"

#include "domain/json_parse.hpp"

#include <boost/json/value.hpp>

#include <algorithm>

namespace stele::llm {
namespace {

namespace json = boost::json;

const json::value* member(const json::value& from, std::string_view name) {
    const json::object* object = from.if_object();
    return object == nullptr ? nullptr : object->if_contains(name);
}

std::string text_of(const json::value* value) {
    const json::string* text = value == nullptr ? nullptr : value->if_string();
    return text == nullptr ? std::string() : std::string(text->data(), text->size());
}

bool is_text_part(const json::value& part) {
    const std::string type = text_of(member(part, "type"));
    return type.empty() || type == "text" || type == "input_text" || type == "output_text";
}

// A text, or the texts among parts.
std::string said_in(const json::value* content) {
    if (content == nullptr) return {};
    if (content->is_string()) return text_of(content);
    if (const json::value* parts = member(*content, "parts")) return said_in(parts);
    std::string said;
    if (const json::array* parts = content->if_array())
        for (const json::value& part : *parts) {
            const std::string text = is_text_part(part) ? text_of(member(part, "text")) : std::string();
            if (!text.empty()) said += (said.empty() ? "" : "\n") + text;
        }
    return said;
}

const json::value* first(const json::value* list) {
    const json::array* array = list == nullptr ? nullptr : list->if_array();
    return array == nullptr || array->empty() ? nullptr : &array->front();
}

std::string answer_of(const json::value& answer) {
    if (const json::value* choice = first(member(answer, "choices"))) {
        const json::value* message = member(*choice, "message");
        return message == nullptr ? std::string() : said_in(member(*message, "content"));
    }
    if (const json::value* candidate = first(member(answer, "candidates")))
        return said_in(member(*candidate, "content"));
    if (const json::value* output = member(answer, "output"); output != nullptr && output->is_array()) {
        std::string said;
        for (const json::value& item : output->get_array()) {
            const std::string text = said_in(member(item, "content"));
            if (!text.empty()) said += (said.empty() ? "" : "\n") + text;
        }
        return said;
    }
    if (const json::value* content = member(answer, "content")) return said_in(content);
    return text_of(member(answer, "text"));
}

std::optional<std::int64_t> count(const json::value* usage, std::initializer_list<std::string_view> names) {
    if (usage == nullptr) return std::nullopt;
    for (const std::string_view name : names)
        if (const json::value* number = member(*usage, name); number != nullptr && number->is_int64())
            return std::max<std::int64_t>(0, number->get_int64());
    return std::nullopt;
}

Usage usage_of(const json::value& answer) {
    const json::value* told = member(answer, "usage");
    if (told == nullptr) told = member(answer, "usageMetadata");
    Usage usage;
    usage.input = count(told, {"input_tokens", "prompt_tokens", "promptTokenCount"});
    usage.output = count(told, {"output_tokens", "completion_tokens", "candidatesTokenCount"});
    // Anthropic tells what came from its cache beside the input, not as part of it.
    usage.cached_input = count(told, {"cache_read_input_tokens"});
    usage.cache_write = count(told, {"cache_creation_input_tokens"});
    if (usage.input) *usage.input += usage.cached_input.value_or(0) + usage.cache_write.value_or(0);
    return usage;
}

}  // namespace

ForeignTurn read_foreign_turn(std::string_view messages, std::string_view answer) {
    ForeignTurn turn;
    const JsonParse sent = parse_json_value(messages);
    if (const json::array* list = sent.value.if_array(); list != nullptr && sent.problem.empty())
        for (auto message = list->rbegin(); message != list->rend(); ++message) {
            const std::string role = text_of(member(*message, "role"));
            if (role == "assistant" || role == "model") break;
            if (role != "user") continue;
            const json::value* content = member(*message, "content");
            std::string said = said_in(content != nullptr ? content : member(*message, "parts"));
            if (said.find_first_not_of(" \t\r\n") != std::string::npos) turn.said.push_back(std::move(said));
        }
    std::reverse(turn.said.begin(), turn.said.end());
    const JsonParse given = parse_json_value(answer);
    if (!given.problem.empty()) return turn;
    turn.answer = answer_of(given.value);
    if (turn.answer.find_first_not_of(" \t\r\n") == std::string::npos) turn.answer.clear();
    turn.usage = usage_of(given.value);
    return turn;
}

}  // namespace stele::llm
