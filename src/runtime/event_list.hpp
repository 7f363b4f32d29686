#pragma once

#include "runtime/run_event.hpp"

#include <cstdint>
#include <deque>

namespace stele::runtime {

/// The events of a run, in order, kept small: pieces of one part lie end to end in one text, so that a token costs its
/// bytes and four more (measured: 32 where an event of its own took 90). Not thread-safe.
class EventList {
public:
    void append(RunEvent event);

    std::size_t size() const { return size_; }

    /// Those from number `from` on, at most `most`.
    std::vector<RunEvent> range(std::size_t from, std::size_t most) const;

private:
    /// A whole message, or consecutive pieces of one shape.
    struct Part {
        std::size_t first = 0;  ///< the number of its first event
        std::shared_ptr<const LettaMessage> shape;
        bool whole = true;
        std::string text;
        std::vector<std::uint32_t> ends;  ///< of each piece in `text`
    };
    static std::size_t count(const Part& part) { return part.whole ? 1 : part.ends.size(); }
    static RunEvent event(const Part& part, std::size_t number);

    std::deque<Part> parts_;
    std::size_t size_ = 0;
};

}  // namespace stele::runtime
