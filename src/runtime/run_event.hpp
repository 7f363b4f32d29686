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

/// Writes events as JSON. What consecutive pieces share is encoded once; of each but its own text is.
class EventEncoder {
public:
    /// Appends `event`; a `seq_id` numbers it.
    void encode(const RunEvent& event, std::optional<std::int64_t> seq_id, std::string& out);

private:
    void take_frame(std::shared_ptr<const LettaMessage> shape);

    std::shared_ptr<const LettaMessage> shape_;
    LettaMessage copy_;  ///< of `shape_`, filled in
    std::shared_ptr<const LettaMessage> framed_;
    std::vector<std::string> frame_;  ///< the JSON of `framed_`, parted where its piece stands
};

}  // namespace stele::runtime
