#include "llm/anthropic_proxy.hpp"

#include <gtest/gtest.h>

namespace stele::llm {
namespace {

constexpr char asked[] = R"([{"role":"user","content":"q"}])";

std::string event(const std::string& data) { return "event: x\ndata: " + data + "\n\n"; }

std::string stream() {
    return event(
               R"({"type":"message_start","message":{"usage":{"input_tokens":5,"cache_read_input_tokens":2,"output_tokens":1}}})") +
           event(R"({"type":"content_block_start","content_block":{"type":"text","text":""}})") +
           event(R"({"type":"content_block_delta","delta":{"type":"text_delta","text":"one "}})") +
           event(R"({"type":"content_block_delta","delta":{"type":"text_delta","text":"two"}})") +
           event(R"({"type":"content_block_start","content_block":{"type":"tool_use","input":{}}})") +
           event(R"({"type":"content_block_delta","delta":{"type":"input_json_delta","partial_json":"{}"}})") +
           event(R"({"type":"content_block_start","content_block":{"type":"text","text":""}})") +
           event(R"({"type":"content_block_delta","delta":{"type":"text_delta","text":"three"}})") +
           event(R"({"type":"message_delta","usage":{"output_tokens":9}})") + event(R"({"type":"message_stop"})");
}

TEST(AnthropicAnswerReader, GivesTheSameTurnWhereverTheBytesAreCut) {
    const std::string bytes = stream();
    for (std::size_t piece = 1; piece <= bytes.size(); piece += piece < 40 ? 1 : 97) {
        AnthropicAnswerReader reader(true);
        for (std::size_t at = 0; at < bytes.size(); at += piece) reader.feed(std::string_view(bytes).substr(at, piece));

        const auto turn = reader.finish(asked);

        ASSERT_TRUE(turn.has_value()) << "pieces of " << piece << " bytes";
        EXPECT_EQ(turn->answer, "one two\nthree");
        EXPECT_EQ(turn->said, std::vector<std::string>{"q"});
        EXPECT_EQ(turn->usage.input, 7);
        EXPECT_EQ(turn->usage.output, 9);
    }
}

TEST(AnthropicAnswerReader, ATurnThatIsNotWholeIsNone) {
    const std::string bytes = stream();
    AnthropicAnswerReader cut(true), failed(true), no_json(false);
    cut.feed(std::string_view(bytes).substr(0, bytes.size() - 30));
    failed.feed(event(R"({"type":"error","error":{}})") + bytes);
    no_json.feed("<html>");

    EXPECT_FALSE(cut.finish(asked).has_value());
    EXPECT_FALSE(failed.finish(asked).has_value());
    EXPECT_FALSE(no_json.finish(asked).has_value());
}

TEST(WithMemory, MemoryIsTheLastBlockOfTheSystemPrompt) {
    EXPECT_EQ(with_memory(R"({"model":"m"})", "M"), R"({"model":"m","system":[{"type":"text","text":"M"}]})");
    EXPECT_EQ(with_memory(R"({"system":"S"})", "M"),
              R"({"system":[{"type":"text","text":"S"},{"type":"text","text":"M"}]})");
    EXPECT_EQ(
        with_memory(R"({"system":[{"type":"text","text":"S","cache_control":{"type":"ephemeral"}}]})", "M"),
        R"({"system":[{"type":"text","text":"S","cache_control":{"type":"ephemeral"}},{"type":"text","text":"M"}]})");
    EXPECT_EQ(with_memory("[1]", "M"), "[1]");
}

TEST(ReadForeignTurn, TakesNothingFromWhatIsNoTurn) {
    for (const char* messages : {"", "{", "[]", "[1,null,[]]", R"([{"role":5,"content":{}}])", R"([{"content":"x"}])"})
        for (const char* answer :
             {"", "[]", "{}", R"({"choices":[]})", R"({"choices":5})", R"({"content":[1,{"type":"text"}]})",
              R"({"candidates":[{}]})", R"({"usage":{"input_tokens":"x"}})"})
            EXPECT_TRUE(read_foreign_turn(messages, answer).empty()) << messages << " " << answer;
}

}  // namespace
}  // namespace stele::llm
