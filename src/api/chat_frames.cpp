#include "api/chat_frames.hpp"

#include "net/sse.hpp"
#include "runtime/run_failure.hpp"

namespace stele::api {
namespace {

constexpr char between_messages[] = "\n";

std::int64_t now_seconds() { return to_micros(now()) / 1'000'000; }

std::string id_of(const std::string& run_id) { return "chatcmpl-" + run_id; }

// What the agent says in `message`; null if it does something else.
const ContentMessage* speech_of(const LettaMessage& message) {
    const auto* said = std::get_if<ContentMessage>(&message);
    return said != nullptr && said->message_type == "assistant_message" ? said : nullptr;
}

std::string text_of_content(const MessageContent& content) {
    std::string text;
    for (const ContentPart& part : content.parts) text += part.text.value_or("");
    return text;
}

const char* finish_of(const runtime::RunEnd& end) {
    return end.reason == StopReason::max_tokens_exceeded ? "length" : "stop";
}

ChatUsage usage_of(const UsageStatistics& counts) {
    return ChatUsage{counts.completion_tokens, counts.prompt_tokens, counts.total_tokens};
}

}  // namespace

ChatFrames::ChatFrames(const std::string& run_id, std::string model, bool include_usage)
    : include_usage_(include_usage) {
    head_.id = id_of(run_id);
    head_.created = now_seconds();
    head_.model = std::move(model);
}

void ChatFrames::message(const LettaMessage& message) {
    const ContentMessage* said = speech_of(message);
    if (said == nullptr) return;
    const std::string otid = said->otid.value_or(said->id);
    std::string text = text_of_content(said->content);
    if (text.empty()) return;
    if (!last_otid_.empty() && otid != last_otid_) text.insert(0, between_messages);
    delta(std::move(text));
    last_otid_ = otid;
}

void ChatFrames::delta(std::string content) {
    ChatCompletionChunk chunk = head_;
    ChatChunkChoice& choice = chunk.choices.emplace_back();
    choice.delta.content = std::move(content);
    if (last_otid_.empty()) choice.delta.role = "assistant";
    add(chunk);
}

void ChatFrames::keep_alive() { net::append_sse_comment(text_, "at work"); }

void ChatFrames::end(const runtime::RunEnd& end) {
    if (end.failure) return error(end.failure->what());
    ChatCompletionChunk chunk = head_;
    chunk.choices.emplace_back().finish_reason = finish_of(end);
    add(chunk);
    if (include_usage_) {
        ChatCompletionChunk counts = head_;
        counts.usage = usage_of(end.usage);
        add(counts);
    }
    net::append_sse_json(text_, "[DONE]");
}

void ChatFrames::interrupted() { error("The server stopped before the run had ended"); }

void ChatFrames::error(const std::string& message) {
    ChatError told;
    told.message = message;
    told.type = "server_error";
    net::append_sse_json(text_, "{\"error\":" + to_json(told) + "}");
    net::append_sse_json(text_, "[DONE]");
}

void ChatFrames::add(const ChatCompletionChunk& chunk) { net::append_sse_json(text_, to_json(chunk)); }

ChatCompletion ChatFrames::whole(const runtime::RunLog& log, const runtime::RunEnd& end, std::string model) {
    ChatCompletion completion;
    completion.id = id_of(log.run_id());
    completion.created = now_seconds();
    completion.model = std::move(model);
    completion.usage = usage_of(end.usage);
    ChatChoice& choice = completion.choices.emplace_back();
    choice.finish_reason = finish_of(end);
    std::string& content = choice.message.content;
    for (const auto& event : log.messages(0)) {
        const LettaMessage message = event.message();
        const ContentMessage* said = speech_of(message);
        const std::string text = said == nullptr ? std::string() : text_of_content(said->content);
        if (!text.empty()) content += (content.empty() ? "" : between_messages) + text;
    }
    return completion;
}

ChatError chat_error(const Error& error) {
    ChatError told;
    told.message = error.what();
    switch (error.code) {
        case ErrorCode::unauthenticated:
            told.type = "authentication_error";
            break;
        case ErrorCode::permission_denied:
            told.type = "permission_error";
            break;
        case ErrorCode::rate_limited:
            told.type = "rate_limit_error";
            break;
        case ErrorCode::model_failed:
        case ErrorCode::timed_out:
        case ErrorCode::unavailable:
        case ErrorCode::cancelled:
        case ErrorCode::internal:
            told.type = "server_error";
            break;
        default:
            told.type = "invalid_request_error";
    }
    if (!error.fields.empty()) told.message.clear();
    for (const Error::Field& field : error.fields) {
        told.message += (told.message.empty() ? "" : "; ") + field.where + ": " + field.problem;
        if (!told.param) told.param = field.where.substr(field.where.find('.') + 1);
    }
    if (error.code == ErrorCode::not_found) told.code = "model_not_found";
    if (error.code == ErrorCode::internal) told.message = "An unknown error occurred";
    return told;
}

}  // namespace stele::api
