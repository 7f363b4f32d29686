#pragma once

#include "base/time.hpp"

#include <optional>
#include <string_view>

namespace stele::knowledge {

enum class Bound : std::uint8_t { start, end };

/// What a search's bound says, both of them included: an ISO 8601 time, which without an offset is one that clocks in
/// the IANA zone `timezone` show, or a date alone, which is its whole day there: as a start its first moment, as an end
/// its last. Nothing if `text` is neither.
std::optional<Timestamp> parse_bound(std::string_view text, Bound bound, const std::string& timezone);

}  // namespace stele::knowledge
