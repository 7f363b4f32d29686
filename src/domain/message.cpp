#include "domain/message.hpp"

#include "base/ids.hpp"
#include "domain/json_mapping.hpp"

#include <algorithm>

namespace stele {

std::string_view to_string(MessageRole role) { return mapping::enum_word(role); }

// ---- stored messages ----

std::string text_of(const MessageBody& body) {
    std::string text;
    for (const ContentPart& part : body.content) {
        if (part.type != "text" || !part.text.has_value() || part.text->empty()) continue;
        if (!text.empty()) text += '\n';
        text += *part.text;
    }
    return text;
}

std::string spoken_text(const MessageBody& body) {
    std::string text = text_of(body);
    for (const MessageToolCall& call : body.tool_calls) {
        if (call.name != "send_message") continue;
        const auto said = json_member_text(call.arguments, "message");
        if (said && !said->empty()) text += (text.empty() ? "" : "\n") + *said;
    }
    return text;
}

bool is_plain_text(const MessageBody& body) {
    return body.tool_calls.empty() && body.tool_returns.empty() && !body.approvals.present() &&
           body.content.size() == 1 && body.content.front().type == "text" &&
           !body.content.front().signature.has_value() && body.content.front().text.has_value();
}

std::string packaged_return(const MessageToolReturn& tool_return, Timestamp time, const std::string& timezone) {
    std::string text = "{\n  \"status\": \"";
    text += tool_return.status == "error" ? "Failed" : "OK";
    text += "\",\n  \"message\": ";
    if (tool_return.is_object)
        text += tool_return.value;
    else
        append_json_string(text, tool_return.value);
    text += ",\n  \"time\": ";
    append_json_string(text, to_prompt_time(time, timezone));
    return text + "\n}";
}

// ---- requests ----

namespace {

constexpr std::string_view returned_types[] = {"system_message",
                                               "user_message",
                                               "assistant_message",
                                               "reasoning_message",
                                               "hidden_reasoning_message",
                                               "tool_call_message",
                                               "tool_return_message",
                                               "approval_request_message",
                                               "approval_response_message",
                                               "summary_message",
                                               "event_message"};

bool says_nothing(const MessageContent& content) {
    return std::all_of(content.parts.begin(), content.parts.end(),
                       [](const ContentPart& part) { return part.type == "text" && part.text.value_or("").empty(); });
}

void remove_nul(std::vector<ContentPart>& parts) {
    for (ContentPart& part : parts)
        if (part.text.has_value()) std::erase(*part.text, '\0');
}

Message new_message(const std::string& agent_id, MessageRole role, std::vector<ContentPart> content) {
    Message message;
    message.id = new_id("message");
    message.agent_id = agent_id;
    message.role = role;
    message.position = next_position();
    message.context_position = message.position;
    remove_nul(content);
    message.content = std::move(content);
    message.created_at = now();
    return message;
}

}  // namespace

bool is_returned_type(std::string_view type) {
    return std::find(std::begin(returned_types), std::end(returned_types), type) != std::end(returned_types);
}

bool is_approval(const InputMessage& message) {
    if (message.type.has_value()) return *message.type == "approval" || *message.type == "tool_return";
    if (message.role.has_value()) return false;
    return message.approve.has_value() || message.approval_request_id.has_value() || message.approvals.has_value() ||
           message.tool_returns.has_value();
}

namespace {

void check_approval(const InputMessage& message, Problems& problems) {
    if (message.type.has_value() && *message.type == "tool_return") {
        if (!message.tool_returns.has_value()) return problems.add("tool_returns", "is required", "missing");
        for (std::size_t i = 0; i < message.tool_returns->size(); ++i)
            if ((*message.tool_returns)[i].kind != ApprovalDecision::Kind::tool)
                problems.add("tool_returns." + std::to_string(i) + ".type", "must be tool", "literal_error");
    } else if (!message.approvals.has_value() && !message.tool_returns.has_value()) {
        if (!message.approve.has_value())
            problems.add("approvals", "is required, or approve with approval_request_id", "missing");
        else if (!message.approval_request_id.has_value())
            problems.add("approval_request_id", "is required beside approve", "missing");
    }
}

}  // namespace

void check(const InputMessage& message, Problems& problems) {
    if (is_approval(message)) return check_approval(message, problems);
    if (message.type.has_value() && *message.type != "message")
        problems.add("type", "must be one of: message, approval, tool_return", "literal_error",
                     json_string(*message.type));
    if (!message.role.has_value())
        problems.add("role", "is required", "missing");
    else if (*message.role != "user" && *message.role != "system" && *message.role != "assistant")
        problems.add("role", "must be one of: user, system, assistant", "literal_error", json_string(*message.role));
    if (!message.content.has_value()) problems.add("content", "is required", "missing");
}

namespace {

void check_names(const std::vector<ClientTool>& tools, Problems& problems) {
    for (auto tool = tools.begin(); tool != tools.end(); ++tool)
        if (std::any_of(tools.begin(), tool, [&](const ClientTool& other) { return other.name == tool->name; }))
            problems.add("client_tools." + std::to_string(tool - tools.begin()) + ".name", "is there twice",
                         "value_error", json_string(tool->name));
}

void check_named(const std::vector<ClientSkill>& skills, Problems& problems) {
    for (std::size_t i = 0; i < skills.size(); ++i)
        if (skills[i].name.empty())
            problems.add("client_skills." + std::to_string(i) + ".name", "is required", "missing");
}

}  // namespace

void check(const MessageRequest& request, Problems& problems) {
    if (request.messages.has_value() == request.input.has_value())
        problems.add("", request.input.has_value() ? "specify either 'input' or 'messages', not both"
                                                   : "must specify either 'input' or 'messages'");
    if (request.messages.has_value() && request.messages->empty())
        problems.add("messages", "must not be empty", "too_short");
    if (request.messages.has_value())
        for (std::size_t i = 1; i < request.messages->size(); ++i)
            if (is_approval((*request.messages)[i]))
                problems.add("messages." + std::to_string(i), "an approval must be the first of the messages");
    if (request.client_tools.has_value()) check_names(*request.client_tools, problems);
    if (request.client_skills.has_value()) check_named(*request.client_skills, problems);
    if (request.identity_id && request.identity_id->empty())
        problems.add("identity_id", "must not be empty", "string_too_short");
    if (request.max_steps < 1) problems.add("max_steps", "must be at least 1", "greater_than_equal");
    if (request.include_return_message_types)
        for (const std::string& type : *request.include_return_message_types)
            if (!is_returned_type(type))
                problems.add("include_return_message_types", "holds an unknown message type", "enum",
                             json_string(type));
    check_double_texting(request.double_texting, problems);
    const bool streaming = request.streaming.value_or(false);
    if (request.streaming.has_value() && !streaming) {
        if (request.stream_tokens) problems.add("stream_tokens", "needs streaming to be true");
        if (request.background) problems.add("background", "needs streaming to be true");
    }
}

void check_double_texting(const Patch<std::string>& value, Problems& problems) {
    if (value.has_value() && *value != "reject" && *value != "queue")
        problems.add("double_texting", "must be one of: reject, queue", "literal_error", json_string(*value));
}

const InputMessage* approval_of(const MessageRequest& request) {
    if (!request.messages.has_value() || request.messages->empty()) return nullptr;
    const InputMessage& first = request.messages->front();
    return is_approval(first) ? &first : nullptr;
}

std::vector<Message> input_messages(const MessageRequest& request, const std::string& agent_id) {
    std::vector<Message> messages;
    if (request.input.has_value()) {
        if (says_nothing(*request.input)) throw refused("input: there is nothing in it to say");
        messages.push_back(new_message(agent_id, MessageRole::user, request.input->parts));
    } else {
        for (const InputMessage& input : *request.messages) {
            if (is_approval(input)) continue;  // see approval_of
            if (says_nothing(*input.content)) throw refused("messages: a message has nothing in it to say");
            const MessageRole role = *input.role == "user"     ? MessageRole::user
                                     : *input.role == "system" ? MessageRole::system
                                                               : MessageRole::assistant;
            Message message = new_message(agent_id, role, input.content->parts);
            message.name = input.name.optional();
            message.otid = input.otid.optional();
            message.sender_id = input.sender_id.optional();
            message.group_id = input.group_id.optional();
            messages.push_back(std::move(message));
        }
    }
    for (Message& message : messages) {
        if (!message.otid) message.otid = new_uuid();
        if (!message.sender_id && message.role == MessageRole::user) message.sender_id = request.identity_id;
    }
    return messages;
}

STELE_JSON(MessageBody)
STELE_JSON(MessageRequest)

}  // namespace stele
