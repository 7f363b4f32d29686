#include "llm/refusals.hpp"

#include "llm/tool_images.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <cctype>

namespace stele::llm {
namespace {

namespace json = boost::json;

// Fields that a request can do without. What changes the meaning of the answer (response_format, tools) is not among
// them: there the refusal itself is the answer.
constexpr std::string_view dispensable[] = {"stream_options",
                                            "parallel_tool_calls",
                                            "temperature",
                                            "frequency_penalty",
                                            "reasoning_effort",
                                            "verbosity",
                                            "presence_penalty",
                                            "top_p",
                                            "seed"};

// What a JSON error says, without what it repeats of the request; else the text as it is.
void append_words(const json::value& value, std::string& out) {
    if (value.is_string()) {
        out += std::string_view(value.get_string());
        out += '\n';
    } else if (value.is_array()) {
        for (const json::value& each : value.get_array()) append_words(each, out);
    } else if (value.is_object()) {
        for (const auto& [name, each] : value.get_object())
            if (name != "input" && name != "body" && name != "request") append_words(each, out);
    }
}

std::string words_of(std::string_view body) {
    boost::system::error_code failure;
    const json::value parsed = json::parse(json::string_view(body.data(), body.size()), failure);
    if (failure) return std::string(body);
    std::string words;
    append_words(parsed, words);
    return words;
}

std::string lowered(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return out;
}

bool says(const std::string& text, std::initializer_list<std::string_view> words) {
    return std::any_of(words.begin(), words.end(),
                       [&](std::string_view word) { return text.find(word) != std::string::npos; });
}

// "max_tokens" is the old name of "max_completion_tokens"; servers know one of them, some neither, some set a limit.
void learn_of_limit(Refusals& refusals, const std::string& text) {
    if (!says(text, {"max_completion_tokens", "max_tokens"})) return;
    const bool too_large = says(text, {"too large", "at most", "exceed", "less than", "maximum value"});
    if (too_large || refusals.contains("max_tokens>") || refusals.contains("max_completion_tokens>"))
        refusals.insert("max_tokens");
    else  // where both are named, the second is the one to use
        refusals.insert(text.find("max_tokens") < text.find("max_completion_tokens") ? "max_tokens>"
                                                                                     : "max_completion_tokens>");
}

// Of a model that sees nothing (vLLM, llama.cpp, Ollama, DeepSeek, Groq, Mistral, OpenRouter, OpenAI say it in these
// words), or of an image that it can't read.
void learn_of_images(Refusals& refusals, const std::string& text) {
    const bool texts_alone = says(text, {"content"}) && says(text, {"must be a string", "valid string"});
    if (!texts_alone && !says(text, {"image", "multimodal", "multi-modal", "vision"})) return;
    const bool sees_nothing = says(text, {"support", "multimodal", "multi-modal", "not enabled", "at most 0 image",
                                          "unknown variant", "must be a string", "vision", "mmproj"}) &&
                              !says(text, {"format", "media type", "mime", "image/"});
    refusals.insert(sees_nothing ? "tool_images" : "tool_images?");
}

void rename(json::object& object, std::string_view from, std::string_view to) {
    auto* value = object.if_contains(from);
    if (value == nullptr) return;
    json::value moved = std::move(*value);
    object.erase(from);
    object[to] = std::move(moved);
}

void leave_out_strict(json::object& request) {
    auto* tools = request.if_contains("tools");
    if (tools == nullptr || !tools->is_array()) return;
    for (json::value& tool : tools->get_array())
        if (auto* function = tool.is_object() ? tool.get_object().if_contains("function") : nullptr;
            function != nullptr && function->is_object())
            function->get_object().erase("strict");
}

void put_words_for_tool_images(json::object& request) {
    auto* messages = request.if_contains("messages");
    if (messages == nullptr || !messages->is_array()) return;
    for (json::value& message : messages->get_array()) {
        auto* content = message.is_object() ? message.get_object().if_contains("content") : nullptr;
        if (content == nullptr || !content->is_array() || content->get_array().empty()) continue;
        const json::value& first = content->get_array().front();
        const auto* text = first.is_object() ? first.get_object().if_contains("text") : nullptr;
        if (text != nullptr && *text == tool_images_text)
            *content =
                "[This is an automatic message that the person does not see] The tools returned images, which "
                "you can't be shown.";
    }
}

void take_developer_for_system(json::object& request) {
    auto* messages = request.if_contains("messages");
    if (messages == nullptr || !messages->is_array()) return;
    for (json::value& message : messages->get_array())
        if (auto* role = message.is_object() ? message.get_object().if_contains("role") : nullptr;
            role != nullptr && *role == "developer")
            *role = "system";
}

}  // namespace

bool learn(Refusals& refusals, int status, std::string_view body) {
    const std::string text = lowered(words_of(body).substr(0, 16'384));
    const std::size_t known = refusals.size();
    if (status == 404 && says(text, {"image input"})) learn_of_images(refusals, text);  // OpenRouter
    if (status != 400 && status != 422 && status != 500 && status != 501) return refusals.size() > known;
    learn_of_images(refusals, text);
    for (const std::string_view field : dispensable)
        if (says(text, {field})) refusals.insert(std::string(field));
    learn_of_limit(refusals, text);
    if (says(text, {"tool_choice"}))
        refusals.insert(refusals.contains("tool_choice") ? "tool_choice.required" : "tool_choice");
    if (says(text, {"strict"}) && !says(text, {"restrict"})) refusals.insert("strict");
    if (says(text, {"developer"})) refusals.insert("developer");
    const bool unknown = says(text, {"unknown", "unsupported", "unrecognized", "unexpected", "extra", "not permitted"});
    if (unknown && says(text, {"'user'", "\"user\"", "`user`", ": user"})) refusals.insert("user");
    if (!says(text, {"stream_options"}) && says(text, {"stream"}) &&
        says(text, {"not supported", "unsupported", "cannot use", "does not support"}))
        refusals.insert("stream");
    return refusals.size() > known;
}

void forget_passing(Refusals& refusals) { refusals.erase("tool_images?"); }

std::string without(const Refusals& refusals, std::string_view request) {
    json::value parsed = json::parse(json::string_view(request.data(), request.size()));
    json::object& object = parsed.as_object();
    const auto refused = [&](std::string_view word) { return refusals.contains(word); };
    for (const std::string_view field : dispensable)
        if (refused(field)) object.erase(field);
    if (refused("user")) object.erase("user");
    if (refused("stream")) {
        object.erase("stream");
        object.erase("stream_options");
    }
    if (refused("max_tokens")) {
        object.erase("max_tokens");
        object.erase("max_completion_tokens");
    } else if (refused("max_tokens>")) {
        rename(object, "max_tokens", "max_completion_tokens");
    } else if (refused("max_completion_tokens>")) {
        rename(object, "max_completion_tokens", "max_tokens");
    }
    if (auto* choice = object.if_contains("tool_choice")) {
        if (refused("tool_choice") && choice->is_object()) *choice = "required";
        if (refused("tool_choice.required") && *choice == "required") *choice = "auto";
    }
    if (refused("tool_images") || refused("tool_images?")) put_words_for_tool_images(object);
    if (refused("strict")) leave_out_strict(object);
    if (refused("developer")) take_developer_for_system(object);
    return json::serialize(parsed);
}

}  // namespace stele::llm
