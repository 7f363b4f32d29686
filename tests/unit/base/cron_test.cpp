#include "base/cron.hpp"

#include "base/time_zone.hpp"

#include <gmock/gmock.h>

#include <set>

namespace stele {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

CronExpression cron(std::string_view text) {
    auto parsed = CronExpression::parse(text);
    if (const auto* problem = std::get_if<CronExpression::Problem>(&parsed))
        ADD_FAILURE() << text << ": " << problem->text;
    return std::get<CronExpression>(parsed);
}

std::string problem_of(std::string_view text) {
    const auto parsed = CronExpression::parse(text);
    const auto* problem = std::get_if<CronExpression::Problem>(&parsed);
    return problem ? problem->text : "none";
}

// The first times behind `from`, as the clocks of the zone show them.
std::vector<std::string> times(std::string_view text, const char* from, const char* timezone, int count) {
    const CronExpression expression = cron(text);
    const WallClock clock{std::string(timezone)};
    std::vector<std::string> found;
    for (auto at = expression.next(*parse_iso8601(from), clock); at && count-- > 0; at = expression.next(*at, clock))
        found.push_back(to_iso8601(*at, timezone).substr(0, 16) + to_iso8601(*at, timezone).substr(19));
    return found;
}

std::string first(std::string_view text, const char* from) {
    const auto found = times(text, from, "UTC", 1);
    return found.empty() ? "never" : found.front().substr(0, 16);
}

TEST(CronExpression, GivesTheFirstTimeBehindAMoment) {
    struct Case {
        const char *text, *from, *next;
    };
    const Case cases[] = {
        {"* * * * *", "2026-03-01T10:20:30Z", "2026-03-01T10:21"},
        {"* * * * *", "2026-03-01T10:20:00Z", "2026-03-01T10:21"},
        {"*/15 * * * *", "2026-03-01T10:15:00Z", "2026-03-01T10:30"},
        {"*/15 * * * *", "2026-03-01T10:14:59.999999Z", "2026-03-01T10:15"},
        {"0 9 * * *", "2026-03-01T09:00:00Z", "2026-03-02T09:00"},
        {"30 4 1 1 *", "2026-03-01T00:00:00Z", "2027-01-01T04:30"},
        {"0 0 31 * *", "2026-03-31T00:00:00Z", "2026-05-31T00:00"},
        {"59 23 31 12 *", "2026-12-31T23:59:00Z", "2027-12-31T23:59"},
        {"0 12 29 2 *", "2026-01-01T00:00:00Z", "2028-02-29T12:00"},
        {"0 12 29 2 *", "2096-03-01T00:00:00Z", "2104-02-29T12:00"},
        {"0 0 30 2 *", "2026-01-01T00:00:00Z", "never"},
        {"0 0 31 4,6,9,11 *", "2026-01-01T00:00:00Z", "never"},
        {"10-20/5,50 8-10 * * *", "2026-03-01T08:20:00Z", "2026-03-01T08:50"},
        {"10-20/5,50 8-10 * * *", "2026-03-01T10:50:00Z", "2026-03-02T08:10"},
        {"50/4 * * * *", "2026-03-01T10:50:00Z", "2026-03-01T10:54"},
        {"50/4 * * * *", "2026-03-01T10:58:00Z", "2026-03-01T11:50"},
        {"0 9 * * MON-FRI", "2026-11-27T09:00:00Z", "2026-11-30T09:00"},
        {"0 9 * * 1-5", "2026-11-27T09:00:00Z", "2026-11-30T09:00"},
        {"0 9 * * fri-sun", "2026-11-24T00:00:00Z", "2026-11-27T09:00"},
        {"0 9 * * 0", "2026-11-24T00:00:00Z", "2026-11-29T09:00"},
        {"0 9 * * 7", "2026-11-24T00:00:00Z", "2026-11-29T09:00"},
        {"0 9 * * 5-7", "2026-11-28T10:00:00Z", "2026-11-29T09:00"},
        {"0 9 * jan,Jul *", "2026-03-01T00:00:00Z", "2026-07-01T09:00"},
        {"  0\t9  *  *  *  ", "2026-03-01T00:00:00Z", "2026-03-01T09:00"},
        {"@hourly", "2026-03-01T10:00:00Z", "2026-03-01T11:00"},
        {"@daily", "2026-03-01T10:00:00Z", "2026-03-02T00:00"},
        {"@MIDNIGHT", "2026-03-01T10:00:00Z", "2026-03-02T00:00"},
        {"@weekly", "2026-11-24T00:00:00Z", "2026-11-29T00:00"},
        {"@monthly", "2026-03-01T00:00:00Z", "2026-04-01T00:00"},
        {"@yearly", "2026-03-01T00:00:00Z", "2027-01-01T00:00"},
        {"@annually", "2026-03-01T00:00:00Z", "2027-01-01T00:00"},
        {"*/60 */24 * * *", "2026-03-01T10:00:00Z", "2026-03-02T00:00"},
    };

    for (const Case& each : cases)
        EXPECT_EQ(first(each.text, each.from), each.next) << each.text << " from " << each.from;
}

// Vixie's rule. 13 November 2026 is a Friday.
TEST(CronExpression, TakesEitherDayFieldWhenBothSaySomething) {
    EXPECT_THAT(times("0 0 13 * FRI", "2026-11-01T00:00:00Z", "UTC", 5),
                ElementsAre("2026-11-06T00:00+00:00", "2026-11-13T00:00+00:00", "2026-11-20T00:00+00:00",
                            "2026-11-27T00:00+00:00", "2026-12-04T00:00+00:00"));
    EXPECT_THAT(times("0 0 15 * FRI", "2026-11-12T00:00:00Z", "UTC", 3),
                ElementsAre("2026-11-13T00:00+00:00", "2026-11-15T00:00+00:00", "2026-11-20T00:00+00:00"));
}

TEST(CronExpression, DemandsBothDayFieldsWhenOneBeginsWithAStar) {
    EXPECT_THAT(times("0 0 */2 * FRI", "2026-11-01T00:00:00Z", "UTC", 2),
                ElementsAre("2026-11-13T00:00+00:00", "2026-11-27T00:00+00:00"));
    EXPECT_THAT(times("0 0 1-7 * */7", "2026-11-02T00:00:00Z", "UTC", 2),
                ElementsAre("2026-12-06T00:00+00:00", "2027-01-03T00:00+00:00"));
}

TEST(CronExpression, NamesTheFieldThatIsWrong) {
    struct Case {
        const char *text, *problem;
    };
    const Case cases[] = {
        {"", "0 fields"},
        {"   ", "0 fields"},
        {"* * * *", "4 fields"},
        {"0 */5 * * * *", "6 fields"},
        {"@reboot", "'@reboot'"},
        {"@daily * * * *", "minute: '@daily'"},
        {"60 * * * *", "minute: '60' is not within 0-59"},
        {"-1 * * * *", "minute: '' is not within"},
        {"* 24 * * *", "hour: '24'"},
        {"* * 0 * *", "day of month: '0'"},
        {"* * 32 * *", "day of month: '32'"},
        {"* * * 13 *", "month: '13'"},
        {"* * * 0 *", "month: '0'"},
        {"* * * * 8", "weekday: '8'"},
        {"* * * * MONDAY", "weekday: 'MONDAY'"},
        {"* * * MON *", "month: 'MON'"},
        {"JAN * * * *", "minute: 'JAN'"},
        {"*/0 * * * *", "minute: '0' is no step"},
        {"*/61 * * * *", "minute: '61' is no step between 1 and 60"},
        {"*/ * * * *", "minute: '' is no step"},
        {"*/x * * * *", "minute: 'x' is no step"},
        {"1,,2 * * * *", "minute: ''"},
        {"5- * * * *", "minute: ''"},
        {"20-10 * * * *", "minute: '20-10' runs backwards"},
        {"* * * * FRI-MON", "weekday: 'FRI-MON' runs backwards"},
        {"1-2-3 * * * *", "minute: '2-3'"},
        {"** * * * *", "minute: '**'"},
        {"1.5 * * * *", "minute: '1.5'"},
        {"+5 * * * *", "minute: '+5'"},
        {"99999999999999999999 * * * *", "minute: '9999"},
        {"0 0 L * *", "day of month: 'L'"},
        {"0 0 * * 5#2", "weekday: '5#2'"},
        {"0 0 ? * 1", "day of month: '?'"},
        {"0 0 \xc3\xa4 * *", "holds a character"},
        {"0 0 *\n* *", "holds a character"},
    };

    for (const Case& each : cases) EXPECT_THAT(problem_of(each.text), HasSubstr(each.problem)) << each.text;
    EXPECT_THAT(problem_of(std::string(300, '1')), HasSubstr("longer"));
}

// ---- clocks that change: Berlin sets them forward on 29 March 2026 at 02:00 and back on 25 October at 03:00 ----

TEST(CronExpression, RunsATimeThatIsSkippedOnceBehindTheGap) {
    EXPECT_THAT(times("30 2 * * *", "2026-03-28T00:00:00Z", "Europe/Berlin", 3),
                ElementsAre("2026-03-28T02:30+01:00", "2026-03-29T03:00+02:00", "2026-03-30T02:30+02:00"));
}

TEST(CronExpression, RunsATimeThatIsShownTwiceOnce) {
    EXPECT_THAT(times("30 2 * * *", "2026-10-24T00:00:00Z", "Europe/Berlin", 3),
                ElementsAre("2026-10-24T02:30+02:00", "2026-10-25T02:30+02:00", "2026-10-26T02:30+01:00"));
}

TEST(CronExpression, DoesNotComeAgainWhenAskedWithinTheSecondPass) {
    // 02:45 of the second pass.
    EXPECT_THAT(times("30 2 * * *", "2026-10-25T01:45:00Z", "Europe/Berlin", 1), ElementsAre("2026-10-26T02:30+01:00"));
    EXPECT_THAT(times("50 2 * * *", "2026-10-25T01:45:00Z", "Europe/Berlin", 1), ElementsAre("2026-10-26T02:50+01:00"));
}

TEST(CronExpression, ManyTimesWithinTheGapAreOne) {
    EXPECT_THAT(times("*/20 1-3 29 3 *", "2026-03-29T00:30:00Z", "Europe/Berlin", 5),
                ElementsAre("2026-03-29T01:40+01:00", "2026-03-29T03:00+02:00", "2026-03-29T03:20+02:00",
                            "2026-03-29T03:40+02:00", "2027-03-29T01:00+02:00"));
}

TEST(CronExpression, AnIntervalNeitherPausesNorDoubles) {
    EXPECT_THAT(times("*/30 * * * *", "2026-03-29T00:30:00Z", "Europe/Berlin", 3),
                ElementsAre("2026-03-29T03:00+02:00", "2026-03-29T03:30+02:00", "2026-03-29T04:00+02:00"));
    EXPECT_THAT(times("*/30 * * * *", "2026-10-24T23:45:00Z", "Europe/Berlin", 6),
                ElementsAre("2026-10-25T02:00+02:00", "2026-10-25T02:30+02:00", "2026-10-25T02:00+01:00",
                            "2026-10-25T02:30+01:00", "2026-10-25T03:00+01:00", "2026-10-25T03:30+01:00"));
}

TEST(CronExpression, FollowsZonesThatChangeByHalfAnHourAtMidnightOrByADay) {
    EXPECT_THAT(times("15 2 * * *", "2026-10-03T00:00:00Z", "Australia/Lord_Howe", 2),
                ElementsAre("2026-10-04T02:30+11:00", "2026-10-05T02:15+11:00"));
    EXPECT_THAT(times("45 1 * * *", "2026-04-03T20:00:00Z", "Australia/Lord_Howe", 2),
                ElementsAre("2026-04-05T01:45+11:00", "2026-04-06T01:45+10:30"));
    EXPECT_THAT(times("0 0 * * *", "2026-09-05T12:00:00Z", "America/Santiago", 2),
                ElementsAre("2026-09-06T01:00-03:00", "2026-09-07T00:00-03:00"));
    EXPECT_THAT(times("@hourly", "2026-09-06T02:30:00Z", "America/Santiago", 2),
                ElementsAre("2026-09-05T23:00-04:00", "2026-09-06T01:00-03:00"));
    EXPECT_THAT(times("0 12 * * *", "2011-12-29T23:00:00Z", "Pacific/Apia", 2),  // no 30 December there
                ElementsAre("2011-12-31T00:00+14:00", "2011-12-31T12:00+14:00"));
    EXPECT_THAT(times("0 9 * * *", "2026-06-01T00:00:00Z", "Asia/Kathmandu", 1), ElementsAre("2026-06-01T09:00+05:45"));
}

// What holds for every expression, zone and moment.
TEST(CronExpression, AlwaysMovesForwardAndAgreesWithLookingAtEveryMinute) {
    const CronExpression expression = cron("20,50 1,2,3 * * *");
    const WallClock clock(std::string("Europe/Berlin"));
    for (const char* day : {"2026-03-28T12:00:00Z", "2026-10-24T12:00:00Z", "2026-06-01T12:00:00Z"}) {
        const Timestamp begin = *parse_iso8601(day), end = begin + std::chrono::hours(24);
        std::set<Timestamp> stepped, asked;
        for (auto at = expression.next(begin, clock); at && *at <= end; at = expression.next(*at, clock))
            EXPECT_TRUE(stepped.insert(*at).second);
        for (Timestamp minute = begin; minute < end; minute += std::chrono::minutes(1))
            if (const auto at = expression.next(minute, clock); *at <= end) {
                EXPECT_GT(*at, minute);
                asked.insert(*at);
            }
        EXPECT_EQ(stepped, asked) << day;
    }
}

TEST(WallClock, KnowsWhenSomethingIsShown) {
    const WallClock berlin(std::string("Europe/Berlin"));
    const auto shown_at = [&](const char* reading) { return to_iso8601(berlin.moment(*parse_iso8601(reading))); };

    EXPECT_EQ(shown_at("2026-01-01T12:00:00"), "2026-01-01T11:00:00Z");
    EXPECT_EQ(shown_at("2026-07-01T12:00:00"), "2026-07-01T10:00:00Z");
    EXPECT_EQ(shown_at("2026-03-29T02:30:00"), "2026-03-29T01:00:00Z");  // skipped: the end of the gap
    EXPECT_EQ(shown_at("2026-10-25T02:30:00"), "2026-10-25T00:30:00Z");  // twice: the first
    EXPECT_EQ(to_iso8601(WallClock(std::string("no/such_zone")).moment(*parse_iso8601("2026-01-01"))),
              "2026-01-01T00:00:00Z");
}

}  // namespace
}  // namespace stele
