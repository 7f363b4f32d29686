#include "runtime/model_turns.hpp"

#include "base/contains.hpp"
#include "base/utf8.hpp"
#include "domain/image.hpp"
#include "llm/tool_images.hpp"
#include "runtime/call_arguments.hpp"
#include "runtime/senders.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <optional>
#include <unordered_map>

namespace stele::runtime {
namespace {

namespace json = boost::json;

constexpr std::int64_t return_characters_min = 5'000;

// A single return may fill a fifth of the window at most (four characters a token).
std::string clipped(std::string text, std::int64_t context_window) {
    const auto limit = static_cast<std::size_t>(std::max(return_characters_min, context_window / 5 * 4));
    if (text.size() <= limit) return text;
    const std::size_t characters = code_points(text);
    if (characters <= limit) return text;
    text.resize(first_code_points(text, limit).size());
    return text + "... [" + std::to_string(characters - limit) + " more characters were cut here]";
}

llm::Image to_image(const ContentPart& part) {
    llm::Image image;
    ImageSource source = image_source(part);
    image.url = std::move(source.url);
    image.media_type = source.media_type.empty() ? "image/png" : std::move(source.media_type);
    image.data = std::move(source.data);
    image.detail = part.detail.value_or("").empty() ? std::move(source.detail) : *part.detail;
    return image;
}

class TurnMaker {
public:
    TurnMaker(const std::vector<Message>& messages, const TurnOptions& options)
        : messages_(messages), options_(options) {}

    std::vector<llm::Turn> make() {
        turns_.reserve(messages_.size());
        for (std::size_t i = 0; i < messages_.size(); ++i) {
            const Message& message = messages_[i];
            const Message* next = i + 1 < messages_.size() ? &messages_[i + 1] : nullptr;
            if (next != nullptr && asks_on(message, *next)) {
                add(joined(message, *next));
                ++i;
            } else {
                add(message);
            }
        }
        answer_open_calls();
        show_images();
        return std::move(turns_);
    }

private:
    // A request for approval is the rest of the answer before it.
    static bool asks_on(const Message& answer, const Message& request) {
        return answer.role == MessageRole::assistant && is_approval_request(request) && answer.step_id &&
               answer.step_id == request.step_id;
    }

    static Message joined(Message answer, const Message& request) {
        answer.content.insert(answer.content.end(), request.content.begin(), request.content.end());
        answer.tool_calls.insert(answer.tool_calls.end(), request.tool_calls.begin(), request.tool_calls.end());
        return answer;
    }

    void add(const Message& message) {
        // What a client decided is told by the returns behind it.
        if (message.role == MessageRole::approval && message.tool_calls.empty()) return;
        if (message.role != MessageRole::tool) {
            answer_open_calls();
            show_images();
        }
        switch (message.role) {
            case MessageRole::system:
                add_text(llm::Role::system, message);
                break;
            case MessageRole::user:
            case MessageRole::summary:
                add_text(llm::Role::user, message);
                break;
            case MessageRole::assistant:
            case MessageRole::approval:
                add_assistant(message);
                break;
            case MessageRole::tool:
                add_returns(message);
                break;
        }
    }

    void add_text(llm::Role role, const Message& message) {
        llm::Turn turn;
        turn.role = role;
        turn.text = text_of(message);
        if (options_.sender_marks != nullptr) turn.text.insert(0, mark_of(message, *options_.sender_marks));
        turn.name = message.name.value_or("");
        if (role == llm::Role::user)
            for (const ContentPart& part : message.content)
                if (part.type == "image") turn.images.push_back(to_image(part));
        turns_.push_back(std::move(turn));
    }

    void add_assistant(const Message& message) {
        llm::Turn turn;
        turn.role = llm::Role::assistant;
        turn.text = text_of(message);
        std::string thoughts;
        for (const ContentPart& part : message.content) {
            const bool signed_by_it = message.model == options_.model;
            if (part.type == "omitted_reasoning" && signed_by_it)
                turn.reasoning_signature = part.signature.value_or("");
            if (part.type != "reasoning") continue;
            if (part.is_native.value_or(true)) {
                turn.reasoning += part.reasoning.value_or("");
                if (signed_by_it) turn.reasoning_signature = part.signature.value_or("");
            } else {
                thoughts += part.reasoning.value_or("");
            }
        }
        std::vector<OpenCall> asked;
        for (const MessageToolCall& call : message.tool_calls) {
            llm::ToolCall sent;
            sent.id = id_to_send(call.id);
            asked.push_back({call.id, sent.id, call.name, std::nullopt});
            sent.name = call.name;
            sent.arguments =
                options_.inner_thoughts && !thoughts.empty() ? with_thinking(call.arguments, thoughts) : call.arguments;
            turn.tool_calls.push_back(std::move(sent));
        }
        if (!options_.inner_thoughts && turn.text.empty() && turn.reasoning.empty()) turn.text = std::move(thoughts);
        if (turn.text.empty() && turn.tool_calls.empty()) return;
        turns_.push_back(std::move(turn));
        open_ = std::move(asked);
    }

