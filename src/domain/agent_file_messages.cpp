// Messages of agent files: between the store's form and the file's.
#include "domain/agent_file.hpp"

#include "base/ids.hpp"
#include "domain/json_mapping.hpp"

namespace stele {
namespace {

FileToolReturn file_return(const MessageToolReturn& from, Timestamp time, const std::string& timezone) {
    FileToolReturn into;
    into.tool_call_id = from.tool_call_id;
    into.status = from.status;
    into.stdout = from.stdout_lines;
    into.stderr = from.stderr_lines;
    if (from.parts.has_value()) {
        into.func_response.text.clear();
        mapping::write(*from.parts, into.func_response.text);
    } else {
        into.func_response.text = json_string(packaged_return(from, time, timezone));
    }
    return into;
}

// {"status", "message", "time"} as models read it; nothing if `text` is anything else.
struct Unpacked {
    bool failed = false;
    std::string message;
    bool is_object = false;
};
std::optional<Unpacked> unpack(const std::string& text) {
    const auto parsed = parse_json_value(text);
    if (!parsed.problem.empty() || !parsed.value.is_object()) return std::nullopt;
    const auto& object = parsed.value.get_object();
    const auto* status = object.if_contains("status");
    const auto* message = object.if_contains("message");
    if (status == nullptr || !status->is_string() || message == nullptr) return std::nullopt;
    Unpacked found;
    found.failed = status->get_string() != "OK";
    found.is_object = !message->is_string();
    found.message = found.is_object ? boost::json::serialize(*message)
                                    : std::string(message->get_string().data(), message->get_string().size());
    return found;
}

void take_result(const std::string& text, MessageToolReturn& into) {
    if (auto unpacked = unpack(text)) {
        into.value = std::move(unpacked->message);
        into.is_object = unpacked->is_object;
        if (unpacked->failed) into.status = "error";
    } else {
        into.value = text;
    }
}

// Nothing for a list of anything but texts and images: that is a result like any other.
std::optional<std::vector<ContentPart>> parts_of(const std::string& list) {
    const auto parsed = parse_json_value(list);
    if (!parsed.problem.empty()) return std::nullopt;
    Problems problems{""};
    problems.takes_nul = true;
    std::vector<ContentPart> parts;
    mapping::read(parsed.value, parts, problems);
    for (const ContentPart& part : parts)
        if (part.type != "text" && part.type != "image") return std::nullopt;
    return problems.empty() ? std::optional(std::move(parts)) : std::nullopt;
}

MessageToolReturn stored_return(const FileToolReturn& from) {
    MessageToolReturn into;
    into.tool_call_id = from.tool_call_id.value_or("");
    into.status = from.status == "error" ? "error" : "success";
    into.stdout_lines = from.stdout;
    into.stderr_lines = from.stderr;
    const std::string& response = from.func_response.text;
    if (response.starts_with('"')) {
        take_result(json_member_text("{\"v\":" + response + "}", "v").value_or(""), into);
    } else if (response.starts_with('[')) {
        if (auto parts = parts_of(response)) {
            into.value = plain_text(*parts);
            into.parts = std::move(*parts);
        } else {
            into.value = response;
            into.is_object = true;
        }
    } else if (response != "null") {
        into.value = response;
        into.is_object = response.starts_with('{');
    }
    return into;
}

std::string joined_text(const std::vector<ContentPart>& parts) {
    MessageBody body;
    body.content = parts;
    return text_of(body);
}

// The returns of a message of role tool, in either of the forms there have been.
void take_returns(const FileMessage& from, Message& into) {
    for (const FileToolReturn& each : from.tool_returns) into.tool_returns.push_back(stored_return(each));
    if (into.tool_returns.empty()) {
        MessageToolReturn& only = into.tool_returns.emplace_back();
        take_result(joined_text(from.content.parts), only);
    }
    MessageToolReturn& first = into.tool_returns.front();
    if (first.tool_call_id.empty()) first.tool_call_id = from.tool_call_id.value_or("");
    into.content.clear();  // the same once more, as models read it
}

// An answer to the request for approval of the calls `asked`, which may have none of the newer members.
std::vector<ApprovalDecision> decisions_of(const FileMessage& from, const std::vector<MessageToolCall>& asked) {
    std::vector<ApprovalDecision> decisions = from.approvals;
    if (!decisions.empty() || !from.approve) return decisions;
    for (const MessageToolCall& call : asked) {
        ApprovalDecision decision;
        decision.tool_call_id = call.id;
        decision.approve = *from.approve;
        decision.reason = from.denial_reason;
        decisions.push_back(std::move(decision));
    }
    return decisions;
}

}  // namespace

void read_json(const boost::json::value& from, FileContent& into, Problems& problems) {
    into.parts.clear();
    if (from.is_null()) return;
    MessageContent content;
    read_json(from, content, problems);
    into.parts = std::move(content.parts);
}

void write_json(const FileContent& from, std::string& out) { mapping::write(from.parts, out); }

Schema json_schema(const FileContent*) { return mapping::schema_of_type<MessageContent>(); }

FileMessage file_message(const Message& message, const std::string& timezone) {
    FileMessage into;
    into.otid = message.otid;
    into.group_id = message.group_id;
    into.role = message.role;
    into.content.parts = message.content;
    for (ContentPart& part : into.content.parts)
        if (part.type == "text" && !part.signature.present()) part.signature = std::nullopt;
    into.name = message.name;
    into.sender_id = message.sender_id;
    into.id = message.id;
    into.model = message.model;
    into.agent_id = message.agent_id;
    into.created_at = message.created_at;
    if (!message.tool_calls.empty()) {
        into.tool_calls.emplace();
        for (const MessageToolCall& call : message.tool_calls) {
            FileToolCall each;
            each.id = call.id;
            each.function.name = call.name;
            each.function.arguments = call.arguments;
            into.tool_calls->push_back(std::move(each));
        }
    }
    for (const MessageToolReturn& each : message.tool_returns) {
        into.content.parts.push_back(text_part(packaged_return(each, message.created_at, timezone)));
        into.tool_returns.push_back(file_return(each, message.created_at, timezone));
    }
    if (!message.tool_returns.empty()) {
        into.tool_call_id = message.tool_returns.front().tool_call_id;
        if (!into.name && !message.tool_returns.front().name.empty()) into.name = message.tool_returns.front().name;
    }
    if (message.approvals.has_value() && !message.approvals->empty()) {
        into.approvals = *message.approvals;
        const ApprovalDecision& first = message.approvals->front();
        if (first.kind == ApprovalDecision::Kind::approval) into.approve = first.approve;
        into.denial_reason = first.reason;
    }
    return into;
}

Message StoredMessages::next(const FileMessage& from) {
    Message into;
    into.id = new_id("message");
    into.role = from.role;
    into.content = from.content.parts;
    into.name = from.name;
    into.otid = from.otid;
    into.sender_id = from.sender_id;
    into.model = from.model;
    into.created_at = from.created_at == Timestamp{} ? now() : from.created_at;
    if (from.tool_calls)
        for (const FileToolCall& call : *from.tool_calls) {
            into.tool_calls.push_back({call.id, call.function.name, call.function.arguments});
            if (names_.insert_or_assign(call.id, call.function.name).second) calls_.push_back(call.id);
            if (calls_.size() <= calls_max) continue;
            names_.erase(calls_.front());
            calls_.pop_front();
        }
    if (from.role == MessageRole::tool) take_returns(from, into);
    for (MessageToolReturn& each : into.tool_returns) {
        const auto called = names_.find(each.tool_call_id);
        each.name = called != names_.end() ? called->second : from.name.value_or("");
    }
    if (from.role == MessageRole::tool) into.name.reset();
    if (from.role == MessageRole::approval) {
        auto decisions = decisions_of(from, asked_);
        if (!decisions.empty()) into.approvals = std::move(decisions);
    }
    if (is_approval_request(into)) asked_ = into.tool_calls;
    return into;
}

STELE_JSON_WRITTEN(FileMessage)

}  // namespace stele
