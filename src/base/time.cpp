#include "base/time_zone.hpp"

#include <fmt/format.h>

#include <atomic>
#include <charconv>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <mutex>

namespace stele {
namespace {

struct Calendar {
    std::chrono::year_month_day date;
    std::chrono::hh_mm_ss<std::chrono::microseconds> clock;
};

Calendar calendar_of(Timestamp time) {
    const auto day = std::chrono::floor<std::chrono::days>(time);
    return {std::chrono::year_month_day(day), std::chrono::hh_mm_ss<std::chrono::microseconds>(time - day)};
}

std::string seconds_text(const Calendar& calendar) {
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(calendar.date.year()),
                       static_cast<unsigned>(calendar.date.month()), static_cast<unsigned>(calendar.date.day()),
                       calendar.clock.hours().count(), calendar.clock.minutes().count(),
                       calendar.clock.seconds().count());
}

// Reads exactly `digits` decimal digits from the front of `text`.
std::optional<int> take_number(std::string_view& text, std::size_t digits) {
    if (text.size() < digits) return std::nullopt;
    int number = 0;
    for (std::size_t i = 0; i < digits; ++i) {
        if (text[i] < '0' || text[i] > '9') return std::nullopt;
        number = number * 10 + (text[i] - '0');
    }
    text.remove_prefix(digits);
    return number;
}

bool take(std::string_view& text, char expected) {
    if (text.empty() || text.front() != expected) return false;
    text.remove_prefix(1);
    return true;
}

}  // namespace

Timestamp now() { return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now()); }

std::string to_iso8601(Timestamp time) {
    const Calendar calendar = calendar_of(time);
    std::string text = seconds_text(calendar);
    if (const auto micros = calendar.clock.subseconds().count(); micros != 0) text += fmt::format(".{:06}", micros);
    return text + "Z";
}

std::string to_iso8601_seconds(Timestamp time) { return seconds_text(calendar_of(time)) + "+00:00"; }

std::optional<Timestamp> parse_iso8601(std::string_view text) {
    const auto year = take_number(text, 4);
    if (!year || !take(text, '-')) return std::nullopt;
    const auto month = take_number(text, 2);
    if (!month || !take(text, '-')) return std::nullopt;
    const auto day = take_number(text, 2);
    if (!day) return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                           std::chrono::day(static_cast<unsigned>(*day))};
    if (!date.ok()) return std::nullopt;
    Timestamp time = std::chrono::sys_days(date);
    if (text.empty()) return time;

    if (!take(text, 'T') && !take(text, 't') && !take(text, ' ')) return std::nullopt;
    const auto hour = take_number(text, 2);
    if (!hour || !take(text, ':')) return std::nullopt;
    const auto minute = take_number(text, 2);
    if (!minute || *hour > 23 || *minute > 59) return std::nullopt;
    int second = 0;
    std::int64_t micros = 0;
    if (take(text, ':')) {
        const auto given = take_number(text, 2);
        if (!given || *given > 60) return std::nullopt;
        second = *given;
        if (take(text, '.') || take(text, ',')) {
            std::size_t digits = 0;
            while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
                if (digits < 6) micros = micros * 10 + (text.front() - '0');
                ++digits;
                text.remove_prefix(1);
            }
            if (digits == 0) return std::nullopt;
            for (; digits < 6; ++digits) micros *= 10;
        }
    }
    time += std::chrono::hours(*hour) + std::chrono::minutes(*minute) + std::chrono::seconds(second) +
            std::chrono::microseconds(micros);
    if (text.empty() || text == "Z" || text == "z") return time;

    const bool behind = text.front() == '-';
    // A '+' of a query string that was not escaped arrives as a space.
    if (!take(text, '+') && !take(text, '-') && !take(text, ' ')) return std::nullopt;
    const auto offset_hours = take_number(text, 2);
    if (!offset_hours) return std::nullopt;
    take(text, ':');
    const auto offset_minutes = text.empty() ? std::optional<int>(0) : take_number(text, 2);
    if (!offset_minutes || !text.empty()) return std::nullopt;
    const auto offset = std::chrono::hours(*offset_hours) + std::chrono::minutes(*offset_minutes);
    return behind ? time + offset : time - offset;
}

bool is_timezone(const std::string& timezone) {
    if (timezone == "UTC") return true;
    if (timezone.empty() || timezone.size() > 64 || timezone.front() == '/' || timezone.find("..") != std::string::npos)
        return false;
    std::error_code ignored;
    return std::filesystem::is_regular_file("/usr/share/zoneinfo/" + timezone, ignored);
}

namespace {

bool is_utc(const std::string& timezone) { return timezone == "UTC" || !is_timezone(timezone); }

// g++ 12 has no std::chrono time zones; the C library knows one zone at a time, so this is serialised.
template <class F>
auto in_zone(const std::string& timezone, F work) {
    static std::mutex zone_mutex;
    const std::lock_guard lock(zone_mutex);
    setenv("TZ", (":" + timezone).c_str(), 1);
    tzset();
    return work();
}

std::time_t seconds_of(Timestamp time) {
    return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

}  // namespace

std::chrono::seconds utc_offset(Timestamp time, const std::string& timezone) {
    if (is_utc(timezone)) return std::chrono::seconds(0);
    return in_zone(timezone, [seconds = seconds_of(time)] {
        std::tm local{};
        localtime_r(&seconds, &local);
        return std::chrono::seconds(local.tm_gmtoff);
    });
}

std::string to_iso8601(Timestamp time, const std::string& timezone) {
    const std::chrono::seconds offset = utc_offset(time, timezone);
    std::string text = to_iso8601(time + offset);
    text.pop_back();  // the Z
    const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(offset).count();
    return text + fmt::format("{}{:02}:{:02}", minutes < 0 ? '-' : '+', std::abs(minutes) / 60, std::abs(minutes) % 60);
}

Timestamp from_clock(Timestamp clock, const std::string& timezone) {
    if (is_utc(timezone)) return clock;
    const std::time_t seconds = seconds_of(clock);
    const std::time_t moment = in_zone(timezone, [seconds] {
        std::tm shown{};
        gmtime_r(&seconds, &shown);
        shown.tm_isdst = -1;
        return std::mktime(&shown);
    });
    return Timestamp(std::chrono::seconds(moment)) + (clock - std::chrono::floor<std::chrono::seconds>(clock));
}

std::string to_prompt_time(Timestamp time, const std::string& timezone) {
    const std::time_t seconds = seconds_of(time);
    std::tm local{};
    char text[64];
    std::size_t size = 0;
    if (is_utc(timezone)) {
        gmtime_r(&seconds, &local);
        size = std::strftime(text, sizeof text, "%Y-%m-%d %I:%M:%S %p UTC+0000", &local);
    } else {
        size = in_zone(timezone, [&] {
            localtime_r(&seconds, &local);
            return std::strftime(text, sizeof text, "%Y-%m-%d %I:%M:%S %p %Z%z", &local);
        });
    }
    return std::string(text, size);
}

std::int64_t next_positions(std::int64_t count) {
    static std::atomic<std::int64_t> last{0};
    const std::int64_t clock = to_micros(now());
    std::int64_t previous = last.load(std::memory_order_relaxed);
    std::int64_t next = 0;
    do {
        next = clock > previous ? clock : previous + 1;
    } while (!last.compare_exchange_weak(previous, next + count - 1, std::memory_order_relaxed));
    return next;
}

std::int64_t next_position() { return next_positions(1); }

}  // namespace stele
