// The texts that memory_apply_patch takes.
#include "tools/builtin/memory_patch.hpp"

#include "tests/unit/tools/failure_of.hpp"
#include "tools/working_memory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stele::tools::edits {
namespace {

using testing::HasSubstr;
using Kind = PatchSection::Kind;

struct Patched {
    const char* value;
    const char* patch;
    const char* expected;
};

TEST(ApplyHunks, ChangesWhatTheHunksName) {
    const Patched rows[] = {
        {"a\nb\nc", "@@ -2,1 +2,1 @@\n-b\n+x", "a\nx\nc"},
        {"a\nb\nc", "--- human\n+++ human\n@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n", "a\nx\nc"},
        {"a\nb", "-b\n+x", "a\nx"},                      // no header
        {"a\nb", "@@\n-a\n-b", ""},                      // all of it
        {"", "@@\n+a\n+b", "a\nb"},                      // from nothing
        {"a", "@@\n+b", "a\nb"},                         // only added, no line: the end
        {"a\nb\nc", "@@ -1,0 +2 @@\n+x", "a\nx\nb\nc"},  // only added, behind line 1
        {"a\nb", "@@ -0,0 +1 @@\n+x", "x\na\nb"},        // only added, at the top
        {"a\nb\nc\nd", "@@\n-a\n+1\n@@\n-d\n+4", "1\nb\nc\n4"},
        {"a\nb\nc\nd", "@@ -1 +1,2 @@\n-a\n+1\n+2\n@@ -3,0 +5 @@\n+x", "1\n2\nb\nc\nx\nd"},  // the first hunk shifts
        {"x\na\nx\na", "@@ -4 +4 @@\n-a\n+b", "x\na\nx\nb"},  // twice there: the header decides
        {"x\na\nx\na", "@@ -2 +2 @@\n-a\n+b", "x\nb\nx\na"},
        {"a\n-- rule\nb", "@@\n a\n--- rule\n+-- other\n b",
         "a\n-- other\nb"},                        // a removed line that looks like a header
        {"a\n\nb", "@@\n a\n\n-b\n+c", "a\n\nc"},  // a context line that lost its space
        {"a\nb", "@@\n-b\n+c\n\n", "a\nc"},        // empty lines behind the patch
        {"a\n", "@@\n a\n+b\n ", "a\nb\n"},        // an empty line that is marked is one
        {"a\nb", "@@\n-b\n+c\n\\ No newline at end of file", "a\nc"},
        {"a\r\nb\r\nc", "@@\n a\n-b\n+x\n c", "a\r\nx\r\nc"},
        {"a\nb", "@@\r\n a\r\n-b\r\n+x\r\n", "a\nx"},
        {"é\n😀", "@@\n-😀\n+ü", "é\nü"},
    };
    for (const Patched& row : rows) EXPECT_EQ(apply_hunks(row.value, row.patch), row.expected) << row.patch;
}

TEST(ApplyHunks, RefusesWhatDoesNotFitOrIsNotUnique) {
    EXPECT_THAT(failure_of([] { apply_hunks("a\nb", "@@\n-x\n+y"); }),
                testing::AllOf(HasSubstr("does not fit"), HasSubstr("'x'")));
    EXPECT_THAT(failure_of([] { apply_hunks("a\nb", "@@\n-b\n+y\n@@\n-a\n+z"); }), HasSubstr("behind the hunk before"));
    EXPECT_THAT(failure_of([] { apply_hunks("a\nx\na", "@@\n-a\n+b"); }), HasSubstr("fits at 2 places"));
    EXPECT_THAT(failure_of([] { apply_hunks("a", "a\nb"); }), HasSubstr("must begin with"));
    for (const char* empty : {"", "\n\n", "@@\n", "*** Begin Patch\n*** End Patch"})
        EXPECT_THAT(failure_of([&] { apply_hunks("a", empty); }), HasSubstr("no hunk")) << empty;
}

TEST(ParseSections, TellsTheBlocksApart) {
    const auto sections = parse_sections(
        "*** Begin Patch\n"
        "*** Add Block: notes \n+\n+first\n+ second\n"
        "*** Delete Block: old one\n"
        "*** Update Block: human\n*** Move to: person\n@@\n-a\n+b\n"
        "*** Update Block: tea\r\n*** Move to: coffee\r\n"
        "*** End Patch\n");

    ASSERT_EQ(sections.size(), 4u);
    EXPECT_EQ(sections[0].kind, Kind::add);
    EXPECT_EQ(sections[0].label, "notes");
    EXPECT_EQ(sections[0].text, "\nfirst\n second");
    EXPECT_EQ(sections[1].kind, Kind::remove);
    EXPECT_EQ(sections[1].label, "old one");
    EXPECT_EQ(sections[2].new_label, "person");
    EXPECT_EQ(apply_hunks("a", sections[2].hunks), "b");
    EXPECT_EQ(sections[3].label, "tea");
    EXPECT_EQ(sections[3].new_label, "coffee");
    EXPECT_TRUE(parse_sections("@@\n-a\n+b").empty());
}

TEST(ParseSections, RefusesWhatMeansNothing) {
    EXPECT_THAT(failure_of([] { parse_sections("*** Move to: x"); }), HasSubstr("must stand behind"));
    EXPECT_THAT(failure_of([] { parse_sections("*** Add Block: a\n*** Move to: x"); }), HasSubstr("must stand behind"));
    EXPECT_THAT(failure_of([] { parse_sections("*** Add Block:\n+x"); }), HasSubstr("label is missing"));
    EXPECT_THAT(failure_of([] { parse_sections("*** Add Block: a\nx"); }), HasSubstr("begin with '+'"));
    EXPECT_THAT(failure_of([] { parse_sections("*** Delete Block: a\n-x"); }), HasSubstr("takes no lines"));
    EXPECT_THAT(failure_of([] { parse_sections("*** Update Block: a\n"); }), HasSubstr("nothing about the block 'a'"));
}

}  // namespace
}  // namespace stele::tools::edits
