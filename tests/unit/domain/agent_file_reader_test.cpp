#include "domain/agent_file_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/json/serialize.hpp>

namespace stele {
namespace {

using testing::HasSubstr;

constexpr char file_text[] =
    R"({"blocks":[{"id":"block-0","label":"human","value":"x"}],"agents":[{"name":"Ada","messages":[
 {"id":"m-0","role":"system","content":[{"type":"text","text":"s"}]},
 {"id":"m-1","role":"user","content":"\u00e4\ud83d\ude00 [\"messages\"]"},
 {"id":"m-2","role":"assistant","content":null,"tool_calls":[{"id":"c","function":{"name":"roll","arguments":"{\"messages\":[1]}"}}]},
 {"id":"m-3","role":"tool","tool_call_id":"c","tool_returns":[{"tool_call_id":"c","status":"success","func_response":"4"}]}],
 "id":"agent-0","block_ids":["block-0"],"in_context_message_ids":["m-0","m-3","m-1"],"source_ids":["source-0"]}],
 "sources":[{"id":"source-0","name":"f"}],
 "files":[{"id":"file-0","source_id":"source-0","content":"one\ntwo"},{"id":"file-1","source_id":"source-0"}]})";

// In pieces of `size` bytes.
template <class Reader>
void feed(Reader& reader, std::string_view text, std::size_t size) {
    for (; !text.empty(); text.remove_prefix(std::min(size, text.size()))) reader.feed(text.substr(0, size));
}

AgentFileContents read(std::string_view text, std::size_t size = 1u << 20, std::size_t kept = 1u << 20) {
    AgentFileReader reader(kept);
    feed(reader, text, size);
    return reader.finish();
}

std::string refusal(std::string_view text, std::size_t size = 1u << 20) {
    try {
        read(text, size);
    } catch (const Error& error) {
        EXPECT_EQ(error.code, ErrorCode::invalid_argument);
        return error.what();
    }
    return "it was taken";
}

std::string wrapped(const std::string& text) { return boost::json::serialize(boost::json::string(text)); }

