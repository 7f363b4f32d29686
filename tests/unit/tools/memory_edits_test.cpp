// How memory tools change a text: each rule a row.
#include "tools/builtin/memory_edits.hpp"

#include "base/utf8.hpp"
#include "tests/unit/tools/failure_of.hpp"
#include "tools/working_memory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stele::tools::edits {
namespace {

using testing::HasSubstr;

struct Insertion {
    const char* value;
    const char* text;
    std::int64_t line;
    const char* expected;
};

TEST(InsertLines, PutsTheTextBehindTheLineThatIsNamed) {
    const Insertion rows[] = {
        {"", "a", -1, "a"},
        {"", "a", 0, "a"},
        {"", "", -1, ""},
        {"a\nb", "x", 0, "x\na\nb"},
        {"a\nb", "x", 1, "a\nx\nb"},
        {"a\nb", "x", 2, "a\nb\nx"},
        {"a\nb", "x", -1, "a\nb\nx"},
        {"a\nb", "x\ny", 1, "a\nx\ny\nb"},
        {"a\nb", "", 1, "a\n\nb"},
        {"a\n", "x", -1, "a\n\nx"},
        {"a\n", "x", 1, "a\nx\n"},
        {"é\n😀", "ü", 1, "é\nü\n😀"},
        {"a\r\nb", "x\ny", 1, "a\r\nx\r\ny\r\nb"},
        {"a\r\nb", "x\r\ny", -1, "a\r\nb\r\nx\r\ny"},
        {"a\rb\nc", "x", 1, "a\rb\nx\nc"},
        {"\ta", "x\t", -1, "\ta\nx\t"},
    };
    for (const Insertion& row : rows)
        EXPECT_EQ(insert_lines(row.value, row.text, row.line), row.expected) << row.value << " + " << row.text;
}

TEST(InsertLines, RefusesALineThatTheBlockHasNot) {
    for (const std::int64_t line : {-2, 3, 1'000'000'000})
        EXPECT_THAT(failure_of([&] { insert_lines("a\nb", "x", line); }), HasSubstr("between 0 and 2")) << line;
    EXPECT_THAT(failure_of([] { insert_lines("", "x", 1); }), HasSubstr("between 0 and 0"));
    EXPECT_THAT(failure_of([] { insert_lines("a", "x", std::numeric_limits<std::int64_t>::min()); }),
                HasSubstr("between 0 and 1"));
}

TEST(ReplaceOnce, ReplacesTheOnlyPlace) {
    EXPECT_EQ(replace_once("Name: Ada.\nAge: 36", "Ada", "Lin", "human"), "Name: Lin.\nAge: 36");
    EXPECT_EQ(replace_once("a\nb\nc", "a\nb", "x", "human"), "x\nc");
    EXPECT_EQ(replace_once("like tea", " tea", "", "human"), "like");
    EXPECT_EQ(replace_once("ab", "ab", "", "human"), "");
    EXPECT_EQ(replace_once("naïve 😀", "ï", "i", "human"), "naive 😀");
}

TEST(ReplaceOnce, NamesTheLinesWhereTheTextIsNotUnique) {
    EXPECT_THAT(failure_of([] { replace_once("tea\ncoffee\ntea tea", "tea", "x", "human"); }),
                testing::AllOf(HasSubstr("3 times"), HasSubstr("in lines 1, 3, 3.")));
    EXPECT_THAT(failure_of([] { replace_once("aaa", "aa", "x", "human"); }), HasSubstr("2 times"));
    EXPECT_THAT(failure_of([] { replace_once("a", "b", "x", "human"); }),
                testing::AllOf(HasSubstr("'b' was not found"), HasSubstr("'human'")));
    EXPECT_THAT(failure_of([] { replace_once("a", "", "x", "human"); }), HasSubstr("must not be empty"));
}

TEST(ReplaceOnce, KeepsItsFailuresShortAndWellFormed) {
    std::string many;
    for (int i = 0; i < 100'000; ++i) many += "a\n";
    const std::string listed = failure_of([&] { replace_once(many, "a", "b", "human"); });
    EXPECT_LT(listed.size(), 400u);
    EXPECT_THAT(listed, testing::AllOf(HasSubstr("100000 times"), HasSubstr("19, 20, ...")));

    std::string wide;
    for (int i = 0; i < 500; ++i) wide += "é";
    for (std::size_t shift = 0; shift < 2; ++shift)
        EXPECT_TRUE(is_utf8(failure_of([&] { replace_once("x", std::string(shift, 'a') + wide, "", "human"); })));
}

TEST(ReplaceAll, ReplacesEveryPlaceFromLeftToRight) {
    EXPECT_EQ(replace_all("tea, tea", "tea", "milk", "human"), "milk, milk");
    EXPECT_EQ(replace_all("aaa", "aa", "a", "human"), "aa");
    EXPECT_EQ(replace_all("a.b.c", ".", "", "human"), "abc");
    EXPECT_THAT(failure_of([] { replace_all("tea", "coffee", "x", "human"); }),
                testing::AllOf(HasSubstr("'coffee'"), HasSubstr("'human'")));
    EXPECT_THAT(failure_of([] { replace_all("tea", "", "x", "human"); }), HasSubstr("must not be empty"));
}

TEST(ReplaceAll, StopsBeforeATextGrowsWithoutBound) {
    const std::string value(100'000, 'a'), huge(1'000'000, 'b');
    EXPECT_THAT(failure_of([&] { replace_all(value, "a", huge, "human"); }), HasSubstr("beyond every limit"));
}

TEST(ExpandTabs, FillsUpToTheNextMultipleOfEightCharacters) {
    EXPECT_EQ(expand_tabs("\ta"), "        a");
    EXPECT_EQ(expand_tabs("1234567\ta"), "1234567 a");
    EXPECT_EQ(expand_tabs("12345678\ta"), "12345678        a");
    EXPECT_EQ(expand_tabs("é\ta"), "é       a");
    EXPECT_EQ(expand_tabs("abc\n\ta"), "abc\n        a");
    EXPECT_EQ(expand_tabs("abc\r\ta"), "abc\r        a");
    EXPECT_EQ(expand_tabs(""), "");
}

TEST(RefuseLineNumbers, KnowsThePromptsDisplayWhereverItStands) {
    for (const char* text : {"1→ a", "a\n 12→b", "\t3→", "a\r\n4→ x"})
        EXPECT_THAT(failure_of([&] { refuse_line_numbers(text, "new_string"); }), HasSubstr("new_string holds"))
            << text;
    EXPECT_THAT(failure_of([] { refuse_line_numbers("x\n" + std::string(line_number_warning), "new_string"); }),
                HasSubstr("line numbers"));
    for (const char* text : {"", "→ a", "a 1→ b", "1 → b", "1- a", "1"})
        EXPECT_NO_THROW(refuse_line_numbers(text, "new_string")) << text;
}

TEST(RefuseLineNumbers, LooksBehindTheMarksOfAPatch) {
    for (const char* patch : {"+1→ a", "-12→ a", " 3→ a", "@@\n-a\n+ 4→ b"})
        EXPECT_THAT(failure_of([&] { refuse_line_numbers_of_patch(patch); }), HasSubstr("patch holds")) << patch;
    EXPECT_NO_THROW(refuse_line_numbers_of_patch("@@ -1 +1 @@\n-a\n+b"));
}

}  // namespace
}  // namespace stele::tools::edits
