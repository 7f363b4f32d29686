#pragma once

#include "base/time.hpp"

namespace stele {

/// "2026-01-31T11:20:30.123456+01:00": with the offset that the IANA zone `timezone` has then (UTC if it is unknown).
std::string to_iso8601(Timestamp time, const std::string& timezone);

/// How far clocks in the IANA zone `timezone` are ahead of UTC then (0 if the zone is unknown).
std::chrono::seconds utc_offset(Timestamp time, const std::string& timezone);

/// The moment when clocks in the IANA zone `timezone` show `clock`, a reading held as if it were UTC. Of two such
/// moments (when clocks are set back) one is given; an unknown zone is UTC.
Timestamp from_clock(Timestamp clock, const std::string& timezone);

}  // namespace stele
