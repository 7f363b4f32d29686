// How returns are cut to a tool's limit.
#include "runtime/return_limit.hpp"

#include <gtest/gtest.h>

namespace stele::runtime {
namespace {

MessageToolReturn of_parts(std::vector<std::string> texts) {
    MessageToolReturn made;
    std::vector<ContentPart> parts;
    for (std::string& text : texts) {
        if (text == "image")
            parts.emplace_back().type = "image";
        else
            parts.push_back(text_part(std::move(text)));
    }
    made.parts = std::move(parts);
    return made;
}

std::string after(std::int64_t limit, std::vector<std::string> texts) {
    MessageToolReturn made = of_parts(std::move(texts));
    shorten(made, limit);
    EXPECT_EQ(made.value, plain_text(*made.parts));
    return made.value;
}

TEST(Shorten, CutsTextsAllTogetherAndNoImage) {
    EXPECT_EQ(after(6, {"abc", "image", "def"}), "abc\n[image]\ndef");
    EXPECT_EQ(after(5, {"abc", "image", "def", "image"}),
              "abc\n[image]\nde... [the return was cut: 6 > 5 characters]\n[image]");
    EXPECT_EQ(after(3, {"abc", "image", "def", "image", "ghi"}),
              "abc\n[image]\n... [the return was cut: 9 > 3 characters]\n[image]");
    EXPECT_EQ(after(1, {"éa", "image"}), "é... [the return was cut: 2 > 1 characters]\n[image]");
    EXPECT_EQ(after(0, {"image"}), "[image]");
}

TEST(Shorten, TakesACutObjectForText) {
    MessageToolReturn made;
    made.value = R"({"a":1})";
    made.is_object = true;

    shorten(made, 7);
    EXPECT_TRUE(made.is_object);
    shorten(made, 6);
    EXPECT_EQ(made.value, R"({"a":1... [the return was cut: 7 > 6 characters])");
    EXPECT_FALSE(made.is_object);
}

}  // namespace
}  // namespace stele::runtime
