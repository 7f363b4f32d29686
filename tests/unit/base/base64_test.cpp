#include "base/base64.hpp"

#include <gtest/gtest.h>

namespace stele {
namespace {

TEST(Base64, IsReadAsItWasWritten) {
    for (std::size_t size = 0; size < 70; ++size) {
        std::string bytes;
        for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>(i * 37 + size);
        const std::string text = to_base64(bytes);
        EXPECT_EQ(text.size(), (size + 2) / 3 * 4);
        EXPECT_TRUE(is_base64(text));
        EXPECT_EQ(from_base64(text), bytes);
    }
    EXPECT_EQ(to_base64("Man"), "TWFu");
    EXPECT_EQ(to_base64("Ma"), "TWE=");
}

TEST(Base64, KnowsWhatIsNone) {
    for (const char* text : {"TWE", "T", "TWE==", "T===", "TW=u", "TW E", "TWE-", "TW\nE"}) {
        EXPECT_FALSE(is_base64(text)) << text;
        EXPECT_EQ(from_base64(text), std::nullopt) << text;
    }
}

}  // namespace
}  // namespace stele
