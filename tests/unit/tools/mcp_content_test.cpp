// What a tool's result becomes: the rows that a server over a socket is too slow for. The others:
// tests/api/test_mcp_images.py.
#include "tools/mcp/content.hpp"

#include "base/base64.hpp"
#include "domain/image.hpp"

#include <gtest/gtest.h>
#include <boost/json.hpp>

namespace stele::tools::mcp {
namespace {

namespace json = boost::json;

const std::string png = "\x89PNG\r\n\x1a\n";

json::value image(const std::string& bytes) {
    return json::object{{"type", "image"}, {"data", to_base64(bytes)}, {"mimeType", "image/png"}};
}

CallResult of(json::array content) { return call_result(json::object{{"content", std::move(content)}}); }

TEST(CallResult, ShowsImagesUpToTheirLimit) {
    const std::string largest = png + std::string(image_bytes_max - png.size(), 'x');

    EXPECT_EQ(of({image(largest)}).parts.size(), 1u);
    const CallResult larger = of({image(largest + "x")});
    EXPECT_TRUE(larger.parts.empty());
    EXPECT_EQ(larger.text,
              "[image: image/png, 20971521 bytes; not shown: more than the 20971520 bytes that models take]");
}

TEST(CallResult, BoundsTheTextsAroundImages) {
    const json::value words = json::object{{"type", "text"}, {"text", std::string(6u << 20, 'a')}};

    const CallResult result = of({image(png), words, image(png)});

    EXPECT_EQ(result.text.size(), 4u << 20);
    ASSERT_EQ(result.parts.size(), 2u);
    EXPECT_EQ(result.parts.back().text->size(), 4u << 20);
}

TEST(CallResult, HasNoNulInAnyPart) {
    const json::value words = json::object{{"type", "text"}, {"text", std::string("a\0b", 3)}};

    const CallResult result = of({words, image(png)});

    EXPECT_EQ(*result.parts.front().text, "ab");
    EXPECT_EQ(result.text, "ab\n[image: image/png, 8 bytes]");
}

TEST(CallResult, TakesWhatIsNoContentForWhatItIs) {
    EXPECT_EQ(call_result(json::array{}).text, "The server's answer is no result of a tool");
    EXPECT_EQ(of({}).text, "Empty response from tool");
    EXPECT_EQ(of({json::value(7), nullptr, json::object{{"type", "image"}, {"data", 7}}}).text,
              "[content of the unknown type '']\n[content of the unknown type '']\n"
              "[image: unknown type, 0 bytes; not shown: no valid base64]");
}

}  // namespace
}  // namespace stele::tools::mcp
