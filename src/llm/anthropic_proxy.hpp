#pragma once

#include "llm/foreign_turn.hpp"
#include "net/sse.hpp"

/// Requests in Anthropic's shape that go through this server to somebody else's: what is put into them, and what is
/// read of their answers. Source: Anthropic's API reference, "Messages" and "Streaming messages", version 2023-06-01.
/// Pure.
namespace stele::llm {

/// `request`, a JSON object, with `memory` as the last block of its system prompt: what stands before it keeps its
/// place in the provider's cache.
std::string with_memory(std::string_view request, std::string_view memory);

/// Reads an answer while it passes, whole or as a stream of events; cut anywhere, the bytes give the same.
class AnthropicAnswerReader {
public:
    /// `streamed`: server-sent events, else one JSON object.
    explicit AnthropicAnswerReader(bool streamed) : streamed_(streamed) {}

    void feed(std::string_view bytes);

    /// `messages`: of the request, a JSON array. Nothing if the answer did not come whole, or is too large to be read.
    std::optional<ForeignTurn> finish(std::string_view messages) const;

private:
    void take(std::string_view event);

    bool streamed_;
    bool whole_ = false;
    bool failed_ = false;
    std::string body_;  ///< of an answer that is no stream
    net::SseReader events_;
    std::string text_;
    Usage usage_;
};

}  // namespace stele::llm
