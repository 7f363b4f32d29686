#include "domain/text_diff.hpp"

#include <gtest/gtest.h>

#include <random>
#include <sstream>
#include <vector>

namespace stele {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

std::string joined(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    return text;
}

// `before` with what `diff` says done to it, as patch(1) would.
std::string patched(const std::string& before, const std::string& diff) {
    std::vector<std::string> made, old_lines = lines_of(before);
    std::size_t at = 0;
    for (const std::string& line : lines_of(diff)) {
        if (line.starts_with("@@")) {
            const auto numbers = line.substr(4, line.find(' ', 4) - 4);
            const std::size_t begin = std::stoul(numbers);
            const std::size_t first = numbers.ends_with(",0") ? begin : begin - 1;
            while (at < first) made.push_back(old_lines[at++]);
        } else if (line[0] == '+') {
            made.push_back(line.substr(1));
        } else {
            EXPECT_EQ(old_lines.at(at), line.substr(1));
            if (line[0] == ' ') made.push_back(old_lines[at]);
            ++at;
        }
    }
    while (at < old_lines.size()) made.push_back(old_lines[at++]);
    return joined(made);
}

TEST(TextDiff, TellsOfEqualTextsNothing) { EXPECT_EQ(text_diff("a\nb\n", "a\nb\n"), ""); }

TEST(TextDiff, ShowsAChangeWithThreeLinesAround) {
    EXPECT_EQ(text_diff("1\n2\n3\n4\n5\n6\n7\n8\n9", "1\n2\n3\n4\nfive\n6\n7\n8\n9"),
              "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n");
}

TEST(TextDiff, BeginsWithNothingAndEndsWithNothing) {
    EXPECT_EQ(text_diff("", "a\nb"), "@@ -0,0 +1,2 @@\n+a\n+b\n");
    EXPECT_EQ(text_diff("a", ""), "@@ -1 +0,0 @@\n-a\n");
}

TEST(TextDiff, TurnsRandomTextsIntoEachOther) {
    const auto seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const auto text = [&](std::size_t lines_max) {
        std::vector<std::string> lines(random() % (lines_max + 1));
        for (std::string& line : lines) line = std::string(1, static_cast<char>('a' + random() % 4));
        return joined(lines);
    };
    for (int i = 0; i < 3'000; ++i) {
        const std::string before = text(30), after = text(30);
        ASSERT_EQ(patched(before, text_diff(before, after)), after) << "before:\n" << before << "after:\n" << after;
    }
    std::string many_before, many_after;
    for (int i = 0; i < 3'000; ++i) {
        many_before += "old " + std::to_string(i) + "\n";
        many_after += "new " + std::to_string(i) + "\n";
    }
    ASSERT_EQ(patched(many_before, text_diff(many_before, many_after)), many_after);
}

}  // namespace
}  // namespace stele
