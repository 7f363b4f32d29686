#pragma once

#include "base/time.hpp"

#include <functional>

namespace stele {

/// A reading of clocks in some zone, held as if it were UTC.
using ClockReading = Timestamp;

/// The clocks of one zone: what they show at a moment, and when they show something. Clocks that are set forward skip
/// readings, clocks that are set back show some twice.
class WallClock {
public:
    /// How far the clocks are ahead of UTC at a moment.
    using Offset = std::function<std::chrono::seconds(Timestamp)>;

    /// The clocks of the IANA zone of that name; an unknown one is UTC.
    explicit WallClock(std::string zone);
    explicit WallClock(Offset offset) : offset_(std::move(offset)) {}

    ClockReading shown(Timestamp moment) const { return moment + offset_(moment); }

    /// The first moment at which the clocks show `reading` or, when they skip it, something later. Never falls when
    /// `reading` grows.
    Timestamp moment(ClockReading reading) const;

private:
    Offset offset_;
};

}  // namespace stele
