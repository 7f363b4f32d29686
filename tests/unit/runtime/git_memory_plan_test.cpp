#include "runtime/git_memory_plan.hpp"

#include <gtest/gtest.h>

namespace stele::runtime {
namespace {

Block block(const std::string& label, const std::string& value) {
    Block made;
    made.id = "block-" + label;
    made.label = label;
    made.value = value;
    return made;
}

TEST(PlanPush, OnlyWhatWasPushedChanges) {
    const std::vector<Block> blocks{block("a", "a"), block("b", "b"), block("c", "c")};
    const MemoryFiles before{{"a", "a\n"}, {"b", "b\n"}, {"c", "c\n"}};

    const PushPlan plan = plan_push(blocks, before, {{"a", "a\n"}, {"b", "new\n"}, {"d", "d\n"}});

    ASSERT_EQ(plan.changed.size(), 1u);
    EXPECT_EQ(plan.changed[0].id, "block-b");
    EXPECT_EQ(plan.changed[0].value, "new");
    ASSERT_EQ(plan.fresh.size(), 1u);
    EXPECT_EQ(plan.fresh[0].label, "d");
    ASSERT_EQ(plan.gone.size(), 1u);
    EXPECT_EQ(plan.gone[0].label, "c");
}

TEST(PlanPush, EditsFromBothSidesMeetWhereTheyCan) {
    const MemoryFiles before{{"a", "one\ntwo\nthree\n"}};

    const PushPlan both = plan_push({block("a", "ONE\ntwo\nthree")}, before, {{"a", "one\ntwo\nTHREE\n"}});
    const PushPlan clash = plan_push({block("a", "mine\ntwo\nthree")}, before, {{"a", "theirs\ntwo\nthree\n"}});

    EXPECT_EQ(both.changed.at(0).value, "ONE\ntwo\nTHREE");
    EXPECT_EQ(clash.changed.at(0).value, "theirs\ntwo\nthree");
}

TEST(PlanPush, ABlockThatWasEditedMeanwhileIsNotRemoved) {
    const PushPlan plan = plan_push({block("a", "edited")}, {{"a", "a\n"}}, {});

    EXPECT_TRUE(plan.gone.empty());
}

TEST(PlanPush, MayBeCarriedOutTwice) {
    const MemoryFiles before{{"a", "a\n"}, {"c", "c\n"}}, after{{"a", "b\n"}, {"d", "d\n"}};

    const PushPlan again = plan_push({block("a", "b"), block("d", "d")}, before, after);

    EXPECT_TRUE(again.changed.empty() && again.fresh.empty() && again.gone.empty());
}

TEST(PlanCommit, WritesWhatDiffersAndTakesAwayWhatIsGone) {
    const std::vector<Block> blocks{block("a", "a"), block("b", "new"), block("../x", "no path")};

    const auto changes = plan_commit(blocks, {{"a", "---\nmood: x\n---\n\na\n"}, {"b", "old\n"}, {"c", "c\n"}});

    ASSERT_EQ(changes.size(), 2u);
    EXPECT_EQ(changes[0].path, "b.md");
    EXPECT_EQ(changes[0].text, "new\n");
    EXPECT_EQ(changes[1].path, "c.md");
    EXPECT_EQ(changes[1].text, std::nullopt);
}

}  // namespace
}  // namespace stele::runtime