    // Some servers count their calls anew in every answer; but in one history an id is one call's (Anthropic).
    std::string id_to_send(const std::string& id) {
        for (;;) {
            const int use = ++uses_[id];
            if (use == 1) return id;
            std::string made = id + "_" + std::to_string(use);
            if (uses_.emplace(made, 1).second) return made;
        }
    }

    // They are kept until all are there: whoever pairs them by place (Gemini) wants them in the order of the calls.
    void add_returns(const Message& message) {
        for (const MessageToolReturn& tool_return : message.tool_returns) {
            const auto call = std::find_if(open_.begin(), open_.end(), [&](const OpenCall& each) {
                return !each.result && each.id == tool_return.tool_call_id;
            });
            if (call == open_.end()) continue;
            for (const ContentPart& part : tool_return.parts.value_or({}))
                if (part.type == "image") images_.push_back(to_image(part));
            call->result =
                clipped(packaged_return(tool_return, message.created_at, options_.timezone), options_.context_window);
        }
    }

    // No provider takes a call without its return behind it.
    void answer_open_calls() {
        for (OpenCall& call : open_)
            add_return(call.sent_id, call.tool, std::move(call.result).value_or("The result of this call was lost."));
        open_.clear();
    }

    // Only a user may show a picture; so those of tools stand behind the last return.
    void show_images() {
        if (images_.empty()) return;
        llm::Turn turn;
        turn.role = llm::Role::user;
        turn.text = llm::tool_images_text;
        turn.images = std::move(images_);
        images_.clear();
        turns_.push_back(std::move(turn));
    }

    void add_return(const std::string& call_id, const std::string& tool, std::string text) {
        llm::Turn turn;
        turn.role = llm::Role::tool;
        turn.text = std::move(text);
        turn.tool_call_id = call_id;
        turn.name = tool;
        turns_.push_back(std::move(turn));
    }

    const std::vector<Message>& messages_;
    const TurnOptions& options_;
    // A call of the newest answer. Paired with its return by place and id, since ids may come again.
    struct OpenCall {
        std::string id, sent_id, tool;
        std::optional<std::string> result;
    };
    std::vector<OpenCall> open_;
    std::unordered_map<std::string, int> uses_;  ///< of each id
    std::vector<llm::Image> images_;             ///< of returns, not shown yet
    std::vector<llm::Turn> turns_;
};

json::object parameter(const char* type, const char* description) {
    json::object made;
    made["type"] = type;
    made["description"] = description;
    return made;
}

// The schema's parameters with what the loop wants to know of each call.
std::string with_loop_parameters(const std::string& parameters_json, bool thoughts, bool heartbeat) {
    boost::system::error_code failure;
    json::value parsed = json::parse(parameters_json, failure);
    if (failure || !parsed.is_object()) return parameters_json;
    json::object& schema = parsed.get_object();
    json::object properties;
    json::array required;
    if (thoughts) {
        properties["thinking"] = parameter("string", "What you think before you act. Nobody else sees it.");
        required.emplace_back("thinking");
    }
    if (const auto* own = schema.if_contains("properties"); own != nullptr && own->is_object())
        for (const auto& [name, value] : own->get_object()) properties[name] = value;
    if (const auto* own = schema.if_contains("required"); own != nullptr && own->is_array())
        for (const auto& name : own->get_array()) required.push_back(name);
    if (heartbeat) {
        properties["request_heartbeat"] =
            parameter("boolean", "true to get control back right after this call, false to end your turn with it.");
        required.emplace_back("request_heartbeat");
    }
    schema["properties"] = std::move(properties);
    schema["required"] = std::move(required);
    return json::serialize(schema);
}

// The parameters of a schema, with what the loop adds. Remembered by the schema's text: every step asks for the same
// ones.
const std::string& parameters_of(const std::string& schema, bool thoughts, bool heartbeat) {
    constexpr std::size_t entries_max = 512;
    thread_local std::unordered_map<std::string, std::string> cache;
    std::string key = schema + (thoughts ? "t" : "-") + (heartbeat ? "h" : "-");
    const auto found = cache.find(key);
    if (found != cache.end()) return found->second;
    if (cache.size() >= entries_max) cache.clear();
    std::string parameters =
        json_member_text(schema, "parameters").value_or(R"({"type":"object","properties":{},"required":[]})");
    if (thoughts || heartbeat) parameters = with_loop_parameters(parameters, thoughts, heartbeat);
    return cache.emplace(std::move(key), std::move(parameters)).first->second;
}

}  // namespace

std::vector<llm::Turn> make_turns(const std::vector<Message>& messages, const TurnOptions& options) {
    return TurnMaker(messages, options).make();
}

std::vector<llm::ToolSpec> make_tool_specs(const std::vector<Tool>& tools, const std::vector<std::string>& allowed,
                                           const ToolSpecOptions& options) {
    std::vector<llm::ToolSpec> specs;
    for (const Tool& tool : tools) {
        if (!contains(allowed, tool.name)) continue;
        llm::ToolSpec spec;
        spec.name = tool.name;
        spec.description = tool.description.value_or("");
        spec.parameters_json = parameters_of(tool.json_schema.text, options.inner_thoughts,
                                             options.heartbeats && !contains(options.terminal, tool.name));
        specs.push_back(std::move(spec));
    }
    return specs;
}

}  // namespace stele::runtime
