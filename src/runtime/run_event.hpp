#pragma once

#include "domain/message_view.hpp"

#include <memory>

namespace stele::runtime {

/// What a run tells its readers: a message, or a piece of one that is being written. All pieces of a part share its
/// `shape`, the message without its text: so a piece costs the log little more than its own bytes.
class RunEvent {
public:
    template <class M>
        requires std::is_constructible_v<LettaMessage, M&&>
    RunEvent(M message) : shape_(std::make_shared<const LettaMessage>(std::move(message))) {}
    RunEvent(std::shared_ptr<const LettaMessage> shape, std::optional<std::string> piece)
        : shape_(std::move(shape)), piece_(std::move(piece)) {}

    /// The message as it is told.
    LettaMessage message() const;

    const std::shared_ptr<const LettaMessage>& shape() const { return shape_; }
    const std::optional<std::string>& piece() const { return piece_; }  ///< nothing: the message is whole

private:
    friend class EventEncoder;

    std::shared_ptr<const LettaMessage> shape_;
    std::optional<std::string> piece_;  ///< nothing: the message is whole
};

/// Writes events as JSON. Keeps what consecutive pieces share, so that each costs one text and no copy of its head.
class EventEncoder {
public:
    /// Appends `event`; a `seq_id` numbers it.
    void encode(const RunEvent& event, std::optional<std::int64_t> seq_id, std::string& out);

private:
    std::shared_ptr<const LettaMessage> shape_;
    LettaMessage copy_;  ///< of `shape_`, filled in
};

}  // namespace stele::runtime
