#pragma once

#include "domain/chat_completion.hpp"
#include "domain/message_view.hpp"
#include "runtime/run_log.hpp"

namespace stele::api {

/// A run as the chunks of a chat completion: only what the agent says is told. Pure but for the clock at its making.
class ChatFrames {
public:
    /// `model`: what answers are to name.
    ChatFrames(const std::string& run_id, std::string model, bool include_usage);

    void message(const LettaMessage& message);
    void keep_alive();

    /// The one finish_reason, usage if it was asked for, and [DONE]; after a failure the error in their place.
    void end(const runtime::RunEnd& end);
    void interrupted();

    bool empty() const { return text_.empty(); }
    std::string take() { return std::exchange(text_, {}); }

    /// The whole run as one answer.
    static ChatCompletion whole(const runtime::RunLog& log, const runtime::RunEnd& end, std::string model);

private:
    void delta(std::string content);
    void add(const ChatCompletionChunk& chunk);
    void error(const std::string& message);

    ChatCompletionChunk head_;
    bool include_usage_;
    std::string last_otid_;  ///< of the message that is being told
    std::string text_;
};

/// An error in OpenAI's shape.
ChatError chat_error(const Error& error);

}  // namespace stele::api
