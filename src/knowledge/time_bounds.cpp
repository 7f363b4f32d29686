#include "knowledge/time_bounds.hpp"

#include "base/wall_clock.hpp"

namespace stele::knowledge {

std::optional<Timestamp> parse_bound(std::string_view text, Bound bound, const std::string& timezone) {
    constexpr std::size_t date_characters = 10;
    const auto time = parse_iso8601(text);
    if (!time) return std::nullopt;
    if (text.size() > date_characters && text.find_first_of("Zz+-", date_characters) != std::string_view::npos)
        return time;
    const WallClock clock{timezone};
    const bool whole_day = bound == Bound::end && text.size() <= date_characters;
    if (!whole_day) return clock.moment(*time);
    return clock.moment(*time + std::chrono::hours(24)) - std::chrono::microseconds(1);
}

}  // namespace stele::knowledge
