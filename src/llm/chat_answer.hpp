#pragma once

#include "llm/model.hpp"
#include "llm/reasoning_details.hpp"
#include "net/sse.hpp"

#include <boost/json/fwd.hpp>
#include <boost/system/result.hpp>

namespace stele::llm {

/// A whole answer of the chat-completions protocol ("object":"chat.completion"), read leniently: unknown members are
/// ignored, arguments may be an object instead of a text. Fails with errc::bad_message for what is no such answer.
boost::system::result<ModelAnswer> read_chat_answer(std::string_view body);

/// `answer` in the protocol's own form, for the trace of a step whose answer came as a stream.
std::string chat_answer_json(const ModelAnswer& answer);

/// Turns the bytes of a streamed answer into deltas and puts them together. No I/O, no clock: cut anywhere, they give
/// the same deltas and the same answer. Source: OpenAI API reference, "Chat completions streaming"; what imitators do
/// differently (no index, no id, usage on every chunk, reasoning under two names) is taken too.
class ChatStreamDecoder {
public:
    /// Appends the deltas that `bytes` complete. Fails with errc::bad_message for data that is no JSON object, with
    /// errc::message_size for a stream that does not end.
    boost::system::result<void> feed(std::string_view bytes, std::vector<Delta>& out);

    /// True once the stream said how it ended (finish_reason or [DONE]); a stream that ends before that was cut.
    bool complete() const { return finished_ || done_; }
    bool done() const { return done_; }

    /// The body of an error object that came within the stream, or empty.
    const std::string& error_body() const { return error_body_; }

    /// The answer so far. Each of its tool calls has an id of its own, whatever the server sent.
    ModelAnswer finish();

private:
    struct OpenCall {
        std::int64_t index = 0;
        std::string sent_id;  ///< as the server names it, which need not be unique
        ToolCall call;
        bool announced = false;
        std::string waiting;  ///< arguments that came before the name
    };

    void take_chunk(const boost::json::object& chunk, std::vector<Delta>& out);
    void take_delta(const boost::json::object& delta, std::vector<Delta>& out);
    void take_call(const boost::json::object& call, std::vector<Delta>& out);
    OpenCall& call_for(const boost::json::object& call);
    std::string id_for(const OpenCall& call, std::string sent) const;

    net::SseReader reader_;
    ModelAnswer answer_;
    std::vector<OpenCall> calls_;
    ReasoningDetails reasoning_details_;
    std::string error_body_;
    std::size_t bytes_ = 0;
    bool finished_ = false;
    bool done_ = false;
};

}  // namespace stele::llm
