#include "llm/model_failure.hpp"

#include "base/utf8.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <ctime>

namespace stele::llm {
namespace {

namespace json = boost::json;

constexpr std::size_t message_bytes_max = 500;
constexpr auto wait_max = std::chrono::seconds(60);
constexpr auto first_wait = std::chrono::milliseconds(500);
constexpr auto longest_own_wait = std::chrono::milliseconds(8'000);

std::string lowered(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return out;
}

bool contains(const std::string& text, std::initializer_list<std::string_view> words) {
    return std::any_of(words.begin(), words.end(),
                       [&](std::string_view word) { return text.find(word) != std::string::npos; });
}

bool says_no_credit(const std::string& text) {
    return contains(text, {"insufficient_quota", "insufficient credits", "exceeded your current quota",
                           "exceeded your quota", "billing_hard_limit", "billing hard limit", "can only afford",
                           "insufficient balance", "budget has been exceeded"});
}

std::string type_of(int status, const std::string& text) {
    if (says_context_overflow(text) || status == 413) return "llm_context_overflow";
    if (status == 402 || says_no_credit(text)) return "llm_insufficient_credits";
    switch (status) {
        case 400:
            return "llm_bad_request";
        case 401:
            return "llm_authentication";
        case 408:
        case 504:
            return "llm_timeout";
        case 429:
            return "llm_rate_limit";
        case 503:
        case 529:
            return "llm_overloaded";
        default:
            return "llm_error";
    }
}

/// The object that holds message and code: {"error":{...}}, or the body itself where its "object" is "error".
const json::object* error_object(const json::value& body) {
    const json::object* object = body.if_object();
    if (object == nullptr) return nullptr;
    if (const auto* error = object->if_contains("error"); error != nullptr && error->is_object())
        return &error->get_object();
    return object;
}

// OpenRouter, vLLM and llama.cpp put a status into the code, others a word.
int status_within(const json::object& error) {
    if (const auto* code = error.if_contains("code"); code != nullptr && code->is_int64())
        if (code->get_int64() >= 400 && code->get_int64() < 600) return static_cast<int>(code->get_int64());
    std::string words;
    for (const char* name : {"code", "type"})
        if (const auto* word = error.if_contains(name); word != nullptr && word->is_string())
            words += lowered(std::string_view(word->get_string())) + " ";
    if (contains(words, {"rate_limit"})) return 429;
    if (contains(words, {"overloaded", "unavailable"})) return 503;
    if (contains(words, {"authentication", "invalid_api_key"})) return 401;
    if (contains(words, {"timeout"})) return 504;
    if (contains(words, {"invalid_request", "badrequest", "bad_request"})) return 400;
    return 500;
}

// "Tue, 24 Nov 2026 10:20:30 GMT"
std::optional<Timestamp> http_date(const std::string& text) {
    std::tm parts{};
    const char* end = strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    if (end == nullptr || *end != '\0') return std::nullopt;
    return Timestamp(std::chrono::seconds(timegm(&parts)));
}

}  // namespace

bool is_error_body(std::string_view body) {
    boost::system::error_code failure;
    const json::value parsed = json::parse(json::string_view(body.data(), body.size()), failure);
    const json::object* object = failure ? nullptr : parsed.if_object();
    if (object == nullptr) return false;
    const auto* error = object->if_contains("error");
    const auto* kind = object->if_contains("object");
    return (error != nullptr && !error->is_null()) || (kind != nullptr && *kind == "error");
}

Error failure_within_answer(std::string_view body, const std::string& model, const std::string& host) {
    boost::system::error_code failure;
    const json::value parsed = json::parse(json::string_view(body.data(), body.size()), failure);
    const json::object* error = failure ? nullptr : error_object(parsed);
    return failure_of_answer(error == nullptr ? 500 : status_within(*error), body, std::nullopt, model, host);
}

Error model_failure(const std::string& type, const std::string& message) {
    Error error(ErrorCode::model_failed, message);
    error.type = type;
    return error;
}

std::string message_of_error_body(std::string_view body) {
    boost::system::error_code failure;
    const json::value parsed = json::parse(json::string_view(body.data(), body.size()), failure);
    std::string message(body);
    if (!failure && parsed.is_object()) {
        const json::object* object = &parsed.get_object();
        if (const auto* error = object->if_contains("error")) {
            if (error->is_string()) message = error->get_string();
            if (error->is_object()) object = &error->get_object();
        }
        for (const char* key : {"message", "detail"})
            if (const auto* text = object->if_contains(key); text != nullptr && text->is_string()) {
                message = text->get_string();
                break;
            }
    }
    message = to_valid_utf8(message);
    if (message.size() > message_bytes_max) message = std::string(first_bytes(message, message_bytes_max)) + "...";
    return message.empty() ? "no message" : message;
}

bool says_context_overflow(std::string_view text) {
    const std::string words = lowered(text);
    return contains(
        words, {"context_length_exceeded", "exceeds the context window", "maximum context length", "context length",
                "input tokens exceed the configured limit", "exceeds the maximum allowed input length",
                "prompt is too long", "exceed context limit", "exceeds the available context size", "context window"});
}

Error failure_of_answer(int status, std::string_view body, std::optional<std::chrono::milliseconds> retry_after,
                        const std::string& model, const std::string& host) {
    const std::string text = lowered(body.substr(0, 16'384));
    const std::string type = type_of(status, text);
    Error error = model_failure(type, "The model '" + model + "' at " + host + " answered with status " +
                                          std::to_string(status) + ": " + message_of_error_body(body));
    error.retry_after = retry_after;
    error.final = status < 500 && status != 408 && status != 409 && status != 425 && status != 429;
    return error;
}

std::optional<std::chrono::milliseconds> next_attempt(const Error& failure, int attempt, int attempts_max,
                                                      double jitter) {
    const bool may_pass = !failure.final && (failure.type == "llm_rate_limit" || failure.type == "llm_overloaded" ||
                                             failure.type == "llm_timeout" || failure.type == "llm_connection" ||
                                             failure.type == "llm_error");
    if (!may_pass || attempt >= attempts_max) return std::nullopt;
    if (failure.retry_after) {
        if (*failure.retry_after > wait_max) return std::nullopt;
        return *failure.retry_after;
    }
    const auto wait = std::min(first_wait * (1 << std::min(attempt - 1, 10)), longest_own_wait);
    return std::chrono::milliseconds(
        static_cast<std::int64_t>(static_cast<double>(wait.count()) * (0.75 + 0.25 * jitter)));
}

std::optional<std::chrono::milliseconds> parse_retry_after(const std::string* seconds, const std::string* milliseconds,
                                                           Timestamp at) {
    const auto number = [](const std::string& text) -> std::optional<double> {
        double value = 0;
        const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (failure != std::errc() || end != text.data() + text.size() || !(value >= 0) || value > 1e9)
            return std::nullopt;
        return value;
    };
    if (milliseconds != nullptr)
        if (const auto value = number(*milliseconds))
            return std::chrono::milliseconds(static_cast<std::int64_t>(*value));
    if (seconds != nullptr) {
        if (const auto value = number(*seconds))
            return std::chrono::milliseconds(static_cast<std::int64_t>(*value * 1'000));
        if (const auto date = http_date(*seconds))
            return std::max(std::chrono::ceil<std::chrono::milliseconds>(*date - at), std::chrono::milliseconds(0));
    }
    return std::nullopt;
}

}  // namespace stele::llm
