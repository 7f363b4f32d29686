#include "knowledge/chunker.hpp"
#include "base/utf8.hpp"

#include <gtest/gtest.h>

#include <random>

namespace stele::knowledge {
namespace {

std::vector<std::string> pieces(FileKind kind, const std::string& text, ChunkSizes sizes) {
    std::vector<std::string> all;
    for (const Chunk& chunk : chunks_of(kind, text, sizes))
        all.push_back(text.substr(chunk.begin, chunk.end - chunk.begin));
    return all;
}

TEST(Chunker, LeavesAShortTextWhole) {
    EXPECT_EQ(pieces(FileKind::lines, "  one\ntwo \n", {}), std::vector<std::string>{"one\ntwo"});
    EXPECT_TRUE(pieces(FileKind::lines, "", {}).empty());
    EXPECT_TRUE(pieces(FileKind::lines, " \n\t\n", {}).empty());
}

TEST(Chunker, CutsAtHeadingsAndTellsThem) {
    const std::string body(60, 'x');
    const std::string text =
        "# Guide\n" + body + "\n## Install\n" + body + "\n```\n# no heading\n```\n## Use\n" + body + "\n";

    const auto chunks = chunks_of(FileKind::documentation, text, {30, 0});

    ASSERT_EQ(chunks.size(), 3u);
    EXPECT_EQ(chunks[0].headings, "Guide");
    EXPECT_EQ(chunks[1].headings, "Guide > Install");
    EXPECT_EQ(text.substr(chunks[1].begin, 10), "## Install");
    EXPECT_EQ(chunks[2].headings, "Guide > Use");
}

TEST(Chunker, PrefersTheBetterPlace) {
    // A blank line, then a line, a sentence, a word, all within reach: the blank line counts.
    EXPECT_EQ(pieces(FileKind::lines, "aaaa aaaa aaaa aaaa aaaa\n\nbb\nbb. Bb bb bb bb", {10, 0}).front(),
              "aaaa aaaa aaaa aaaa aaaa");
    EXPECT_EQ(pieces(FileKind::lines, "aaaa aaaa aaaa aaaa aaaa\nbb bb. Bb bb bb bb", {10, 0}).front(),
              "aaaa aaaa aaaa aaaa aaaa");
    EXPECT_EQ(pieces(FileKind::lines, "aaaa aaaa aaaa aaaa aaaa. Bb bb bb bb bb bb", {10, 0}).front(),
              "aaaa aaaa aaaa aaaa aaaa.");
    EXPECT_EQ(pieces(FileKind::code, "f() {\n  aaaaaaaaa\n  bbbb\n}\nggggggggggggggg\n  cccccccccc\n", {10, 0}).front(),
              "f() {\n  aaaaaaaaa\n  bbbb\n}");
}

TEST(Chunker, RepeatsTheEndOfTheChunkBefore) {
    std::string text;
    for (int i = 0; i < 100; ++i) text += "line number " + std::to_string(i) + "\n";

    const auto chunks = chunks_of(FileKind::lines, text, {40, 10});

    ASSERT_GT(chunks.size(), 3u);
    for (std::size_t i = 1; i < chunks.size(); ++i) {
        EXPECT_LT(chunks[i].begin, chunks[i - 1].end);
        EXPECT_GT(chunks[i].begin, chunks[i - 1].begin);
        EXPECT_TRUE(chunks[i].begin == 0 || text[chunks[i].begin - 1] == '\n');
    }
}

// Whatever the text: nothing is lost, nothing too long, no character cut, and always the same.
TEST(Chunker, HoldsItsPromisesOnRandomTexts) {
    std::mt19937 random(20260827);
    const std::vector<std::string> words{"a",     "word",   " ",          "\n",    "\n\n", ". ",        "B",
                                         "# h\n", "\u00e4", "\U0001f600", "```\n", "\t",   "longerword"};
    for (int round = 0; round < 400; ++round) {
        std::string text;
        for (int i = static_cast<int>(random() % 400); i > 0; --i) text += words[random() % words.size()];
        const auto kind = static_cast<FileKind>(random() % 4);
        const ChunkSizes sizes{1 + random() % 40, random() % 20};

        const auto chunks = chunks_of(kind, text, sizes);

        std::vector<bool> covered(text.size(), false);
        for (const Chunk& chunk : chunks) {
            ASSERT_LT(chunk.begin, chunk.end);
            ASSERT_LE(chunk.end - chunk.begin, std::max<std::size_t>(sizes.tokens * 4, 4));
            ASSERT_TRUE(is_utf8(std::string_view(text).substr(chunk.begin, chunk.end - chunk.begin)));
            for (std::size_t at = chunk.begin; at < chunk.end; ++at) covered[at] = true;
        }
        for (std::size_t at = 0; at < text.size(); ++at)
            ASSERT_TRUE(covered[at] || std::isspace(static_cast<unsigned char>(text[at])) != 0)
                << "round " << round << " byte " << at;
        const auto again = chunks_of(kind, text, sizes);
        ASSERT_EQ(again.size(), chunks.size());
    }
}

}  // namespace
}  // namespace stele::knowledge
