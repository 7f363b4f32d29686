#include "runtime/text_merge.hpp"

#include "base/utf8.hpp"

#include <gtest/gtest.h>

namespace stele::runtime {
namespace {

struct Case {
    const char *base, *ours, *theirs, *merged;  // null: they touch
};

TEST(MergedText, KeepsEditsOfDifferentPlaces) {
    const Case cases[] = {
        {"a\nb\nc", "A\nb\nc", "a\nb\nC", "A\nb\nC"},
        {"a\nb\nc", "a\nb\nC", "A\nb\nc", "A\nb\nC"},
        {"a", "ab", "a", "ab"},
        {"a", "a", "ab", "ab"},
        {"a", "ab", "ab", "ab"},
        {"", "x", "y", "yx"},
        {"log:", "log:1", "log:2", "log:21"},
        {"one two three", "one three", "one two three four", "one three four"},
        {"one", "", "one two", " two"},
        {"one", "uno", "ein", nullptr},
        {"tea", "coffee", "water", nullptr},
        {"name: x, age: 1", "name: y, age: 1", "name: x, age: 2", "name: y, age: 2"},
        {"aaaa", "aaa", "aaaaa", "aaaa"},
        {"\xc3\xa9", "\xc3\xa8", "\xc4\xa9", nullptr},
    };
    for (const Case& each : cases) {
        const auto merged = merged_text(each.base, each.ours, each.theirs);
        EXPECT_EQ(merged, each.merged == nullptr ? std::nullopt : std::optional<std::string>(each.merged))
            << each.base << " | " << each.ours << " | " << each.theirs;
    }
}

TEST(MergedText, StaysWellFormed) {
    const std::string pieces[] = {"\xc3\xa9", "\xc3\xa8", "\xe4\xb8\xad", "\xe4\xb8\xae", "a"};
    for (const std::string& a : pieces)
        for (const std::string& b : pieces)
            for (const std::string& c : pieces)
                for (const std::string& d : pieces)
                    EXPECT_TRUE(is_utf8(merged_text(a + b, c + b, a + d).value_or(""))) << a << b << c << d;
}

}  // namespace
}  // namespace stele::runtime
