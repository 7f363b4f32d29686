#include "llm/anthropic_models.hpp"

#include <gmock/gmock.h>

namespace stele::llm {
namespace {

TEST(AnthropicModels, ReadsAPageAndItsCursor) {
    const auto page = read_anthropic_models(
        R"({"data":[{"id":"claude-a","max_input_tokens":1000000},{"id":"claude-b"},{"id":""},5],"has_more":true,"last_id":"claude-b"})");

    ASSERT_TRUE(page);
    ASSERT_EQ(page->models.size(), 2u);
    EXPECT_EQ(page->models[0].id, "claude-a");
    EXPECT_EQ(page->models[0].context_window, 1'000'000);
    EXPECT_EQ(page->models[1].context_window, std::nullopt);
    EXPECT_EQ(page->after_id, "claude-b");
}

TEST(AnthropicModels, EndsWithTheLastPageAndAtACursorThatIsNoId) {
    EXPECT_FALSE(read_anthropic_models(R"({"data":[],"has_more":false,"last_id":"x"})")->after_id);
    EXPECT_FALSE(read_anthropic_models(R"({"data":[],"has_more":true,"last_id":null})")->after_id);
    EXPECT_FALSE(read_anthropic_models(R"({"data":[],"has_more":true,"last_id":"x&limit=1 HTTP/1.1"})")->after_id);
}

TEST(AnthropicModels, IsNothingForAnyOtherBody) {
    for (const char* body : {"", "[]", "{}", R"({"data":5})", "no JSON"})
        EXPECT_FALSE(read_anthropic_models(body)) << body;
}

}  // namespace
}  // namespace stele::llm
