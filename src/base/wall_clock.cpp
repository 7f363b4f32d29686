#include "base/wall_clock.hpp"

#include "base/time_zone.hpp"

#include <algorithm>

namespace stele {
namespace {

// No zone is further from UTC, and none changes its clocks twice in so short a time.
constexpr std::chrono::hours offset_max{24};

}  // namespace

WallClock::WallClock(std::string zone)
    : offset_([name = std::move(zone)](Timestamp moment) { return utc_offset(moment, name); }) {}

Timestamp WallClock::moment(ClockReading reading) const {
    const std::chrono::seconds before = offset_(reading - offset_max), after = offset_(reading + offset_max);
    const Timestamp by_old = reading - before, by_new = reading - after;
    const bool old_holds = shown(by_old) == reading, new_holds = shown(by_new) == reading;
    if (old_holds && new_holds) return std::min(by_old, by_new);
    if (old_holds) return by_old;
    if (new_holds) return by_new;
    // Skipped: the clocks are set forward between the two. The first moment of the new offset is what is wanted.
    Timestamp low = std::min(by_old, by_new), high = std::max(by_old, by_new);
    while (high - low > std::chrono::seconds(1)) {
        const Timestamp middle = std::chrono::floor<std::chrono::seconds>(low + (high - low) / 2);
        (offset_(middle) == after ? high : low) = middle;
    }
    return high;
}

}  // namespace stele
