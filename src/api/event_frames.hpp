#pragma once

#include "api/message_answer.hpp"
#include "domain/message_view.hpp"
#include "domain/run.hpp"
#include "runtime/run_event.hpp"
#include "runtime/run_log.hpp"

namespace stele::api {

/// Puts a run's events into the frames of a stream. Those of a background run are numbered: each carries its seq_id and
/// repeats it as the event's id, by which readers take the stream up again.
class EventFrames {
public:
    EventFrames(const Run& run, StreamOptions options);

    /// The ping with which a stream begins, unless its reader has seen it: the same for every reader.
    void first_ping();

    /// A sign of life: a ping with the number of what was told last, or a comment, which no client sees.
    void ping();

    void event(const runtime::RunEvent& event);

    /// An event of a background run as it is stored.
    void stored(std::int64_t seq_id, std::string_view json);

    void end(const runtime::RunEnd& end);

    /// The server stops before the run has ended.
    void interrupted();

    bool empty() const { return text_.empty(); }
    std::size_t size() const { return text_.size(); }
    std::string take() { return std::exchange(text_, {}); }

private:
    void ping(MessageHead head);
    void add(std::string_view json);
    void error(const std::string& type, const std::string& message, const std::string& detail);

    std::string run_id_;
    Timestamp began_;
    StreamOptions options_;
    std::int64_t told_;  ///< the number of what was told last
    runtime::EventEncoder encoder_;
    std::string json_;  ///< re-used
    std::string text_;
};

}  // namespace stele::api
