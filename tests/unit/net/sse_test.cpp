#include "net/sse.hpp"

#include <gtest/gtest.h>

namespace stele::net {

void PrintTo(const SseEvent& event, std::ostream* out) {
    *out << "{event: '" << event.event << "', data: '" << event.data << "', id: '" << event.id << "'}";
}

namespace {

std::vector<SseEvent> read_in_pieces(std::string_view text, std::size_t piece) {
    SseReader reader;
    std::vector<SseEvent> events;
    for (; !text.empty(); text.remove_prefix(std::min(piece, text.size())))
        EXPECT_TRUE(reader.feed(text.substr(0, piece), events).has_value());
    return events;
}

SseEvent event(std::string name, std::string data, std::string id = {}) {
    SseEvent made;
    made.event = std::move(name);
    made.data = std::move(data);
    made.id = std::move(id);
    return made;
}

TEST(SseReader, TellsWhenTheServerWantsToBeAskedAgain) {
    SseReader reader;
    std::vector<SseEvent> events;
    EXPECT_FALSE(reader.retry_ms().has_value());

    for (const char* line :
         {"retry: 250\n", "retry: soon\n", "retry: -1\n", "retry:\n", "retry: 9999999999999999999\n"})
        ASSERT_TRUE(reader.feed(line, events));

    EXPECT_EQ(reader.retry_ms(), 250);
}

TEST(SseReader, ReadsStreamsAsTheStandardDoes) {
    using namespace std::string_literals;
    const struct {
        const char* name;
        std::string text;
        std::vector<SseEvent> events;
    } cases[] = {
        {"one message", "data: a\n\n", {event("", "a")}},
        {"no space behind the colon", "data:a\n\n", {event("", "a")}},
        {"only one space goes", "data:  a\n\n", {event("", " a")}},
        {"several lines", "data: a\ndata: b\ndata\n\n", {event("", "a\nb\n")}},
        {"carriage returns", "data: a\r\rdata: b\r\r", {event("", "a"), event("", "b")}},
        {"both", "data: a\r\n\r\ndata: b\r\n\r\n", {event("", "a"), event("", "b")}},
        {"mixed ends", "data: a\r\ndata: b\rdata: c\n\r\n", {event("", "a\nb\nc")}},
        {"name and id", "event: x\nid: 7\ndata: a\n\n", {event("x", "a", "7")}},
        {"the id stays, the name does not",
         "event: x\nid: 7\ndata: a\n\ndata: b\n\n",
         {event("x", "a", "7"), event("", "b", "7")}},
        {"an id with a nul does not count", "id: a\0b\ndata: c\n\n"s, {event("", "c")}},
        {"comments and retry", ": ping\nretry: 10\ndata: a\n: more\n\n", {event("", "a")}},
        {"no data, no event", "event: x\n\ndata: a\n\n", {event("", "a")}},
        {"empty data", "data\n\n", {event("", "")}},
        {"byte order mark",
         "\xEF\xBB\xBF"
         "data: a\n\n",
         {event("", "a")}},
        {"unknown fields", "foo: bar\nDATA: x\ndata: a\n\n", {event("", "a")}},
        {"unfinished", "data: a\n", {}},
        {"colons in the value", "data: a: b\n\n", {event("", "a: b")}},
    };
    for (const auto& c : cases)
        for (std::size_t piece = 1; piece <= c.text.size(); ++piece)
            EXPECT_EQ(read_in_pieces(c.text, piece), c.events) << c.name << ", pieces of " << piece << " bytes";
}

TEST(SseReader, RefusesAnEventThatGrowsTooLargeWhereverItIsCut) {
    const std::string text = "data: 12345\ndata: 67890\n\n";
    for (std::size_t piece = 1; piece <= text.size(); ++piece) {
        SseReader roomy(16), narrow(15);
        std::vector<SseEvent> from_roomy, from_narrow;
        bool roomy_failed = false, narrow_failed = false;
        for (std::size_t at = 0; at < text.size(); at += piece) {
            roomy_failed = roomy.feed(std::string_view(text).substr(at, piece), from_roomy).has_error() || roomy_failed;
            narrow_failed =
                narrow.feed(std::string_view(text).substr(at, piece), from_narrow).has_error() || narrow_failed;
        }
        EXPECT_FALSE(roomy_failed) << piece;
        EXPECT_EQ(from_roomy.size(), 1u) << piece;
        EXPECT_TRUE(narrow_failed) << piece;
        EXPECT_TRUE(from_narrow.empty()) << piece;
    }
}

TEST(SseReader, StaysFailed) {
    SseReader reader(4);
    std::vector<SseEvent> events;
    EXPECT_TRUE(reader.feed("data: 1\n", events).has_error());

    EXPECT_TRUE(reader.feed("\ndata\n\n", events).has_error());
    EXPECT_TRUE(events.empty());
}

TEST(AppendSse, WritesWhatTheReaderReads) {
    std::string text;
    append_sse(text, "{\"a\":1}");
    append_sse(text, "oh", "error", "12");
    append_sse_comment(text, "ping");
    append_sse(text, "a\nb\r\nc\rd\n");

    EXPECT_EQ(text,
              "data: {\"a\":1}\n\n"
              "event: error\nid: 12\ndata: oh\n\n"
              ": ping\n\n"
              "data: a\ndata: b\ndata: c\ndata: d\ndata: \n\n");
    EXPECT_EQ(read_in_pieces(text, text.size()),
              (std::vector{event("", "{\"a\":1}"), event("error", "oh", "12"), event("", "a\nb\nc\nd\n", "12")}));
}

TEST(AppendSseJson, EscapesWhatSomeReadersTakeForTheEndOfALine) {
    std::string text;
    append_sse_json(text, "{\"a\":\"\u0085b\u2028\u2028c\u2029\u00e9\"}", {}, "7");
    append_sse_json(text, "[DONE]");

    EXPECT_EQ(text, "id: 7\ndata: {\"a\":\"\\u0085b\\u2028\\u2028c\\u2029\u00e9\"}\n\ndata: [DONE]\n\n");
}

}  // namespace
}  // namespace stele::net
