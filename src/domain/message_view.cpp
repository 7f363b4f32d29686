#include "domain/message_view.hpp"

#include "domain/compaction.hpp"
#include "domain/json_mapping.hpp"

#include <algorithm>

namespace stele {
namespace {

bool included(const ViewOptions& options, std::string_view type) {
    return options.include_types == nullptr || std::find(options.include_types->begin(), options.include_types->end(),
                                                         type) != options.include_types->end();
}

bool wants_summaries(const ViewOptions& options) {
    return options.summaries || (options.include_types != nullptr && included(options, "summary_message"));
}

bool is_speech(const MessageToolCall& call, const ViewOptions& options) {
    return options.use_assistant_message && call.name == options.assistant_message_tool_name;
}

// Gathers the parts of one stored message; `index` counts through the parts of the message for their otids.
class Expansion {
public:
    Expansion(const Message& message, const ViewOptions& options) : message_(message), options_(options) {}

    template <class M>
    void add(M view, const char* type, bool own_otid = false) {
        add(std::move(view), type, own_otid ? message_.otid : part_otid(message_.id, index_));
    }

    template <class M>
    void add(M view, const char* type, std::optional<std::string> otid) {
        if (included(options_, type)) {
            static_cast<MessageHead&>(view) = message_head(message_, type);
            view.otid = std::move(otid);
            views.push_back(std::move(view));
        }
        ++index_;
    }

