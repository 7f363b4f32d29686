#include "llm/embedder.hpp"
#include "llm/model_failure.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stele::llm {
namespace {

using Vectors = std::vector<std::vector<float>>;

std::string problem(std::string_view body, std::size_t count, std::int64_t dimensions) {
    try {
        read_embeddings(body, count, dimensions, "m", "host");
    } catch (const Error& error) {
        EXPECT_EQ(error.code, ErrorCode::model_failed);
        return error.what();
    }
    return {};
}

TEST(ReadEmbeddings, OrdersByIndexWhateverOrderTheyCameIn) {
    const Vectors made = read_embeddings(
        R"({"data":[{"index":1,"embedding":[3,4.5]},{"index":0,"embedding":[1e-3,2]}]})", 2, 2, "m", "host");

    EXPECT_EQ(made, (Vectors{{0.001F, 2.0F}, {3.0F, 4.5F}}));
}

TEST(ReadEmbeddings, TakesOllamasForm) {
    EXPECT_EQ(read_embeddings(R"({"model":"x","embeddings":[[1,2],[3,4]]})", 2, 2, "m", "host"),
              (Vectors{{1.0F, 2.0F}, {3.0F, 4.0F}}));
}

TEST(ReadEmbeddings, RefusesWhatIsNoSuchAnswer) {
    using testing::HasSubstr;
    EXPECT_THAT(problem("nonsense", 1, 2), HasSubstr("no JSON"));
    EXPECT_THAT(problem(R"({"data":[]})", 1, 2), HasSubstr("other than 1"));
    EXPECT_THAT(problem(R"({"data":[{"index":0,"embedding":[1,2,3]}]})", 1, 2), HasSubstr("embedding_dim"));
    EXPECT_THAT(problem(R"({"data":[{"index":0,"embedding":"AAAA"}]})", 1, 2), HasSubstr("no list"));
    EXPECT_THAT(problem(R"({"data":[{"index":0,"embedding":[1,"x"]}]})", 1, 2), HasSubstr("no list"));
    EXPECT_THAT(problem(R"({"data":[{"index":0,"embedding":[1,2]},{"index":0,"embedding":[1,2]}]})", 2, 2),
                HasSubstr("told apart"));
    EXPECT_THAT(problem(R"({"data":[{"index":7,"embedding":[1,2]}]})", 1, 2), HasSubstr("told apart"));
    EXPECT_THAT(problem(R"({"embeddings":[[1,1e300]]})", 1, 2), HasSubstr("none"));
}

TEST(BatchEnd, TakesWhatServersTakeAtOnce) {
    const std::vector<std::string> many(5'000, "x");
    EXPECT_EQ(batch_end(many, 0), 2'048u);
    EXPECT_EQ(batch_end(many, 4'096), 5'000u);

    const std::vector<std::string> large(3, std::string(500'000, 'x'));
    EXPECT_EQ(batch_end(large, 0), 1u);
    EXPECT_EQ(batch_end({std::string(9'000'000, 'x')}, 0), 1u);
}

TEST(IsTooLarge, TellsErrorsOfSizeFromOthers) {
    const auto error = [](int status, const char* body) {
        return failure_of_answer(status, body, std::nullopt, "m", "host");
    };
    EXPECT_TRUE(is_too_large(error(
        400, R"({"error":{"message":"This model's maximum context length is 8192 tokens, you requested 9000"}})")));
    EXPECT_TRUE(
        is_too_large(error(400, R"({"error":{"message":"Requested 400000 tokens, max 300000 tokens per request"}})")));
    EXPECT_TRUE(is_too_large(error(413, R"({"error":"Batch size error","error_type":"Validation"})")));
    EXPECT_FALSE(is_too_large(error(401, R"({"error":{"message":"Incorrect API key"}})")));
    EXPECT_FALSE(is_too_large(error(400, R"({"error":{"message":"no such model"}})")));
    EXPECT_FALSE(is_too_large(error(429, R"({"error":{"message":"max tokens per minute"}})")));
    EXPECT_FALSE(is_too_large(error(500, "")));
}

}  // namespace
}  // namespace stele::llm