TEST(AgentFileReader, ReadsTheSameWhereverTheBytesAreCut) {
    const AgentFileContents whole = read(file_text);
    ASSERT_EQ(whole.file.agents.size(), 1u);

    for (const std::string& text : {std::string(file_text), wrapped(file_text)})
        for (const std::size_t size : {1, 2, 3, 7, 64, 1'000}) {
            const AgentFileContents cut = read(text, size);
            EXPECT_EQ(to_json(cut.file.files.at(0)), to_json(whole.file.files.at(0)));
            ASSERT_EQ(cut.file.agents[0].links.messages.size(), 4u);
            for (std::size_t i = 0; i < 4; ++i)
                EXPECT_EQ(to_json(cut.file.agents[0].links.messages[i]),
                          to_json(whole.file.agents[0].links.messages[i]));
        }
}

TEST(AgentFileReader, KnowsTheWindowWithoutTheMessages) {
    const AgentFileContents without = read(file_text, 10, 0);

    EXPECT_FALSE(without.whole);
    EXPECT_TRUE(without.file.agents[0].links.messages.empty());
    EXPECT_EQ(without.messages[0].count, 4u);
    EXPECT_EQ(without.messages[0].window, (std::vector<std::size_t>{0, 3, 1}));
    EXPECT_TRUE(without.messages[0].begins_with_system);
    EXPECT_EQ(without.file.files[0].content, "");
    EXPECT_EQ(without.file.files[1].content, std::nullopt);
}

TEST(AgentFilePieces, TellWhatTheReaderLeftOut) {
    const AgentFileContents whole = read(file_text);
    AgentFilePieces pieces(false);
    feed(pieces, file_text, 5);
    const std::vector<AgentFilePiece> told = pieces.take();

    ASSERT_EQ(told.size(), 5u);
    for (std::size_t i = 0; i < 4; ++i) {
        EXPECT_EQ(told[i].part.index, i);
        EXPECT_EQ(to_json(told[i].message), to_json(whole.file.agents[0].links.messages[i]));
    }
    EXPECT_EQ(told[4].content, "one\ntwo");
}

TEST(AgentFileReader, ReadsTheLegacyForm) {
    const std::string legacy =
        R"({"messages":[{"role":"system","content":"s"},{"role":"user","content":"u"}],"in_context_message_indices":[1,0],)"
        R"("agent_type":"memgpt_agent","llm_config":{"model":"m","context_window":1},"name":"old"})";
    const AgentFileContents contents = read(legacy, 3, 0);
    AgentFilePieces pieces(contents.legacy);
    feed(pieces, legacy, 4);

    EXPECT_TRUE(contents.legacy);
    EXPECT_EQ(contents.messages[0].window, (std::vector<std::size_t>{1, 0}));
    EXPECT_FALSE(contents.messages[0].begins_with_system);
    EXPECT_EQ(pieces.take().size(), 2u);
}

TEST(AgentFileReader, NamesWhatIsWrongAndWhere) {
    const auto with_messages = [](const std::string& messages) {
        return R"({"agents":[{"id":"agent-0","name":"a","messages":[)" + messages + R"(]}]})";
    };
    const std::pair<std::string, const char*> cases[] = {
        {"", "ends too early"},
        {R"({"agents":[{"messages":[{"id":"m)", "agents.0.messages.0"},
        {with_messages(R"({"id":"m","role":"user"},{"id":"m","role":"user"})"),
         "agents.0.messages.1: the id m is there twice"},
        {with_messages(R"({"role":"user"})"), "agents.0.messages.0: every message needs an id"},
        {with_messages(R"({"id":"m","role":"user"},{"id":"n","role":"narrator"})"),
         "agents.0.messages.1.role must be one of"},
        {with_messages("7"), "agents.0.messages.0 must be an object"},
        {with_messages(R"({"id":"m","id":"n","role":"user"})"), "'id': the key is there twice in one object (byte"},
        {with_messages(std::string(70, '[')), "nested deeper than 64 levels"},
        {with_messages(R"({"id":"\ud83d","role":"user"})"), "lone surrogate"},
        {with_messages("{\"id\":\"\xff\",\"role\":\"user\"}"), "no UTF-8"},
        {with_messages(R"({"id":"m","role":"user","x":1e999})"), "does not fit 64 bits"},
        {R"({"agents":[],"agents":[]})", "'agents': the key is there twice"},
        {R"({"agents":{}})", "agents must be a list"},
        {R"({"agents":[{"id":"agent-0","messages":{}}]})", "agents.0.messages must be a list"},
        {R"({"agents":[{"id":"agent-0","in_context_message_ids":["m"]}]})", "the file has no message m"},
        {with_messages("") + "x", "malformed"},
        {wrapped(wrapped(file_text)), "must be a JSON object"},
        {"[]", "must be a JSON object"},
        {"7", "must be a JSON object"},
    };
    for (const auto& [text, said] : cases)
        for (const std::size_t size : {1u, 1u << 20}) EXPECT_THAT(refusal(text, size), HasSubstr(said)) << text;
}

TEST(AgentFileReader, BoundsWhatAFileMayTake) {
    std::string agents = R"({"agents":[{})";
    for (int i = 0; i < 1'000; ++i) agents += ",{}";
    EXPECT_THAT(refusal(agents + "]}"), HasSubstr("agents are more than an import takes"));

    AgentFileReader rest(0);
    const std::string piece(1u << 20, '[');
    const auto feed_for_ever = [](AgentFileReader& reader, const std::string& begin, const std::string& again) {
        try {
            reader.feed(begin);
            for (int i = 0; i < 10'000; ++i) reader.feed(again);
        } catch (const Error& error) {
            return std::string(error.what());
        }
        return std::string("it was taken");
    };
    std::string empty_objects;
    for (int i = 0; i < 10'000; ++i) empty_objects += "{},";
    EXPECT_THAT(feed_for_ever(rest, R"({"blocks":[)", empty_objects), HasSubstr("too much in it besides messages"));
    AgentFileReader one_text(0);
    EXPECT_THAT(feed_for_ever(one_text, R"({"agents":[{"messages":[{"id":")", std::string(1u << 20, 'x')),
                HasSubstr("agents.0.messages.0 is too large"));
    AgentFileReader text(0);
    EXPECT_THAT(feed_for_ever(text, R"({"files":[{},{"content":")", std::string(1u << 20, 'x')),
                HasSubstr("files.1.content is too large"));
}

}  // namespace
}  // namespace stele
