// The blocks of an agent while its tools edit them.
#include "tools/working_memory.hpp"
#include "tests/unit/tools/failure_of.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stele::tools {
namespace {

using testing::HasSubstr;

Block block(const std::string& label, const std::string& value, bool read_only = false) {
    Block made;
    made.id = "block-" + label;
    made.label = label;
    made.value = value;
    made.limit = 10;
    made.read_only = read_only;
    return made;
}

WorkingMemory memory() {
    return WorkingMemory({block("human", "Ada"), block("persona", "kind"), block("policy", "fixed", true)});
}

TEST(WorkingMemory, RefusesUnknownLabelsAndNamesThoseThereAre) {
    WorkingMemory edited = memory();
    const std::string expected = "no memory block 'x'. The blocks are: human, persona, policy";

    EXPECT_THAT(failure_of([&] { edited.set_value("x", "a"); }), HasSubstr(expected));
    EXPECT_THAT(failure_of([&] { edited.rename("x", "y"); }), HasSubstr(expected));
    EXPECT_THAT(failure_of([&] { edited.remove("x"); }), HasSubstr(expected));
    EXPECT_THAT(failure_of([&] { edited.set_description("x", "y"); }), HasSubstr(expected));
    EXPECT_THAT(failure_of([] { WorkingMemory({}).set_value("x", "a"); }), HasSubstr("The blocks are: none"));
    EXPECT_FALSE(edited.dirty());
}

TEST(WorkingMemory, RefusesEveryChangeOfAReadOnlyBlock) {
    WorkingMemory edited = memory();

    for (const std::string& failure :
         {failure_of([&] { edited.set_value("policy", "a"); }),
          failure_of([&] { edited.set_value("policy", "fixed"); }), failure_of([&] { edited.rename("policy", "y"); }),
          failure_of([&] { edited.remove("policy"); }), failure_of([&] { edited.set_description("policy", "y"); }),
          failure_of([&] { edited.editable("policy"); })})
        EXPECT_THAT(failure, HasSubstr("'policy' is read-only"));
    EXPECT_FALSE(edited.dirty());
}

TEST(WorkingMemory, CountsCharactersAgainstTheLimit) {
    WorkingMemory edited = memory();
    edited.set_value("human", "😀😀😀😀😀😀😀😀😀😀");

    EXPECT_THAT(failure_of([&] { edited.set_value("persona", "12345678901"); }),
                testing::AllOf(HasSubstr("'persona'"), HasSubstr("11"), HasSubstr("10")));
    EXPECT_EQ(edited.get("persona").value, "kind");
    EXPECT_EQ(edited.changed().size(), 1u);
}

TEST(WorkingMemory, RefusesLabelsThatNoBlockCanHave) {
    WorkingMemory edited = memory();

    EXPECT_THAT(failure_of([&] { edited.rename("human", "persona"); }), HasSubstr("'persona' already"));
    EXPECT_THAT(failure_of([&] { edited.create("persona", "", "", "user-1"); }), HasSubstr("'persona' already"));
    for (const std::string& label : {std::string(), std::string("a\nb"), std::string(256, 'a')}) {
        EXPECT_THAT(failure_of([&] { edited.rename("human", label); }), HasSubstr("can't be the label"));
        EXPECT_THAT(failure_of([&] { edited.create(label, "", "", "user-1"); }), HasSubstr("can't be the label"));
    }
    EXPECT_FALSE(edited.dirty());
}

TEST(WorkingMemory, KnowsWhatHasToBeStored) {
    WorkingMemory edited = memory();
    edited.create("notes", "d", "x", "user-1");
    edited.set_value("notes", "y");
    edited.create("gone", "d", "x", "user-1");
    edited.remove("gone");
    edited.rename("human", "person");
    edited.remove("persona");
    edited.set_value("person", "Ada");  // no change of the text

    ASSERT_EQ(edited.created().size(), 1u);
    EXPECT_EQ(edited.created().front().value, "y");
    ASSERT_EQ(edited.changed().size(), 1u);
    EXPECT_EQ(edited.changed().front().label, "person");
    EXPECT_EQ(edited.removed_ids(), (std::vector<std::string>{"block-persona"}));
}

TEST(WorkingMemory, IsCleanWhenAnEditChangesNothing) {
    WorkingMemory edited = memory();
    edited.set_value("human", "Ada");
    EXPECT_FALSE(edited.dirty());
}

}  // namespace
}  // namespace stele::tools
