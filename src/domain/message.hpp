#pragma once

#include "base/time.hpp"
#include "domain/approval.hpp"
#include "domain/content.hpp"

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

namespace stele {

BOOST_DEFINE_ENUM_CLASS(MessageRole, system, user, assistant, tool, approval, summary)

struct MessageToolCall {
    std::string id;
    std::string name;
    std::string arguments;  ///< JSON text as the model wrote it
};
BOOST_DESCRIBE_STRUCT(MessageToolCall, (), (id, name, arguments))

/// What a tool gave back for one call.
struct MessageToolReturn {
    std::string tool_call_id;
    std::string name;
    std::string status = "success";  ///< success or error
    std::string value;               ///< text, or JSON text with `is_object`
    bool is_object = false;
    std::optional<std::vector<std::string>> stdout_lines;
    std::optional<std::vector<std::string>> stderr_lines;
    Patch<std::vector<ContentPart>> parts;  ///< when it came in parts; `value` is then their plain text
};
BOOST_DESCRIBE_STRUCT(MessageToolReturn, (),
                      (tool_call_id, name, status, value, is_object, stdout_lines, stderr_lines, parts))

/// What a stored message holds.
struct MessageBody {
    std::vector<ContentPart> content;
    std::vector<MessageToolCall> tool_calls;
    std::vector<MessageToolReturn> tool_returns;
    Patch<std::vector<ApprovalDecision>> approvals;  ///< of the answer to a request for approval
};
BOOST_DESCRIBE_STRUCT(MessageBody, (), (content, tool_calls, tool_returns, approvals))

/// One stored message of an agent. One message may show as several in the API (expand, message_view.hpp).
struct Message : MessageBody {
    std::string id;  ///< "message-<uuid>"
    std::string agent_id;
    std::string conversation_id;                   ///< empty: the default conversation
    std::int64_t position = 0;                     ///< strictly increasing within the agent: the order of everything
    std::optional<std::int64_t> context_position;  ///< place within the context window; absent: evicted
    MessageRole role = MessageRole::user;
    std::optional<std::string> name;
    std::optional<std::string> otid;  ///< the client's own id of the message
    std::optional<std::string> sender_id;
    std::optional<std::string> step_id;
    std::optional<std::string> run_id;
    std::optional<std::string> group_id;
    std::optional<std::string> model;  ///< who wrote it
    Timestamp created_at{};
};

std::string_view to_string(MessageRole role);

/// True for a message with which the agent asks whether its calls may be made, or for their results: what a client's
/// approval answers.
inline bool is_approval_request(const Message& message) {
    return message.role == MessageRole::approval && !message.tool_calls.empty();
}

/// The texts of a message's content, joined by a line break: what search looks at.
std::string text_of(const MessageBody& body);

/// What was said, for search: the texts, and the message of every call of send_message.
std::string spoken_text(const MessageBody& body);

/// True if the body is exactly one plain text, which the store keeps as a column instead of JSON.
bool is_plain_text(const MessageBody& body);

/// The package in which a model reads a tool's return: pretty-printed {"status", "message", "time"}.
std::string packaged_return(const MessageToolReturn& tool_return, Timestamp time, const std::string& timezone);

/// An element of `messages` in a request: a message, an approval, or returns of client-side tools.
struct InputMessage {
    Patch<std::string> type;
    Patch<std::string> role;
    Patch<MessageContent> content;
    Patch<std::string> name;
    Patch<std::string> otid;
    Patch<std::string> sender_id;
    Patch<std::string> group_id;
    Patch<std::string> batch_item_id;
    Patch<std::vector<ApprovalDecision>> approvals;
    Patch<bool> approve;                     ///< older form: one verdict
    Patch<std::string> approval_request_id;  ///< of `approve`: the id of the request's message, or of its one call
    Patch<std::string> reason;
    Patch<std::vector<ApprovalDecision>> tool_returns;
};
BOOST_DESCRIBE_STRUCT(InputMessage, (),
                      (type, role, content, name, otid, sender_id, group_id, batch_item_id, approvals, approve,
                       approval_request_id, reason, tool_returns))
void check(const InputMessage& message, Problems& problems);

/// True if it answers a request for approval: with verdicts, or with results of tools that the client has run.
bool is_approval(const InputMessage& message);

/// A skill that the client has, such as one of the project it works on: prompts name it, and where it is.
struct ClientSkill {
    std::string name;
    std::string description;
    std::string location;  ///< path, as the client would open it
};
BOOST_DESCRIBE_STRUCT(ClientSkill, (), (name, description, location))

/// What becomes of a request while another run is at work: it is refused (reject), or waits (queue).
void check_double_texting(const Patch<std::string>& value, Problems& problems);

/// Body of every message request: POST /v1/agents/{agent_id}/messages, .../stream, .../async.
struct MessageRequest {
    Patch<std::vector<InputMessage>> messages;
    Patch<MessageContent> input;  ///< short for one user message
    std::int64_t max_steps = 50;
    bool use_assistant_message = true;
    std::string assistant_message_tool_name = "send_message";
    std::string assistant_message_tool_kwarg = "message";
    std::optional<std::vector<std::string>> include_return_message_types;
    Patch<std::vector<ClientTool>> client_tools;
    Patch<std::vector<ClientSkill>> client_skills;
    std::optional<std::string> override_model;
    std::optional<std::string> override_system;
    std::optional<std::string> system;  ///< alias of override_system
    bool include_compaction_messages = false;
    bool return_logprobs = false;
    std::optional<std::int64_t> top_logprobs;
    bool return_token_ids = false;
    std::optional<bool> streaming;
    bool stream_tokens = false;
    bool include_pings = true;
    bool background = false;
    std::optional<std::string> identity_id;
    std::optional<std::string> callback_url;
    Patch<std::string> double_texting;  ///< reject or queue: what becomes of it while another run is at work
};
BOOST_DESCRIBE_STRUCT(MessageRequest, (),
                      (messages, input, max_steps, use_assistant_message, assistant_message_tool_name,
                       assistant_message_tool_kwarg, include_return_message_types, client_tools, client_skills,
                       override_model, override_system, system, include_compaction_messages, return_logprobs,
                       top_logprobs, return_token_ids, streaming, stream_tokens, include_pings, background, identity_id,
                       callback_url, double_texting))
void check(const MessageRequest& request, Problems& problems);

/// True for the types that `include_return_message_types` may name.
bool is_returned_type(std::string_view type);

/// The answer to a request for approval with which `request` begins, or null. Belongs to `request`.
const InputMessage* approval_of(const MessageRequest& request);

/// The input of `request`, its answer to a request for approval left out, as stored messages of `agent_id` without step
/// and run; positions are given in order. Throws Error{invalid_argument} when a message has nothing to say.
std::vector<Message> input_messages(const MessageRequest& request, const std::string& agent_id);

}  // namespace stele
