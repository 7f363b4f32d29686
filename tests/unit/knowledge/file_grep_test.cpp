#include "knowledge/file_grep.hpp"
#include "base/error.hpp"

#include <gtest/gtest.h>

namespace stele::knowledge {
namespace {

std::vector<std::size_t> found(const std::string& pattern, const std::string& text, FileKind kind = FileKind::lines,
                               std::size_t most = 100) {
    const auto late = std::chrono::steady_clock::now() + std::chrono::hours(1);
    return grep(GrepPattern(pattern), kind, text, view_units(kind, text), most, late).units;
}

TEST(Grep, LooksAtUnitsWhateverTheCase) {
    const std::string text = "Alpha\n\nbeta\nALPHABET\n";
    EXPECT_EQ(found("alpha", text), (std::vector<std::size_t>{1, 3}));
    EXPECT_EQ(found("^alpha$", text), (std::vector<std::size_t>{1}));
    EXPECT_EQ(found("1: ", text), std::vector<std::size_t>());
    EXPECT_EQ(found("a", text, FileKind::lines, 2), (std::vector<std::size_t>{1, 2}));
    EXPECT_EQ(found("one two", "One\n two. Three", FileKind::documentation), (std::vector<std::size_t>{1}));
    EXPECT_EQ(found("gr\u00fc\u00dfe", "viele Gr\u00fc\u00dfe"), (std::vector<std::size_t>{1}));
}

TEST(Grep, StopsInTime) {
    const std::string text = "a\n";
    const GrepMatches stopped = grep(GrepPattern("a"), FileKind::lines, text, view_units(FileKind::lines, text), 5,
                                     std::chrono::steady_clock::time_point::min());
    EXPECT_TRUE(stopped.timed_out);
    EXPECT_TRUE(stopped.units.empty());
}

TEST(GrepPattern, IsRefusedWhereItCannotBeMatchedInLinearTime) {
    for (const char* bad : {"", "(", "(?=a)", "(a)\\1", "[", "a{100000}"}) EXPECT_THROW(GrepPattern{bad}, Error) << bad;
    EXPECT_THROW(GrepPattern(std::string(1'001, 'a')), Error);
    EXPECT_NO_THROW(GrepPattern(std::string(1'000, 'a')));
    EXPECT_TRUE(found("(a+)+$", std::string(100'000, 'a') + "b").empty());
}

TEST(NameFilter, TakesGlobsAndExpressions) {
    EXPECT_TRUE(NameFilter("").takes("reports/q1.txt"));
    EXPECT_TRUE(NameFilter("*.txt").takes("reports/q1.txt"));
    EXPECT_TRUE(NameFilter("Reports/*").takes("reports/q1.txt"));
    EXPECT_TRUE(NameFilter("q?.txt").takes("reports/q1.txt"));
    EXPECT_TRUE(NameFilter("q[0-9]").takes("reports/q1.txt"));
    EXPECT_TRUE(NameFilter("*.md").takes("b\u00fccher/\u00e4.md"));
    EXPECT_FALSE(NameFilter("*.md").takes("reports/q1.txt"));
    EXPECT_FALSE(NameFilter("q1").takes("reports/q2.txt"));
}

}  // namespace
}  // namespace stele::knowledge
