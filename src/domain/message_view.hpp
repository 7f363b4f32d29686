#pragma once

#include "domain/message.hpp"

#include <variant>

namespace stele {

// The API's forms of a message. One stored message may give several of them, which then share its id.

struct MessageHead {
    std::string id;
    std::string date;  ///< whole seconds, explicit offset
    std::optional<std::string> name;
    std::string message_type;
    std::optional<std::string> otid;
    std::optional<std::string> sender_id;
    std::optional<std::string> step_id;
    std::optional<bool> is_err;
    std::optional<std::int64_t> seq_id;  ///< background streams only
    std::optional<std::string> run_id;
};
BOOST_DESCRIBE_STRUCT(MessageHead, (), (id, date, name, message_type, otid, sender_id, step_id, is_err, seq_id, run_id))

/// system_message, user_message, assistant_message.
struct ContentMessage : MessageHead {
    MessageContent content;
};
BOOST_DESCRIBE_STRUCT(ContentMessage, (MessageHead), (content))

struct ReasoningMessage : MessageHead {
    std::string source;  ///< reasoner_model or non_reasoner_model
    std::string reasoning;
    std::optional<std::string> signature;
};
BOOST_DESCRIBE_STRUCT(ReasoningMessage, (MessageHead), (source, reasoning, signature))

struct HiddenReasoningMessage : MessageHead {
    std::string state;  ///< redacted or omitted
    std::optional<std::string> hidden_reasoning;
};
BOOST_DESCRIBE_STRUCT(HiddenReasoningMessage, (MessageHead), (state, hidden_reasoning))

/// A call; in token streams a piece of one, with absent members left out.
struct ToolCallView {
    Patch<std::string> name;
    Patch<std::string> arguments;
    std::string tool_call_id;
};
BOOST_DESCRIBE_STRUCT(ToolCallView, (), (name, arguments, tool_call_id))

/// tool_call_message and approval_request_message.
struct ToolCallMessage : MessageHead {
    ToolCallView tool_call;  ///< deprecated: the first call
    std::vector<ToolCallView> tool_calls;
};
BOOST_DESCRIBE_STRUCT(ToolCallMessage, (MessageHead), (tool_call, tool_calls))

/// A piece of a call while it is being written: `tool_calls` is the same single piece, as the streams have it.
struct ToolCallDeltaMessage : MessageHead {
    ToolCallView tool_call;
    ToolCallView tool_calls;
};
BOOST_DESCRIBE_STRUCT(ToolCallDeltaMessage, (MessageHead), (tool_call, tool_calls))

struct ToolReturnView {
    std::string type = "tool";
    std::string tool_return;  ///< as a text
    std::optional<std::vector<ContentPart>> parts;
    std::string status;
    std::string tool_call_id;
    std::optional<std::vector<std::string>> stdout_;
    std::optional<std::vector<std::string>> stderr_;
};
void write_json(const ToolReturnView& from, std::string& out);
Schema json_schema(const ToolReturnView*);

struct ToolReturnMessage : MessageHead {
    ToolReturnView first;  ///< its members stand deprecated beside the list
    std::vector<ToolReturnView> tool_returns;
};
void write_json(const ToolReturnMessage& from, std::string& out);
Schema json_schema(const ToolReturnMessage*);

/// What a client answered to a request for approval.
struct ApprovalResponseMessage : MessageHead {
    std::vector<ApprovalDecision> approvals;
    std::optional<bool> approve;                     ///< deprecated, like the next two: of the first decision
    std::optional<std::string> approval_request_id;  ///< which call it is about
    std::optional<std::string> reason;
};
BOOST_DESCRIBE_STRUCT(ApprovalResponseMessage, (MessageHead), (approvals, approve, approval_request_id, reason))

struct SummaryMessage : MessageHead {
    std::string summary;
    Json compaction_stats;
};
BOOST_DESCRIBE_STRUCT(SummaryMessage, (MessageHead), (summary, compaction_stats))

/// Something that happened to the conversation itself; only in streams that asked for it.
struct EventMessage : MessageHead {
    std::string event_type;  ///< compaction
    Json event_data;
};
BOOST_DESCRIBE_STRUCT(EventMessage, (MessageHead), (event_type, event_data))

using LettaMessage =
    std::variant<ContentMessage, ReasoningMessage, HiddenReasoningMessage, ToolCallMessage, ToolCallDeltaMessage,
                 ToolReturnMessage, ApprovalResponseMessage, SummaryMessage, EventMessage>;

const MessageHead& head_of(const LettaMessage& message);
MessageHead& head_of(LettaMessage& message);

struct ViewOptions {
    bool text_is_assistant_message =
        true;                           ///< else the assistant's text shows as reasoning (agents that speak by tool)
    bool use_assistant_message = true;  ///< a call of the speaking tool shows as assistant_message
    std::string assistant_message_tool_name = "send_message";
    std::string assistant_message_tool_kwarg = "message";
    bool summaries = false;  ///< a summary shows as summary_message, else as the user message that the model reads
    const std::vector<std::string>* include_types = nullptr;  ///< when set: only these; outlives the call
};

/// The API's messages for one stored message, in natural order. `answers_speech`: a tool message that only answers a
/// call of the speaking tool, which is left out then.
std::vector<LettaMessage> expand(const Message& message, const ViewOptions& options);

/// As expand, over a list in order of position; drops the returns of speaking calls.
std::vector<LettaMessage> expand_all(const std::vector<Message>& messages, const ViewOptions& options);

/// True if `message` is a tool message that holds nothing but the return of a speaking call.
bool is_speech_return(const Message& message, const ViewOptions& options);

/// The id of part `index` of a message: its uuid with the lowest 7 bits replaced, without a prefix.
std::string part_otid(const std::string& message_id, std::size_t index);

/// The common members for `message`; `type` becomes message_type.
MessageHead message_head(const Message& message, const char* type);

/// The text of a user message that old versions stored as a {"type":"user_message"} package; else the text itself.
std::string unwrapped_user_text(const std::string& text);

/// A message in the form of /context: role, content parts and calls as the store has them.
std::string internal_message_json(const Message& message, const std::string& timezone,
                                  const std::optional<std::string>& batch_item_id = std::nullopt);

}  // namespace stele
