#include "base/cron.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <span>
#include <vector>

namespace stele {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;

constexpr std::size_t text_bytes_max = 256;

// 29 February may be eight years away, around a century that is no leap year.
constexpr days search_max{366 * 9};

constexpr std::string_view month_names[] = {"jan", "feb", "mar", "apr", "may", "jun",
                                            "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::string_view weekday_names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

struct Field {
    std::string_view name;
    int low, high;
    std::span<const std::string_view> names = {};  ///< of the values from `low` on
};

constexpr Field minute_field{"minute", 0, 59};
constexpr Field hour_field{"hour", 0, 23};
constexpr Field day_field{"day of month", 1, 31};
constexpr Field month_field{"month", 1, 12, month_names};
constexpr Field weekday_field{"weekday", 0, 7, weekday_names};

std::string lowered(std::string_view text) {
    std::string low(text);
    for (char& c : low) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return low;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    for (;;) {
        const std::size_t end = text.find(separator);
        parts.push_back(text.substr(0, end));
        if (end == std::string_view::npos) return parts;
        text.remove_prefix(end + 1);
    }
}

std::vector<std::string_view> words(std::string_view text) {
    std::vector<std::string_view> found;
    constexpr std::string_view blanks = " \t";
    for (std::size_t at = text.find_first_not_of(blanks); at != std::string_view::npos;) {
        const std::size_t end = std::min(text.find_first_of(blanks, at), text.size());
        found.push_back(text.substr(at, end - at));
        at = text.find_first_not_of(blanks, end);
    }
    return found;
}

std::optional<int> number_of(std::string_view text) {
    int number = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failure != std::errc() || end != text.data() + text.size() || text.front() == '-') return std::nullopt;
    return number;
}

/// Reads one field. The first problem stands.
class FieldReader {
public:
    FieldReader(const Field& field, std::string& problem) : field_(field), problem_(problem) {}

    template <std::size_t N>
    std::bitset<N> read(std::string_view text) {
        std::bitset<N> values;
        for (const std::string_view element : split(text, ','))
            read_element(element, [&](int value) { values.set(static_cast<std::size_t>(value)); });
        return values;
    }

private:
    template <class Set>
    void read_element(std::string_view text, Set set) {
        const std::size_t slash = text.find('/');
        const std::string_view range = text.substr(0, slash);
        const std::optional<int> step =
            slash == std::string_view::npos ? std::optional(1) : step_of(text.substr(slash + 1));
        if (!step) return;
        int low = field_.low, high = field_.high;
        if (range != "*") {
            const std::size_t dash = range.find('-');
            const auto first = value_of(range.substr(0, dash));
            if (!first) return;
            low = *first;
            if (dash != std::string_view::npos) {
                const auto last = value_of(range.substr(dash + 1));
                if (!last) return;
                high = *last;
                if (high == 0 && field_.high == 7 && low > 0) high = 7;  // FRI-SUN
            } else if (slash == std::string_view::npos) {
                high = low;
            }
        } else if (field_.high == 7) {
            high = 6;  // Sunday is there once, and not each step's last day
        }
        if (low > high) return fail(range, "runs backwards");
        for (int value = low; value <= high; value += *step) set(value);
    }

    std::optional<int> step_of(std::string_view text) {
        const auto step = text.empty() ? std::nullopt : number_of(text);
        const int most = field_.high - field_.low + 1;
        if (step && *step >= 1 && *step <= most) return step;
        fail(text, "is no step between 1 and " + std::to_string(most));
        return std::nullopt;
    }

    std::optional<int> value_of(std::string_view text) {
        const std::string low = lowered(text);
        const auto name = std::find(field_.names.begin(), field_.names.end(), low);
        if (name != field_.names.end()) return field_.low + static_cast<int>(name - field_.names.begin());
        const auto number = text.empty() ? std::nullopt : number_of(text);
        if (number && *number >= field_.low && *number <= field_.high) return number;
        fail(text, "is not within " + std::to_string(field_.low) + "-" + std::to_string(field_.high));
        return std::nullopt;
    }

    void fail(std::string_view text, const std::string& what) {
        if (problem_.empty()) problem_ = std::string(field_.name) + ": '" + std::string(text) + "' " + what;
    }

    const Field& field_;
    std::string& problem_;
};

std::string_view fields_of_word(std::string_view word) {
    struct Word {
        std::string_view word, fields;
    };
    constexpr Word known[] = {{"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}, {"@monthly", "0 0 1 * *"},
                              {"@weekly", "0 0 * * 0"}, {"@daily", "0 0 * * *"},    {"@midnight", "0 0 * * *"},
                              {"@hourly", "0 * * * *"}};
    const std::string low = lowered(word);
    for (const Word& each : known)
        if (each.word == low) return each.fields;
    return {};
}

bool is_printable(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c == '\t' || (c >= ' ' && c <= '~'); });
}

}  // namespace