    std::vector<LettaMessage> views;

private:
    const Message& message_;
    const ViewOptions& options_;
    std::size_t index_ = 0;
};

ToolCallView view_of(const MessageToolCall& call) {
    ToolCallView view;
    view.name = call.name;
    view.arguments = call.arguments;
    view.tool_call_id = call.id;
    return view;
}

ToolReturnView view_of(const MessageToolReturn& tool_return) {
    ToolReturnView view;
    view.tool_return = tool_return.value;
    view.parts = tool_return.parts.optional();
    view.status = tool_return.status;
    view.tool_call_id = tool_return.tool_call_id;
    view.stdout_ = tool_return.stdout_lines;
    view.stderr_ = tool_return.stderr_lines;
    return view;
}

void expand_content(const Message& message, const ViewOptions& options, Expansion& expansion) {
    for (std::size_t i = 0; i < message.content.size(); ++i) {
        const ContentPart& part = message.content[i];
        if (part.type == "reasoning") {
            ReasoningMessage view;
            view.source = part.is_native.value_or(true) ? "reasoner_model" : "non_reasoner_model";
            view.reasoning = part.reasoning.value_or("");
            view.signature = part.signature.optional();
            expansion.add(std::move(view), "reasoning_message");
        } else if (part.type == "redacted_reasoning" || part.type == "omitted_reasoning") {
            HiddenReasoningMessage view;
            view.state = part.type == "redacted_reasoning" ? "redacted" : "omitted";
            view.hidden_reasoning = part.data.optional();
            expansion.add(std::move(view), "hidden_reasoning_message");
        } else if (part.type == "text") {
            if (options.text_is_assistant_message) {
                std::string text = part.text.value_or("");
                while (i + 1 < message.content.size() && message.content[i + 1].type == "text")
                    text += message.content[++i].text.value_or("");
                ContentMessage view;
                view.content.parts.push_back(text_part(std::move(text)));
                expansion.add(std::move(view), "assistant_message");
            } else {
                ReasoningMessage view;
                view.source = "non_reasoner_model";
                view.reasoning = part.text.value_or("");
                expansion.add(std::move(view), "reasoning_message");
            }
        }
    }
}

void expand_calls(const Message& message, const ViewOptions& options, Expansion& expansion) {
    ToolCallMessage calls;
    for (const MessageToolCall& call : message.tool_calls) {
        if (is_speech(call, options) && message.role == MessageRole::assistant) {
            ContentMessage view;
            view.content.parts.push_back(
                text_part(json_member_text(call.arguments, options.assistant_message_tool_kwarg).value_or("")));
            expansion.add(std::move(view), "assistant_message");
        } else {
            calls.tool_calls.push_back(view_of(call));
        }
    }
    if (calls.tool_calls.empty()) return;
    calls.tool_call = calls.tool_calls.front();
    if (message.role == MessageRole::approval)
        expansion.add(std::move(calls), "approval_request_message", std::optional(message.id));
    else
        expansion.add(std::move(calls), "tool_call_message");
}

void expand_approvals(const Message& message, Expansion& expansion) {
    if (!message.approvals.has_value()) return;
    ApprovalResponseMessage view;
    view.approvals = *message.approvals;
    if (!view.approvals.empty()) {
        const ApprovalDecision& first = view.approvals.front();
        if (first.kind == ApprovalDecision::Kind::approval) view.approve = first.approve;
        view.approval_request_id = first.tool_call_id;
        view.reason = first.reason;
    }
    expansion.add(std::move(view), "approval_response_message", true);
}

void write_return_members(const ToolReturnView& from, bool as_text, std::string& out) {
    out += "\"tool_return\":";
    if (from.parts && !as_text)
        mapping::write(*from.parts, out);
    else
        append_json_string(out, from.tool_return);
    out += ",\"status\":";
    append_json_string(out, from.status);
    out += ",\"tool_call_id\":";
    append_json_string(out, from.tool_call_id);
    write_output_lines(from.stdout_, from.stderr_, out);
}

Schema text_schema() {
    Schema schema;
    schema.type = "string";
    return schema;
}

std::vector<SchemaProperty> return_properties(bool as_text) {
    const Schema text = text_schema();
    Schema content = text;
    if (!as_text) {
        content = Schema();
        content.any_of = {text, mapping::schema_of_type<std::vector<ContentPart>>()};
    }
    const Schema lines = mapping::schema_of_type<std::optional<std::vector<std::string>>>();
    return {{"tool_return", content, {}},
            {"status", text, {}},
            {"tool_call_id", text, {}},
            {"stdout", lines, {}},
            {"stderr", lines, {}}};
}

// In a group several agents speak: what comes from one of them names it.
std::optional<std::string> sender_of(const Message& message) {
    const bool own = message.role == MessageRole::assistant || message.role == MessageRole::tool ||
                     (message.role == MessageRole::approval && !message.tool_calls.empty());
    return own && message.group_id && !message.sender_id ? message.agent_id : message.sender_id;
}

}  // namespace

void write_json(const ToolReturnView& from, std::string& out) {
    out += "{\"type\":";
    append_json_string(out, from.type);
    out += ',';
    write_return_members(from, false, out);
    out += '}';
}

Schema json_schema(const ToolReturnView*) {
    Schema schema;
    schema.type = "object";
    schema.properties = return_properties(false);
    return schema;
}

void write_json(const ToolReturnMessage& from, std::string& out) {
    out += '{';
    bool first = true;
    mapping::write_members<MessageHead>(from, out, first);
    out += ',';
    write_return_members(from.first, true, out);
    out += ",\"tool_returns\":";
    mapping::write(from.tool_returns, out);
    out += '}';
}

Schema json_schema(const ToolReturnMessage*) {
    Schema schema = mapping::schema_of_type<MessageHead>();
    for (SchemaProperty& property : return_properties(true)) schema.properties.push_back(std::move(property));
    schema.properties.push_back({"tool_returns", mapping::schema_of_type<std::vector<ToolReturnView>>(), {}});
    return schema;
}

const MessageHead& head_of(const LettaMessage& message) {
    return std::visit([](const auto& view) -> const MessageHead& { return view; }, message);
}

MessageHead& head_of(LettaMessage& message) {
    return std::visit([](auto& view) -> MessageHead& { return view; }, message);
}

std::string part_otid(const std::string& message_id, std::size_t index) {
    const std::size_t dash = message_id.find('-');
    std::string uuid = message_id.substr(dash == std::string::npos ? 0 : dash + 1);
    if (uuid.size() != 36) return uuid;
    constexpr char hex[] = "0123456789abcdef";
    const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    const int high = (digit(uuid[34]) & 8) | static_cast<int>((index >> 4) & 7);
    uuid[34] = hex[high];
    uuid[35] = hex[index & 15];
    return uuid;
}

MessageHead message_head(const Message& message, const char* type) {
    MessageHead head;
    head.id = message.id;
    head.date = to_iso8601_seconds(message.created_at);
    head.name = message.name;
    head.message_type = type;
    head.otid = message.otid;
    head.sender_id = sender_of(message);
    head.step_id = message.step_id;
    head.run_id = message.run_id;
    return head;
}

std::string unwrapped_user_text(const std::string& text) {
    if (text.empty() || text.front() != '{') return text;
    const auto type = json_member_text(text, "type");
    if (!type || *type != "user_message") return text;
    return json_member_text(text, "message").value_or(text);
}

bool is_speech_return(const Message& message, const ViewOptions& options) {
    return options.use_assistant_message && message.role == MessageRole::tool && message.tool_returns.size() == 1 &&
           message.tool_returns.front().name == options.assistant_message_tool_name &&
           message.tool_returns.front().status != "error";
}

std::vector<LettaMessage> expand(const Message& message, const ViewOptions& options) {
    Expansion expansion(message, options);
    switch (message.role) {
        case MessageRole::system:
        case MessageRole::user: {
            ContentMessage view;
            view.content.parts = message.content;
            if (message.role == MessageRole::user && is_plain_text(message))
                view.content.parts = {text_part(unwrapped_user_text(*message.content.front().text))};
            expansion.add(std::move(view), message.role == MessageRole::user ? "user_message" : "system_message", true);
            break;
        }
        case MessageRole::assistant:
        case MessageRole::approval:
            expand_content(message, options, expansion);
            expand_calls(message, options, expansion);
            expand_approvals(message, expansion);
            break;
        case MessageRole::tool: {
            if (message.tool_returns.empty() || is_speech_return(message, options)) break;
            ToolReturnMessage view;
            for (const MessageToolReturn& tool_return : message.tool_returns)
                view.tool_returns.push_back(view_of(tool_return));
            view.first = view.tool_returns.front();
            expansion.add(std::move(view), "tool_return_message");
            break;
        }
        case MessageRole::summary: {
            if (!wants_summaries(options)) {
                ContentMessage view;
                view.content.parts = message.content;
                expansion.add(std::move(view), "user_message", true);
                break;
            }
            const std::string package = text_of(message);
            SummaryMessage view;
            view.summary = summary_of_package(package);
            view.compaction_stats.text = stats_of_package(package).value_or("null");
            expansion.add(std::move(view), "summary_message");
            break;
        }
    }
    return std::move(expansion.views);
}

std::vector<LettaMessage> expand_all(const std::vector<Message>& messages, const ViewOptions& options) {
    std::vector<LettaMessage> all;
    for (const Message& message : messages)
        for (LettaMessage& view : expand(message, options)) all.push_back(std::move(view));
    return all;
}

namespace {

// The older members are those of the first decision.
std::string approval_members(const Message& message) {
    if (!message.approvals.has_value() || message.approvals->empty())
        return "\"approval_request_id\":null,\"approve\":null,\"denial_reason\":null,\"approvals\":null";
    const ApprovalDecision& first = message.approvals->front();
    const bool verdict = first.kind == ApprovalDecision::Kind::approval;
    std::string out = "\"approval_request_id\":" + json_string(first.tool_call_id) + ",\"approve\":" +
                      (!verdict        ? "null"
                       : first.approve ? "true"
                                       : "false") +
                      ",\"denial_reason\":";
    mapping::write(first.reason, out);
    out += ",\"approvals\":";
    mapping::write(*message.approvals, out);
    return out;
}

}  // namespace

std::string internal_message_json(const Message& message, const std::string& timezone,
                                  const std::optional<std::string>& batch_item_id) {
    std::string out = "{\"created_by_id\":null,\"last_updated_by_id\":null,\"created_at\":\"";
    out += to_iso8601(message.created_at);
    out += "\",\"updated_at\":null,\"id\":";
    append_json_string(out, message.id);
    out += ",\"agent_id\":";
    append_json_string(out, message.agent_id);
    out += ",\"model\":";
    mapping::write(message.model, out);
    out += ",\"role\":";
    mapping::write(message.role, out);
    out += ",\"content\":";
    std::vector<ContentPart> content = message.content;
    if (message.role == MessageRole::tool)
        for (const MessageToolReturn& tool_return : message.tool_returns)
            content.push_back(text_part(packaged_return(tool_return, message.created_at, timezone)));
    mapping::write(content, out);
    out += ",\"name\":";
    mapping::write(message.name, out);
    out += ",\"tool_calls\":";
    if (message.tool_calls.empty()) {
        out += "null";
    } else {
        out += '[';
        for (const MessageToolCall& call : message.tool_calls) {
            if (out.back() != '[') out += ',';
            out += "{\"id\":" + json_string(call.id) + ",\"function\":{\"arguments\":" + json_string(call.arguments) +
                   ",\"name\":" + json_string(call.name) + "},\"type\":\"function\"}";
        }
        out += ']';
    }
    out += ",\"tool_call_id\":";
    out += message.tool_returns.size() == 1 ? json_string(message.tool_returns.front().tool_call_id) : "null";
    out += ",\"step_id\":";
    mapping::write(message.step_id, out);
    out += ",\"run_id\":";
    mapping::write(message.run_id, out);
    out += ",\"otid\":";
    mapping::write(message.otid, out);
    out += ",\"tool_returns\":[";
    for (const MessageToolReturn& tool_return : message.tool_returns) {
        if (out.back() != '[') out += ',';
        out += "{\"tool_call_id\":" + json_string(tool_return.tool_call_id) +
               ",\"status\":" + json_string(tool_return.status);
        write_output_lines(tool_return.stdout_lines, tool_return.stderr_lines, out);
        out += ",\"func_response\":" + json_string(packaged_return(tool_return, message.created_at, timezone)) + '}';
    }
    out += "],\"group_id\":";
    mapping::write(message.group_id, out);
    out += ",\"sender_id\":";
    mapping::write(message.sender_id, out);
    out += ",\"batch_item_id\":";
    mapping::write(batch_item_id, out);
    out += ",\"conversation_id\":";
    out += message.conversation_id.empty() ? "null" : json_string(message.conversation_id);
    return out + ",\"is_err\":null," + approval_members(message) + '}';
}

STELE_JSON_WRITTEN(LettaMessage)
STELE_JSON_WRITTEN(ContentMessage)
STELE_JSON_WRITTEN(ReasoningMessage)
STELE_JSON_WRITTEN(HiddenReasoningMessage)
STELE_JSON_WRITTEN(ToolCallMessage)
STELE_JSON_WRITTEN(ToolCallDeltaMessage)
STELE_JSON_WRITTEN(ToolReturnMessage)
STELE_JSON_WRITTEN(ApprovalResponseMessage)
STELE_JSON_WRITTEN(SummaryMessage)
STELE_JSON_WRITTEN(EventMessage)
STELE_JSON_WRITTEN(MessageHead)

}  // namespace stele
