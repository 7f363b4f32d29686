#pragma once

#include "base/wall_clock.hpp"

#include <bitset>
#include <optional>
#include <string_view>
#include <variant>

namespace stele {

/// A cron expression of five fields: minute (0-59), hour (0-23), day of month (1-31), month (1-12, JAN-DEC) and weekday
/// (0-7, SUN-SAT; 0 and 7 are Sunday). A field is a list, joined by commas, of `*`, a value or a range `a-b`; each may
/// have a step (`*/15`, `9-17/2`, `10/5` from 10 to the end). Names are read without case. In place of the fields:
/// @yearly or @annually, @monthly, @weekly, @daily or @midnight, @hourly.
///
/// As in Vixie's cron: when neither day field begins with `*`, a day needs to fit one of the two only, else both.
/// Clocks that change: a time that is skipped comes with the first minute behind the gap, one that is shown twice
/// counts once. Where every hour is meant (`*`) each hour that passes counts: "every ten minutes" neither
/// pauses nor comes twice.
class CronExpression {
public:
    /// What is wrong with a text, for its author.
    struct Problem {
        std::string text;
    };
    static std::variant<CronExpression, Problem> parse(std::string_view text);

    /// The first time behind `after`, a whole minute. Nothing if there is none (30 February). Pure.
    std::optional<Timestamp> next(Timestamp after, const WallClock& clock) const;

private:
    CronExpression() = default;

    std::optional<ClockReading> next_reading(ClockReading from) const;
    std::optional<ClockReading> next_day(ClockReading from) const;
    bool fits_day(std::chrono::sys_days day) const;

    std::bitset<60> minutes_;
    std::bitset<24> hours_;
    std::bitset<32> days_;
    std::bitset<13> months_;
    std::bitset<8> weekdays_;  ///< 7 is folded into 0
    bool every_hour_ = false;  ///< the hour field says nothing
    bool either_day_ = false;  ///< both day fields say something
};

}  // namespace stele
