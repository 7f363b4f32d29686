#include "runtime/initial_messages.hpp"

#include "base/ids.hpp"
#include "base/json_text.hpp"

namespace stele::runtime {
namespace {

constexpr char first_thought[] = "I am awake for the first time, and somebody is here. A greeting is in order.";
constexpr char first_words[] = "Hello! I am here and looking forward to getting to know you.";

Message message_of(const Agent& agent, MessageRole role) {
    Message message;
    message.id = new_id("message");
    message.agent_id = agent.id;
    message.role = role;
    message.position = next_position();
    message.context_position = message.position;
    message.created_at = now();
    return message;
}

Message text_message(const Agent& agent, MessageRole role, std::string text) {
    Message message = message_of(agent, role);
    message.content.push_back(text_part(std::move(text)));
    return message;
}

// What the agent said, as agents say it that speak through a tool: a call and its return.
void add_speech(std::vector<Message>& messages, const Agent& agent, const std::string& thought,
                const std::string& words) {
    const std::string call_id = new_uuid();
    Message speech = message_of(agent, MessageRole::assistant);
    if (!thought.empty()) speech.content.push_back(reasoning_part(thought, false, {}));
    speech.model = agent.llm_config.model;
    speech.tool_calls.push_back(MessageToolCall{call_id, "send_message", "{\"message\": " + json_string(words) + "}"});
    messages.push_back(std::move(speech));
    Message answer = message_of(agent, MessageRole::tool);
    answer.name = "send_message";
    MessageToolReturn& sent = answer.tool_returns.emplace_back();
    sent.tool_call_id = call_id;
    sent.name = "send_message";
    sent.value = "Sent message successfully.";
    messages.push_back(std::move(answer));
}

}  // namespace

std::string packaged_event(const Agent& agent, const char* type, const char* key, const std::string& value) {
    const std::string time = to_prompt_time(now(), agent.timezone.value_or("UTC"));
    return std::string("{\n  \"type\": \"") + type + "\",\n  \"" + key + "\": " + json_string(value) +
           ",\n  \"time\": " + json_string(time) + "\n}";
}

std::vector<Message> initial_messages(const Agent& agent, const std::optional<std::vector<InitialMessage>>& sequence) {
    std::vector<Message> messages;
    if (sequence) {
        for (const InitialMessage& item : *sequence) {
            if (item.role == "assistant")
                add_speech(messages, agent, {}, item.content);
            else if (item.role == "system")
                messages.push_back(text_message(agent, MessageRole::user,
                                                packaged_event(agent, "system_alert", "message", item.content)));
            else
                messages.push_back(text_message(agent, MessageRole::user,
                                                packaged_event(agent, "user_message", "message", item.content)));
        }
        return messages;
    }
    if (speaks_in_text(agent.agent_type) || agent.agent_type == AgentType::voice_sleeptime_agent) return messages;
    add_speech(messages, agent, first_thought, first_words);
    messages.push_back(text_message(agent, MessageRole::user,
                                    packaged_event(agent, "login", "last_login", "Never (this is the first time)")));
    return messages;
}

Message new_system_message(const SystemPromptInput& input) {
    Message message = text_message(input.agent, MessageRole::system, compile_system_prompt(input));
    message.conversation_id = input.conversation_id;
    return message;
}

}  // namespace stele::runtime
