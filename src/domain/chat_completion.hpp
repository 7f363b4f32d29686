#pragma once

#include "domain/chat_parameters.hpp"
#include "domain/message.hpp"
#include "domain/run.hpp"

#include <array>

/// The chat-completions form of OpenAI's API ("Chat completions", 2025-06), in which an agent stands where a model
/// does.
namespace stele {

struct ChatInputMessage {
    std::string role;
    Patch<Json> content;  ///< a text, or a list of parts
};
BOOST_DESCRIBE_STRUCT(ChatInputMessage, (), (role, content))

struct ChatStreamOptions {
    bool include_usage = false;
};
BOOST_DESCRIBE_STRUCT(ChatStreamOptions, (), (include_usage))

/// Body of POST /v1/chat/completions. Other members mean nothing to an agent.
struct ChatCompletionRequest : ChatParameters {
    std::string model;  ///< an agent's id, where the path has none
    std::vector<ChatInputMessage> messages;
    Patch<bool> stream;
    Patch<ChatStreamOptions> stream_options;
};
BOOST_DESCRIBE_STRUCT(ChatCompletionRequest, (ChatParameters), (model, messages, stream, stream_options))
constexpr std::array<std::string_view, 1> required_members(const ChatCompletionRequest*) { return {"messages"}; }

/// What the last user message of `request` says: the agent remembers the ones before. Throws Error{invalid_argument} if
/// there is none, or one of its parts is of no kind that an agent takes.
MessageContent last_user_content(const ChatCompletionRequest& request);

struct ChatUsage {
    std::int64_t completion_tokens = 0;
    std::int64_t prompt_tokens = 0;
    std::int64_t total_tokens = 0;
};
BOOST_DESCRIBE_STRUCT(ChatUsage, (), (completion_tokens, prompt_tokens, total_tokens))

struct ChatMessage {
    std::string content;
    std::optional<std::string> refusal;
    std::string role = "assistant";
};
BOOST_DESCRIBE_STRUCT(ChatMessage, (), (content, refusal, role))

struct ChatChoice {
    std::string finish_reason = "stop";
    std::int64_t index = 0;
    Json logprobs;
    ChatMessage message;
};
BOOST_DESCRIBE_STRUCT(ChatChoice, (), (finish_reason, index, logprobs, message))

struct ChatCompletion {
    std::string id;  ///< "chatcmpl-<run id>"
    std::vector<ChatChoice> choices;
    std::int64_t created = 0;  ///< seconds since 1970
    std::string model;
    std::string object = "chat.completion";
    Json service_tier;
    Json system_fingerprint;
    ChatUsage usage;
};
BOOST_DESCRIBE_STRUCT(ChatCompletion, (),
                      (id, choices, created, model, object, service_tier, system_fingerprint, usage))

struct ChatDelta {
    std::optional<std::string> content;
    Json function_call;
    std::optional<std::string> refusal;
    std::optional<std::string> role;
    Json tool_calls;
};
BOOST_DESCRIBE_STRUCT(ChatDelta, (), (content, function_call, refusal, role, tool_calls))

struct ChatChunkChoice {
    ChatDelta delta;
    std::optional<std::string> finish_reason;
    std::int64_t index = 0;
    Json logprobs;
};
BOOST_DESCRIBE_STRUCT(ChatChunkChoice, (), (delta, finish_reason, index, logprobs))

struct ChatCompletionChunk {
    std::string id;
    std::vector<ChatChunkChoice> choices;
    std::int64_t created = 0;
    std::string model;
    std::string object = "chat.completion.chunk";
    Json service_tier;
    Json system_fingerprint;
    std::optional<ChatUsage> usage;
};
BOOST_DESCRIBE_STRUCT(ChatCompletionChunk, (),
                      (id, choices, created, model, object, service_tier, system_fingerprint, usage))

struct ChatError {
    std::string message;
    std::string type;
    std::optional<std::string> param;
    std::optional<std::string> code;
};
BOOST_DESCRIBE_STRUCT(ChatError, (), (message, type, param, code))

}  // namespace stele
