#include "knowledge/time_bounds.hpp"
#include "knowledge/byte_lru.hpp"

#include <gtest/gtest.h>

namespace stele::knowledge {
namespace {

std::string bound(const char* text, Bound which, const char* timezone) {
    const auto time = parse_bound(text, which, timezone);
    return time ? to_iso8601(*time) : "none";
}

struct Row {
    const char* text;
    const char* timezone;
    const char* start;
    const char* end;
};

TEST(ParseBound, KnowsDaysAndTimesOfTheZone) {
    const Row rows[] = {
        {"2026-01-31", "UTC", "2026-01-31T00:00:00Z", "2026-01-31T23:59:59.999999Z"},
        {"2026-01-31", "Asia/Tokyo", "2026-01-30T15:00:00Z", "2026-01-31T14:59:59.999999Z"},
        {"2026-01-31", "America/New_York", "2026-01-31T05:00:00Z", "2026-02-01T04:59:59.999999Z"},
        // Clocks are set forward: a day of 23 hours. And back: one of 25.
        {"2026-03-29", "Europe/Berlin", "2026-03-28T23:00:00Z", "2026-03-29T21:59:59.999999Z"},
        {"2026-10-25", "Europe/Berlin", "2026-10-24T22:00:00Z", "2026-10-25T22:59:59.999999Z"},
        {"2026-03-08", "America/New_York", "2026-03-08T05:00:00Z", "2026-03-09T03:59:59.999999Z"},
        {"2026-11-01", "America/New_York", "2026-11-01T04:00:00Z", "2026-11-02T04:59:59.999999Z"},
        // A time is that moment, whichever bound it is.
        {"2026-07-01T10:20", "Europe/Berlin", "2026-07-01T08:20:00Z", "2026-07-01T08:20:00Z"},
        {"2026-07-01T10:20:30.5", "UTC", "2026-07-01T10:20:30.500000Z", "2026-07-01T10:20:30.500000Z"},
        {"2026-07-01T10:20:30+02:00", "Asia/Tokyo", "2026-07-01T08:20:30Z", "2026-07-01T08:20:30Z"},
        {"2026-07-01T10:20:30Z", "Asia/Tokyo", "2026-07-01T10:20:30Z", "2026-07-01T10:20:30Z"},
        {"2026-07-01T10:20:30-05:00", "UTC", "2026-07-01T15:20:30Z", "2026-07-01T15:20:30Z"},
        {"2026-01-31", "Nowhere/Town", "2026-01-31T00:00:00Z", "2026-01-31T23:59:59.999999Z"},
    };
    for (const Row& row : rows) {
        EXPECT_EQ(bound(row.text, Bound::start, row.timezone), row.start) << row.text << " " << row.timezone;
        EXPECT_EQ(bound(row.text, Bound::end, row.timezone), row.end) << row.text << " " << row.timezone;
    }
}

TEST(ParseBound, KnowsWhatIsNoDate) {
    for (const char* text : {"", "yesterday", "2026-13-01", "2026-02-30", "20260131x", "2026-01-31T25:00"})
        EXPECT_EQ(bound(text, Bound::start, "UTC"), "none") << text;
}

TEST(ByteLru, LetsTheLeastRecentlyUsedGoFirst) {
    ByteLru<int> cache(10);
    cache.put("a", 1, 4);
    cache.put("b", 2, 4);
    EXPECT_EQ(cache.find("a"), 1);

    cache.put("c", 3, 4);

    EXPECT_EQ(cache.find("b"), std::nullopt);
    EXPECT_EQ(cache.find("a"), 1);
    EXPECT_EQ(cache.bytes(), 8u);
}

TEST(ByteLru, CountsAValueThatGrowsAnewAndKeepsTheOneInUse) {
    ByteLru<int> cache(10);
    cache.put("a", 1, 4);
    cache.put("b", 2, 4);

    cache.put("a", 1, 50);

    EXPECT_EQ(cache.size(), 1u);
    EXPECT_EQ(cache.find("a"), 1);
    cache.erase("a");
    EXPECT_EQ(cache.bytes(), 0u);
}

}  // namespace
}  // namespace stele::knowledge