std::variant<CronExpression, CronExpression::Problem> CronExpression::parse(std::string_view text) {
    if (text.size() > text_bytes_max) return Problem{"is longer than 256 characters"};
    if (!is_printable(text)) return Problem{"holds a character that no cron expression has"};
    std::vector<std::string_view> fields = words(text);
    if (fields.size() == 1 && fields.front().starts_with('@')) {
        const std::string_view word = fields.front();
        fields = words(fields_of_word(word));
        if (fields.empty()) return Problem{"'" + std::string(word) + "' is no word that is known here"};
    }
    if (fields.size() != 5)
        return Problem{"has " + std::to_string(fields.size()) +
                       " fields; five are needed: minute, hour, day of month, month, weekday"};
    CronExpression made;
    std::string problem;
    made.minutes_ = FieldReader(minute_field, problem).read<60>(fields[0]);
    made.hours_ = FieldReader(hour_field, problem).read<24>(fields[1]);
    made.days_ = FieldReader(day_field, problem).read<32>(fields[2]);
    made.months_ = FieldReader(month_field, problem).read<13>(fields[3]);
    made.weekdays_ = FieldReader(weekday_field, problem).read<8>(fields[4]);
    if (!problem.empty()) return Problem{std::move(problem)};
    if (made.weekdays_[7]) made.weekdays_.set(0);
    made.every_hour_ = made.hours_.all();
    made.either_day_ = !fields[2].starts_with('*') && !fields[4].starts_with('*');
    return made;
}

std::optional<Timestamp> CronExpression::next(Timestamp after, const WallClock& clock) const {
    if (!every_hour_) {
        // The moments of readings never fall, so nothing before what the clocks show now can lie behind `after`.
        for (auto reading = next_reading(std::chrono::floor<minutes>(clock.shown(after))); reading;
             reading = next_reading(*reading + minutes(1))) {
            const Timestamp moment = clock.moment(*reading);
            if (moment > after) return std::chrono::ceil<minutes>(moment);
        }
        return std::nullopt;
    }
    // A day that fits holds a time in each of its hours: few minutes are looked at.
    for (Timestamp moment = std::chrono::floor<minutes>(after) + minutes(1);;) {
        const ClockReading shown = clock.shown(moment);
        const std::chrono::sys_days day = std::chrono::floor<days>(shown);
        if (!fits_day(day)) {
            const auto later = next_day(day + days(1));
            if (!later) return std::nullopt;
            moment = std::max<Timestamp>(moment + minutes(1), std::chrono::ceil<minutes>(clock.moment(*later)));
            continue;
        }
        if (minutes_[static_cast<std::size_t>(
                std::chrono::floor<minutes>(shown - std::chrono::floor<hours>(shown)).count())])
            return moment;
        moment += minutes(1);
    }
}

// The first reading at or behind `from`, a whole minute.
std::optional<ClockReading> CronExpression::next_reading(ClockReading from) const {
    for (auto day = next_day(from); day; day = next_day(*day + days(1))) {
        const auto start = std::max(*day, from) - *day;
        for (auto hour = std::chrono::floor<hours>(start); hour < days(1); hour += hours(1)) {
            if (!hours_[static_cast<std::size_t>(hour.count())]) continue;
            for (auto minute = std::max<std::chrono::microseconds>(hour, start); minute < hour + hours(1);
                 minute += minutes(1))
                if (minutes_[static_cast<std::size_t>((minute - hour) / minutes(1))]) return *day + minute;
        }
    }
    return std::nullopt;
}

// The first day that fits, at or behind the day of `from`.
std::optional<ClockReading> CronExpression::next_day(ClockReading from) const {
    const std::chrono::sys_days first = std::chrono::floor<days>(from);
    for (std::chrono::sys_days day = first; day - first < search_max; day += days(1))
        if (fits_day(day)) return day;
    return std::nullopt;
}

bool CronExpression::fits_day(std::chrono::sys_days day) const {
    const std::chrono::year_month_day date(day);
    if (!months_[static_cast<unsigned>(date.month())]) return false;
    const bool by_date = days_[static_cast<unsigned>(date.day())];
    const bool by_weekday = weekdays_[std::chrono::weekday(day).c_encoding()];
    return either_day_ ? by_date || by_weekday : by_date && by_weekday;
}

}  // namespace stele
