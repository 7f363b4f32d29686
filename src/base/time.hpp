#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stele {

/// A moment in UTC, in microseconds: the precision that the API shows and the store keeps.
using Timestamp = std::chrono::sys_time<std::chrono::microseconds>;

Timestamp now();

/// Microseconds since 1970 and back: the form in the store.
constexpr std::int64_t to_micros(Timestamp time) { return time.time_since_epoch().count(); }
constexpr Timestamp from_micros(std::int64_t micros) { return Timestamp(std::chrono::microseconds(micros)); }

/// "2026-01-31T10:20:30.123456Z"; without the fraction when it is zero.
std::string to_iso8601(Timestamp time);

/// "2026-01-31T10:20:30+00:00": the form of a message's date.
std::string to_iso8601_seconds(Timestamp time);

/// ISO 8601 with `T` or a space, fraction and offset optional (without one: UTC); a date alone is its midnight.
/// Nothing if `text` is no such date.
std::optional<Timestamp> parse_iso8601(std::string_view text);

/// "2026-01-31 10:20:30 AM UTC+0000": how prompts show a time, in the IANA zone `timezone` (UTC if it is unknown).
std::string to_prompt_time(Timestamp time, const std::string& timezone);

/// True if this machine knows the IANA zone.
bool is_timezone(const std::string& timezone);

/// Strictly increasing in this process and close to the clock: microseconds since 1970, or one more than the last
/// value given. Orders messages that are written within one microsecond. Thread-safe.
std::int64_t next_position();

}  // namespace stele
