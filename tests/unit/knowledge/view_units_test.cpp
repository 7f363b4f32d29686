#include "base/error.hpp"
#include "base/utf8.hpp"
#include "knowledge/file_view.hpp"

#include <gtest/gtest.h>

namespace stele::knowledge {
namespace {

std::vector<std::string> shown(FileKind kind, const std::string& text, bool keep_blank = false) {
    std::vector<std::string> all;
    for (const Unit& unit : view_units(kind, text, keep_blank)) all.push_back(unit_text(kind, text, unit));
    return all;
}

using Texts = std::vector<std::string>;

TEST(ViewUnits, AreLinesWithoutBlankOnesHoweverTheyEnd) {
    EXPECT_EQ(shown(FileKind::lines, "a\n\n  b  \r\n\t\r\nc"), (Texts{"a", "b", "c"}));
    EXPECT_EQ(shown(FileKind::lines, "a\nb\n"), (Texts{"a", "b"}));
    EXPECT_EQ(shown(FileKind::lines, "a\r\nb\r\n"), (Texts{"a", "b"}));
    EXPECT_EQ(shown(FileKind::data, "\u00a0x\u3000\n\u2003\n"), (Texts{"x"}));
    EXPECT_EQ(shown(FileKind::lines, ""), Texts());
    EXPECT_EQ(shown(FileKind::lines, "\n \n"), Texts());
}

TEST(ViewUnits, OfCodeKeepTheirIndentation) {
    EXPECT_EQ(shown(FileKind::code, "def f():\n\n    return 1  \n\tx\n"), (Texts{"def f():", "    return 1", "\tx"}));
}

TEST(ViewUnits, KeepBlankLinesWhereTheOperatorWantsThem) {
    EXPECT_EQ(shown(FileKind::lines, "a\n\nb\n", true), (Texts{"a", "", "b"}));
    EXPECT_EQ(shown(FileKind::code, "a\n\n  b\n\n", true), (Texts{"a", "", "  b", ""}));
}

TEST(ViewUnits, OfDocumentationAreSentences) {
    EXPECT_EQ(shown(FileKind::documentation, "# Title\n\nOne  two\nthree. Four five! Six?\tSeven. eight v1.2 Nine"),
              (Texts{"# Title One two three.", "Four five!", "Six?", "Seven. eight v1.2 Nine"}));
    EXPECT_EQ(shown(FileKind::documentation, "  One.\nTwo.  \n"), (Texts{"One.", "Two."}));
    EXPECT_EQ(shown(FileKind::documentation, "\n\t \n"), Texts());
}

TEST(ViewUnits, KnowWhichOfThemARangeTouches) {
    const std::string text = "one\n\ntwo\nthree";
    const auto units = view_units(FileKind::lines, text);

    const auto span = [&](std::size_t begin, std::size_t end) {
        const UnitSpan found = units_within(units, begin, end);
        return std::pair(found.first, found.last);
    };
    EXPECT_EQ(span(0, 3), std::pair(std::size_t{1}, std::size_t{1}));
    EXPECT_EQ(span(1, 6), std::pair(std::size_t{1}, std::size_t{2}));
    EXPECT_EQ(span(3, 5), std::pair(std::size_t{0}, std::size_t{0}));
    EXPECT_EQ(span(5, text.size()), std::pair(std::size_t{2}, std::size_t{3}));
}

std::string hundred_lines() {
    std::string text;
    for (int i = 1; i <= 100; ++i) text += "x" + std::to_string(i) + " = " + std::to_string(i) + "\n";
    return text;
}

FileView view(FileKind kind, const std::string& text, ViewWindow window, std::int64_t most = 10'000) {
    return view_of(kind, text, window, most, false);
}

TEST(FileView, ShowsTheWholeFileOrAWindow) {
    const std::string text = hundred_lines();

    EXPECT_TRUE(
        view(FileKind::code, text, {}).text.starts_with("[Viewing file start (out of 100 lines)]\n1: x1 = 1\n"));
    EXPECT_FALSE(view(FileKind::code, text, {}).first);
    const FileView five = view(FileKind::code, text, {49, 5});
    EXPECT_EQ(
        five.text,
        "[Viewing lines 50 to 54 (out of 100 lines)]\n50: x50 = 50\n51: x51 = 51\n52: x52 = 52\n53: x53 = 53\n54: "
        "x54 = 54");
    EXPECT_EQ(five.first, 50);
    EXPECT_EQ(five.last, 54);
    EXPECT_EQ(view(FileKind::code, text, {98, std::nullopt}).text,
              "[Viewing lines 99 to end (out of 100 lines)]\n99: x99 = 99\n100: x100 = 100");
    EXPECT_EQ(view(FileKind::code, text, {98, 1'000'000'000'000}).last, 100);
    EXPECT_EQ(view(FileKind::documentation, "One. Two.", {1, 1}).text,
              "[Viewing sentences 2 to 2 (out of 2 sentences)]\n2: Two.");
    EXPECT_EQ(view(FileKind::lines, "", {}).text, "[Viewing file start (out of 0 lines)]");
    EXPECT_EQ(view(FileKind::lines, "a", {std::nullopt, -5}).text, "[Viewing file start (out of 1 lines)]\n1: a");
}

TEST(FileView, RefusesWindowsThatMeanNothing) {
    const std::string text = hundred_lines();
    for (const ViewWindow& window : {ViewWindow{-1, 5}, ViewWindow{0, 0}, ViewWindow{0, -1}, ViewWindow{100, 1}}) {
        EXPECT_THROW(view(FileKind::lines, text, window), Error);
    }
    try {
        view(FileKind::lines, text, {100, 1});
    } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("100 lines"), std::string::npos);
    }
}

TEST(FileView, IsCutToItsLimitBetweenCharacters) {
    std::string text;
    for (int i = 0; i < 1'000; ++i) text += "\u00e4\u00f6\u00fc \U0001f600\n";

    for (const std::int64_t most : {300, 301, 302, 303, 1'000}) {
        const std::string cut = view(FileKind::lines, text, {}, most).text;
        EXPECT_TRUE(is_utf8(cut));
        EXPECT_EQ(code_points(cut), static_cast<std::size_t>(most));
        EXPECT_NE(cut.find("\n...[TRUNCATED]\n"), std::string::npos);
    }
    EXPECT_EQ(cut_view("abc", 3), "abc");
    EXPECT_TRUE(cut_view("abcdef", 3).starts_with("abc\n...[TRUNCATED]"));
}

}  // namespace
}  // namespace stele::knowledge
