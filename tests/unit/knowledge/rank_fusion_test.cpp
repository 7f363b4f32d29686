#include "knowledge/rank_fusion.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stele::knowledge {
namespace {

std::vector<std::int64_t> ids(const std::vector<FusedRank>& fused) {
    std::vector<std::int64_t> found;
    for (const FusedRank& each : fused) found.push_back(each.id);
    return found;
}

Rankings rankings(std::vector<std::int64_t> text, std::vector<std::int64_t> vector) {
    Rankings made;
    made.text = std::move(text);
    made.vector = std::move(vector);
    return made;
}

TEST(Fuse, GivesTheScoresOfTheFormula) {
    const std::vector<FusedRank> fused = fuse(rankings({7, 9}, {7, 3, 8, 9}));

    ASSERT_EQ(fused.size(), 4u);
    EXPECT_EQ(fused[0].id, 7);
    EXPECT_NEAR(fused[0].score, 0.5 / 61 + 0.5 / 61, 1e-12);
    EXPECT_NEAR(fused[0].score, 0.01639, 5e-6);
    EXPECT_EQ(fused[1].id, 9);
    EXPECT_NEAR(fused[1].score, 0.5 / 62 + 0.5 / 64, 1e-12);
    EXPECT_EQ(fused[1].text_rank, 2);
    EXPECT_EQ(fused[1].vector_rank, 4);
    EXPECT_EQ(fused[2].id, 3);
    EXPECT_EQ(fused[2].text_rank, std::nullopt);
    EXPECT_EQ(fused[3].id, 8);
    EXPECT_NEAR(fused[3].score, 0.00794, 5e-6);
}

TEST(Fuse, PutsWhatBothHaveBeforeWhatOneHas) {
    EXPECT_THAT(ids(fuse(rankings({1, 2, 3}, {4, 5, 3}))), testing::ElementsAre(3, 4, 1, 5, 2));
}

TEST(Fuse, LeavesTheOrderOfOneListAloneWhenTheOtherIsEmpty) {
    EXPECT_THAT(ids(fuse(rankings({5, 1, 9}, {}))), testing::ElementsAre(5, 1, 9));
    EXPECT_THAT(ids(fuse(rankings({}, {5, 1, 9}))), testing::ElementsAre(5, 1, 9));
    EXPECT_TRUE(fuse(rankings({}, {})).empty());
}

TEST(Fuse, LetsWeightsShiftTheOrder) {
    Rankings made = rankings({1, 2}, {2, 1});
    made.text_weight = 0.9;
    made.vector_weight = 0.1;
    EXPECT_THAT(ids(fuse(made)), testing::ElementsAre(1, 2));

    made.text_weight = 0.1;
    made.vector_weight = 0.9;
    EXPECT_THAT(ids(fuse(made)), testing::ElementsAre(2, 1));
}

TEST(Fuse, CountsWhatAListHoldsTwiceByItsBetterPlace) {
    const std::vector<FusedRank> fused = fuse(rankings({4, 6, 4}, {}));

    ASSERT_EQ(fused.size(), 2u);
    EXPECT_EQ(fused[0].text_rank, 1);
}

}  // namespace
}  // namespace stele::knowledge
