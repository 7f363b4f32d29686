// Files and patterns made to keep a worker busy.
#include "knowledge/chunker.hpp"
#include "knowledge/file_grep.hpp"

#include <gtest/gtest.h>

namespace stele::knowledge {
namespace {

using Clock = std::chrono::steady_clock;

// Millions of steps for each kilobyte: without a look at the clock within the line this would take an hour.
TEST(HostileGrep, EndsWithinALineOfMegabytes) {
    const GrepPattern pattern("(.{0,30}x){0,30}y");
    const std::string text(50'000'000, 'x');

    const GrepMatches found =
        grep(pattern, FileKind::code, text, {{0, text.size()}}, 10, Clock::now() + std::chrono::milliseconds(10));

    EXPECT_TRUE(found.timed_out);
    EXPECT_TRUE(found.units.empty());
}

TEST(Grep, FindsInALongLineWhatLiesAnywhere) {
    const auto found = [](const std::string& pattern, const std::string& text) {
        return !grep(GrepPattern(pattern), FileKind::code, text, {{0, text.size()}}, 10,
                     Clock::now() + std::chrono::hours(1))
                    .units.empty();
    };
    const std::string filler(3'000'000, '-');

    EXPECT_TRUE(found("^ada.*hopper$", "Ada" + filler + "Hopper"));
    EXPECT_TRUE(found("needle", filler + "needle"));
    EXPECT_FALSE(found("^needle", filler + "needle"));
    EXPECT_FALSE(found("needle$", "needle" + filler));
    // In windows: such a pattern has a program of thousands of steps.
    const std::string slow = "(q{0,30}r){0,30}";
    EXPECT_TRUE(found(slow + "needle", filler + "needle" + filler));
    EXPECT_TRUE(found(slow + "needle$", filler + "needle"));
    EXPECT_FALSE(found("^" + slow + "needle", filler + "needle"));
    EXPECT_FALSE(found(slow + "needle$", "needle" + filler));
}

TEST(HostileChunkSizes, MakeNoMoreChunksThanCanBeStored) {
    std::string text = "# " + std::string(400, 'h') + "\n";
    while (text.size() < 20'000'000) text += "word ";
    ChunkSizes sizes;
    sizes.tokens = 1;

    EXPECT_LE(chunks_of(FileKind::documentation, text, sizes).size(), 200'000u);
    EXPECT_LE(chunks_of(FileKind::lines, std::string(20'000'000, 'x'), sizes).size(), 200'000u);
}

TEST(HostileChunkSizes, AreNoSmallerForBeingBeyondAllNumbers) {
    for (const int bits : {31, 61, 62, 63}) {
        ChunkSizes sizes;
        sizes.tokens = std::size_t{1} << bits;
        EXPECT_EQ(chunks_of(FileKind::lines, "one two", sizes).size(), 1u) << bits;
    }
}

}  // namespace
}  // namespace stele::knowledge
