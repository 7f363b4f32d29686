// What servers refuse, in their own words, and what is then sent.
#include "llm/refusals.hpp"

#include "llm/tool_images.hpp"

#include <gtest/gtest.h>

namespace stele::llm {
namespace {

constexpr char request[] =
    R"({"model":"m","messages":[{"role":"developer","content":"s"}],"tools":[{"type":"function","function":{"name":"f","parameters":{},"strict":true}}],"tool_choice":{"type":"function","function":{"name":"f"}},"parallel_tool_calls":false,"max_completion_tokens":9,"temperature":0.7,"user":"u","stream":true,"stream_options":{"include_usage":true}})";

std::string after(std::initializer_list<std::string> bodies) {
    Refusals refusals;
    for (const std::string& body : bodies) EXPECT_TRUE(learn(refusals, 400, body)) << body;
    return without(refusals, request);
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

TEST(Refusals, LeaveOutWhatIsNamedAndNothingElse) {
    const std::string sent = after({R"({"error":{"message":"Unknown field: stream_options"}})"});

    EXPECT_FALSE(has(sent, "stream_options"));
    for (const char* kept :
         {"\"stream\":true", "temperature", "parallel_tool_calls", "max_completion_tokens", "\"user\""})
        EXPECT_TRUE(has(sent, kept)) << kept;
}

TEST(Refusals, KnowBothNamesOfTheLimitAndGiveItUpAtLast) {
    const std::string wants_old =
        R"({"error":{"message":"Unrecognized request argument supplied: max_completion_tokens"}})";
    EXPECT_TRUE(has(after({wants_old}), "\"max_tokens\":9"));
    EXPECT_FALSE(has(after({wants_old, R"({"error":"max_tokens: unknown"})"}), "max_tokens"));
    EXPECT_FALSE(has(after({R"({"error":"max_completion_tokens is too large: 9"})"}), "_tokens"));

    Refusals refusals;
    learn(refusals, 400,
          "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.");
    EXPECT_EQ(without(refusals, R"({"max_tokens":9})"), R"({"max_completion_tokens":9})");
}

TEST(Refusals, WeakenAForcedToolStepByStep) {
    const std::string refused = R"({"error":{"message":"tool_choice is not supported"}})";
    EXPECT_TRUE(has(after({refused}), R"("tool_choice":"required")"));
    EXPECT_TRUE(has(after({refused, refused}), R"("tool_choice":"auto")"));
}

TEST(Refusals, ReachIntoToolsAndMessages) {
    EXPECT_FALSE(has(after({"'strict' is not permitted"}), "strict"));
    EXPECT_TRUE(has(after({"developer is not one of ['system', 'assistant', 'user', 'tool']"}), R"("role":"system")"));
}

TEST(Refusals, DoNotTakeAnEchoOfTheRequestForWords) {
    Refusals refusals;
    EXPECT_FALSE(learn(
        refusals, 422,
        R"({"detail":[{"loc":["body","messages"],"msg":"field required","input":{"temperature":1,"stream_options":"x"}}]})"));
    EXPECT_TRUE(refusals.empty());
}

TEST(Refusals, PutWordsInThePlaceOfToolsImagesAndKeepThoseOfUsers) {
    const std::string image = R"({"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}})";
    const std::string of_user = R"({"role":"user","content":[{"type":"text","text":"look"},)" + image + "]}";
    const std::string of_tools = std::string(R"({"role":"user","content":[{"type":"text","text":")") +
                                 tool_images_text + R"("},)" + image + "]}";
    const std::string sent = "{\"messages\":[" + of_user + "," + of_tools + "]}";

    for (const char* body :
         {"this is not a multimodal model", "image input is not supported - hint: provide the mmproj",
          "messages[3]: unknown variant `image_url`, expected `text`", "'messages.3.content' must be a string",
          "At most 0 image(s) may be provided in one request.", "Image input is not enabled for this model"}) {
        Refusals refusals;
        EXPECT_TRUE(learn(refusals, 400, body)) << body;
        EXPECT_TRUE(refusals.contains("tool_images")) << body;
        const std::string weaker = without(refusals, sent);
        EXPECT_TRUE(has(weaker, of_user)) << weaker;
        EXPECT_TRUE(has(weaker, "can't be shown")) << weaker;
        EXPECT_FALSE(has(weaker, of_tools)) << weaker;
    }
}

TEST(Refusals, ForgetThatOneImageCouldNotBeRead) {
    for (const char* body : {"Invalid image data", "unsupported image format",
                             "You uploaded an unsupported image. "
                             "Media type image/gif"}) {
        Refusals refusals;
        EXPECT_TRUE(learn(refusals, 400, body)) << body;
        EXPECT_FALSE(refusals.empty());
        forget_passing(refusals);
        EXPECT_TRUE(refusals.empty()) << body;
    }
}

TEST(Refusals, AreLearntOnceAndOnlyFromRefusals) {
    Refusals refusals;
    EXPECT_FALSE(learn(refusals, 429, "temperature"));
    EXPECT_TRUE(learn(refusals, 400, "temperature"));
    EXPECT_FALSE(learn(refusals, 400, "temperature")) << "asking again would bring the same answer";
}

}  // namespace
}  // namespace stele::llm
