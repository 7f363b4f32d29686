#include "llm/chat_answer.hpp"

#include "base/ids.hpp"
#include "base/json_text.hpp"
#include "base/utf8.hpp"

#include <boost/json.hpp>
#include <boost/system/errc.hpp>

#include <algorithm>

namespace stele::llm {
namespace {

namespace json = boost::json;

constexpr char wordless_error[] =
    R"({"error":{"message":"The server ended its stream with an error that says nothing"}})";
constexpr std::size_t stream_bytes_max = 64u << 20;
constexpr std::size_t calls_max = 1'000;

const auto too_long = boost::system::errc::make_error_code(boost::system::errc::message_size);
const auto bad_message = boost::system::errc::make_error_code(boost::system::errc::bad_message);

const json::object* object_at(const json::object& from, std::string_view name) {
    const auto* value = from.if_contains(name);
    return value != nullptr && value->is_object() ? &value->get_object() : nullptr;
}

const json::array* array_at(const json::object& from, std::string_view name) {
    const auto* value = from.if_contains(name);
    return value != nullptr && value->is_array() ? &value->get_array() : nullptr;
}

std::string text_at(const json::object& from, std::string_view name) {
    const auto* value = from.if_contains(name);
    return value != nullptr && value->is_string() ? to_valid_utf8(std::string_view(value->get_string()))
                                                  : std::string();
}

std::optional<std::int64_t> number_at(const json::object& from, std::string_view name) {
    const auto* value = from.if_contains(name);
    if (value == nullptr || !value->is_number()) return std::nullopt;
    boost::system::error_code failure;
    const auto number = value->to_number<std::int64_t>(failure);
    if (failure || number < 0) return std::nullopt;
    return number;
}

// The first of `names` that is a count.
std::optional<std::int64_t> count_at(const json::object& from, std::initializer_list<std::string_view> names) {
    for (const std::string_view name : names)
        if (const auto count = number_at(from, name)) return count;
    return std::nullopt;
}

// A text, or the texts of a list of parts.
std::string content_at(const json::object& from) {
    if (const json::array* parts = array_at(from, "content")) {
        std::string text;
        for (const json::value& part : *parts)
            if (part.is_object()) text += text_at(part.get_object(), "text");
        return text;
    }
    return text_at(from, "content");
}

std::string reasoning_at(const json::object& from) {
    std::string text = text_at(from, "reasoning_content");
    if (text.empty()) text = text_at(from, "reasoning");
    const json::array* details = text.empty() ? array_at(from, "reasoning_details") : nullptr;
    return details == nullptr ? text : ReasoningDetails::words(*details);
}

std::string arguments_at(const json::object& function) {
    const auto* value = function.if_contains("arguments");
    if (value == nullptr || value->is_null()) return {};
    return value->is_string() ? to_valid_utf8(std::string_view(value->get_string())) : json::serialize(*value);
}

Finish finish_of(std::string_view word) {
    if (word == "length" || word == "max_tokens") return Finish::length;
    if (word == "content_filter") return Finish::content_filter;
    if (word == "tool_calls" || word == "function_call") return Finish::tool_calls;
    return Finish::stop;
}

// Servers may repeat the counts with every chunk: the last ones hold.
void take_usage(const json::object& chunk, ModelAnswer& answer) {
    const json::object* usage = object_at(chunk, "usage");
    if (usage == nullptr)
        if (const json::object* groq = object_at(chunk, "x_groq")) usage = object_at(*groq, "usage");
    if (usage == nullptr) return;
    Usage counts;
    counts.input = count_at(*usage, {"prompt_tokens", "input_tokens"});
    counts.output = count_at(*usage, {"completion_tokens", "output_tokens"});
    counts.cached_input = count_at(*usage, {"prompt_cache_hit_tokens", "cached_tokens"});  // DeepSeek, Moonshot
    counts.total = number_at(*usage, "total_tokens");
    counts.cache_write = number_at(*usage, "cache_write_tokens");
    if (const json::object* details = object_at(*usage, "prompt_tokens_details"))
        if (const auto cached = number_at(*details, "cached_tokens")) counts.cached_input = cached;
    if (const json::object* details = object_at(*usage, "completion_tokens_details"))
        counts.reasoning = number_at(*details, "reasoning_tokens");
    if (!counts.total && counts.input && counts.output) counts.total = *counts.input + *counts.output;
    answer.usage = counts;
}

void name_calls(std::vector<ToolCall>& calls) {
    for (std::size_t i = 0; i < calls.size(); ++i) {
        const bool repeated = std::any_of(calls.begin(), calls.begin() + static_cast<std::ptrdiff_t>(i),
                                          [&](const ToolCall& other) { return other.id == calls[i].id; });
        if (calls[i].id.empty() || repeated) calls[i].id = "call_" + random_hex(12);
    }
}

const char* word_of(Finish finish) {
    switch (finish) {
        case Finish::length:
            return "length";
        case Finish::content_filter:
            return "content_filter";
        case Finish::tool_calls:
            return "tool_calls";
        case Finish::stop:
            return "stop";
    }
    return "stop";
}

}  // namespace

boost::system::result<ModelAnswer> read_chat_answer(std::string_view body) {
    boost::system::error_code failure;
    const json::value parsed = json::parse(json::string_view(body.data(), body.size()), failure);
    if (failure || !parsed.is_object()) return bad_message;
    const json::object& object = parsed.get_object();
    const json::array* choices = array_at(object, "choices");
    if (choices == nullptr || choices->empty() || !choices->front().is_object()) return bad_message;
    const json::object& choice = choices->front().get_object();
    const json::object* message = object_at(choice, "message");
    if (message == nullptr) return bad_message;

    ModelAnswer answer;
    answer.id = text_at(object, "id");
    answer.model = text_at(object, "model");
    answer.text = content_at(*message);
    if (answer.text.empty()) answer.text = text_at(*message, "refusal");
    answer.reasoning = reasoning_at(*message);
    if (const json::array* details = array_at(*message, "reasoning_details")) {
        ReasoningDetails whole;
        whole.add(*details);
        answer.reasoning_signature = whole.json();
    }
    if (const json::array* calls = array_at(*message, "tool_calls")) {
        for (const json::value& each : *calls) {
            const json::object* function = each.is_object() ? object_at(each.get_object(), "function") : nullptr;
            if (function == nullptr) continue;
            ToolCall call;
            call.id = text_at(each.get_object(), "id");
            call.name = text_at(*function, "name");
            call.arguments = arguments_at(*function);
            if (!call.name.empty()) answer.tool_calls.push_back(std::move(call));
        }
    } else if (const json::object* function = object_at(*message, "function_call")) {  // the protocol of 2023
        ToolCall call;
        call.name = text_at(*function, "name");
        call.arguments = arguments_at(*function);
        if (!call.name.empty()) answer.tool_calls.push_back(std::move(call));
    }
    name_calls(answer.tool_calls);
    answer.finish = finish_of(text_at(choice, "finish_reason"));
    if (!answer.tool_calls.empty() && answer.finish == Finish::stop) answer.finish = Finish::tool_calls;
    take_usage(object, answer);
    answer.response_json = to_valid_utf8(body);
    return answer;
}

std::string chat_answer_json(const ModelAnswer& answer) {
    std::string out = "{\"id\":" + json_string(answer.id) +
                      ",\"object\":\"chat.completion\",\"model\":" + json_string(answer.model) +
                      ",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":" +
                      (answer.text.empty() ? "null" : json_string(answer.text));
    if (!answer.reasoning.empty()) out += ",\"reasoning_content\":" + json_string(answer.reasoning);
    if (!answer.reasoning_signature.empty()) out += ",\"reasoning_details\":" + answer.reasoning_signature;
    if (!answer.tool_calls.empty()) {
        out += ",\"tool_calls\":[";
        for (const ToolCall& call : answer.tool_calls) {
            if (out.back() != '[') out += ',';
            out += "{\"id\":" + json_string(call.id) +
                   ",\"type\":\"function\",\"function\":{\"name\":" + json_string(call.name) +
                   ",\"arguments\":" + json_string(call.arguments) + "}}";
        }
        out += ']';
    }
    out += std::string("},\"finish_reason\":\"") + word_of(answer.finish) + "\"}],\"usage\":";
    if (!answer.usage) return out + "null}";
    const auto number = [](const std::optional<std::int64_t>& count) {
        return count ? std::to_string(*count) : "null";
    };
    return out + "{\"prompt_tokens\":" + number(answer.usage->input) +
           ",\"completion_tokens\":" + number(answer.usage->output) +
           ",\"total_tokens\":" + number(answer.usage->total) +
           ",\"prompt_tokens_details\":{\"cached_tokens\":" + number(answer.usage->cached_input) +
           "},\"completion_tokens_details\":{\"reasoning_tokens\":" + number(answer.usage->reasoning) + "}}}";
}

boost::system::result<void> ChatStreamDecoder::feed(std::string_view bytes, std::vector<Delta>& out) {
    bytes_ += bytes.size();
    if (bytes_ > stream_bytes_max) return too_long;
    std::vector<net::SseEvent> events;
    const auto read = reader_.feed(bytes, events);
    for (const net::SseEvent& event : events) {
        if (done_ || !error_body_.empty()) break;
        if (event.data == "[DONE]") {
            done_ = true;
            break;
        }
        if (event.event == "error") {
            error_body_ = event.data.empty() ? wordless_error : to_valid_utf8(event.data);
            break;
        }
        if (event.data.empty()) continue;
        boost::system::error_code failure;
        const json::value chunk = json::parse(event.data, failure);
        if (failure || !chunk.is_object()) return bad_message;
        take_chunk(chunk.get_object(), out);
        if (calls_.size() > calls_max) return too_long;
    }
    return read;
}

void ChatStreamDecoder::take_chunk(const json::object& chunk, std::vector<Delta>& out) {
    const auto* error = chunk.if_contains("error");
    const auto* kind = chunk.if_contains("object");
    if ((error != nullptr && !error->is_null()) || (kind != nullptr && *kind == "error")) {
        error_body_ = json::serialize(chunk);
        return;
    }
    if (answer_.id.empty()) answer_.id = text_at(chunk, "id");
    if (answer_.model.empty()) answer_.model = text_at(chunk, "model");
    take_usage(chunk, answer_);
    const json::array* choices = array_at(chunk, "choices");
    if (choices == nullptr || choices->empty() || !choices->front().is_object()) return;
    const json::object& choice = choices->front().get_object();
    const json::object* delta = object_at(choice, "delta");
    if (delta == nullptr) delta = object_at(choice, "message");
    if (delta != nullptr) take_delta(*delta, out);
    const std::string reason = text_at(choice, "finish_reason");
    if (reason.empty()) return;
    finished_ = true;
    answer_.finish = finish_of(reason);
}

void ChatStreamDecoder::take_delta(const json::object& delta, std::vector<Delta>& out) {
    const auto add = [&](Delta::Kind kind, std::string text, std::string& whole) {
        if (text.empty()) return;
        whole += text;
        Delta piece;
        piece.kind = kind;
        piece.text = std::move(text);
        out.push_back(std::move(piece));
    };
    add(Delta::Kind::reasoning, reasoning_at(delta), answer_.reasoning);
    if (const json::array* details = array_at(delta, "reasoning_details")) reasoning_details_.add(*details);
    add(Delta::Kind::text, content_at(delta), answer_.text);
    add(Delta::Kind::text, text_at(delta, "refusal"), answer_.text);
    if (const json::array* calls = array_at(delta, "tool_calls")) {
        for (const json::value& call : *calls)
            if (call.is_object()) take_call(call.get_object(), out);
    } else if (const json::object* function = object_at(delta, "function_call")) {  // the protocol of 2023
        json::object call;
        call["index"] = 0;
        call["function"] = *function;
        take_call(call, out);
    }
}

// By index. Servers that leave it out, or give every call the same, begin a new call with a new id and a name, or
// without ids with a name behind arguments.
ChatStreamDecoder::OpenCall& ChatStreamDecoder::call_for(const json::object& call) {
    const auto index = number_at(call, "index");
    const std::string id = text_at(call, "id");
    const json::object* function = object_at(call, "function");
    const bool named = function != nullptr && !text_at(*function, "name").empty();
    const auto begins_anew = [&](const OpenCall& open) {
        if (!id.empty() && !open.sent_id.empty() && id != open.sent_id) return named || !index;
        return !index && named && id.empty() && !open.call.arguments.empty();
    };
    const auto open =
        index ? std::find_if(calls_.rbegin(), calls_.rend(), [&](const OpenCall& each) { return each.index == *index; })
              : calls_.rbegin();
    if (open != calls_.rend() && !begins_anew(*open)) return *open;
    OpenCall opened;
    opened.index = index.value_or(static_cast<std::int64_t>(calls_.size()));
    calls_.push_back(std::move(opened));
    return calls_.back();
}

std::string ChatStreamDecoder::id_for(const OpenCall& call, std::string sent) const {
    const bool taken = std::any_of(calls_.begin(), calls_.end(), [&](const OpenCall& other) {
        return &other != &call && other.announced && other.call.id == sent;
    });
    return sent.empty() || taken ? "call_" + random_hex(12) : sent;
}

void ChatStreamDecoder::take_call(const json::object& piece, std::vector<Delta>& out) {
    OpenCall& open = call_for(piece);
    const auto position = static_cast<std::size_t>(&open - calls_.data());
    if (open.sent_id.empty()) open.sent_id = text_at(piece, "id");
    const json::object* function = object_at(piece, "function");
    if (function != nullptr && open.call.name.empty()) open.call.name = text_at(*function, "name");
    if (function != nullptr) open.waiting += arguments_at(*function);
    if (open.call.name.empty()) return;
    if (!open.announced) {
        open.announced = true;
        open.call.id = id_for(open, open.sent_id);
        Delta begin;
        begin.kind = Delta::Kind::tool_call;
        begin.index = position;
        begin.tool_call_id = open.call.id;
        begin.tool_name = open.call.name;
        out.push_back(std::move(begin));
    }
    if (open.waiting.empty()) return;
    open.call.arguments += open.waiting;
    Delta more;
    more.kind = Delta::Kind::tool_arguments;
    more.index = position;
    more.tool_call_id = open.call.id;
    more.text = std::exchange(open.waiting, {});
    out.push_back(std::move(more));
}

ModelAnswer ChatStreamDecoder::finish() {
    for (OpenCall& open : calls_)
        if (open.announced) answer_.tool_calls.push_back(std::move(open.call));
    calls_.clear();
    answer_.reasoning_signature = reasoning_details_.json();
    if (!answer_.tool_calls.empty() && answer_.finish == Finish::stop) answer_.finish = Finish::tool_calls;
    answer_.response_json = chat_answer_json(answer_);
    return std::move(answer_);
}

}  // namespace stele::llm
