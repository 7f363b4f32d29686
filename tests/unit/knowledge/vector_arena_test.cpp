#include "knowledge/vector_arena.hpp"
#include "knowledge/dot.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

namespace stele::knowledge {
namespace {

using Vector = std::vector<float>;

Vector random_vector(std::mt19937& random, std::size_t size) {
    std::normal_distribution<float> number;
    Vector made(size);
    for (float& each : made) each = number(random);
    return made;
}

std::vector<std::int64_t> positions(const std::vector<NearVector>& near) {
    std::vector<std::int64_t> found;
    for (const NearVector& each : near) found.push_back(each.position);
    return found;
}

// By the book: double precision, no tricks.
std::vector<std::int64_t> nearest_by_hand(const std::map<std::int64_t, Vector>& rows, const Vector& query,
                                          std::size_t count) {
    std::vector<std::pair<double, std::int64_t>> ranked;
    for (const auto& [position, row] : rows) {
        double product = 0, length = 0;
        for (std::size_t i = 0; i < row.size(); ++i) {
            product += static_cast<double>(row[i]) * static_cast<double>(query[i]);
            length += static_cast<double>(row[i]) * static_cast<double>(row[i]);
        }
        ranked.emplace_back(-product / std::sqrt(length), position);
    }
    std::sort(ranked.begin(), ranked.end());
    std::vector<std::int64_t> found;
    for (std::size_t i = 0; i < std::min(count, ranked.size()); ++i) found.push_back(ranked[i].second);
    return found;
}

TEST(Dot, IsTheSumOfProductsForEverySize) {
    std::mt19937 random(1);
    for (std::size_t size = 0; size < 200; ++size) {
        const Vector a = random_vector(random, size), b = random_vector(random, size);
        double expected = 0;
        for (std::size_t i = 0; i < size; ++i) expected += static_cast<double>(a[i]) * static_cast<double>(b[i]);
        EXPECT_NEAR(dot(a.data(), b.data(), size), expected, 1e-3) << size;
    }
}

TEST(VectorArena, FindsTheNearestThroughEveryChange) {
    constexpr std::size_t dimensions = 37;  // no multiple of anything
    std::mt19937 random(20261127);
    VectorArena arena(dimensions);
    std::map<std::int64_t, Vector> rows;
    std::int64_t sequence = 0;
    for (int round = 0; round < 400; ++round) {
        const std::int64_t position = static_cast<std::int64_t>(random() % 150);
        Vector row = random_vector(random, dimensions);
        arena.put(position, ++sequence, row);
        rows[position] = std::move(row);
        if (round % 20 == 19) {  // some are deleted
            for (int i = 0; i < 7 && !rows.empty(); ++i)
                rows.erase(std::next(rows.begin(), static_cast<std::ptrdiff_t>(random() % rows.size())));
            std::vector<std::int64_t> left;
            for (const auto& [each, vector] : rows) left.push_back(each);
            arena.keep_only(left, sequence);
        }
        ASSERT_EQ(arena.size(), rows.size());
        const Vector query = random_vector(random, dimensions);
        EXPECT_EQ(positions(arena.nearest(query, 5, nullptr)), nearest_by_hand(rows, query, 5)) << "round " << round;
    }
}

TEST(VectorArena, LooksAtWhatIsAllowedAlone) {
    VectorArena arena(2);
    for (std::int64_t i = 0; i < 10; ++i) arena.put(i, i + 1, Vector{1.0F, static_cast<float>(i)});
    const std::vector<std::int64_t> allowed{2, 5, 77};

    EXPECT_THAT(positions(arena.nearest(Vector{1.0F, 0.0F}, 3, &allowed)), testing::ElementsAre(2, 5));
}

TEST(VectorArena, HoldsOnToWhatCameAfterTheListOfWhatIsThere) {
    VectorArena arena(1);
    arena.put(1, 10, Vector{1.0F});
    arena.put(2, 30, Vector{1.0F});

    arena.keep_only(std::vector<std::int64_t>{}, 20);

    EXPECT_FALSE(arena.holds(1));
    EXPECT_TRUE(arena.holds(2));
}

TEST(VectorArena, LeavesOutWhatHasAnotherSizeAndKeepsTheNewerOfTwo) {
    VectorArena arena(2);
    arena.put(1, 5, Vector{1.0F, 0.0F});
    arena.put(1, 4, Vector{0.0F, 1.0F});
    arena.put(2, 6, Vector{1.0F});

    EXPECT_EQ(arena.size(), 1u);
    EXPECT_EQ(arena.last_sequence(), 6);
    EXPECT_NEAR(arena.nearest(Vector{2.0F, 0.0F}, 1, nullptr).front().similarity, 1.0F, 1e-6);
    EXPECT_TRUE(arena.nearest(Vector{1.0F}, 1, nullptr).empty());
}

TEST(VectorArena, TakesTheZeroVectorForNearToNothing) {
    VectorArena arena(2);
    arena.put(1, 1, Vector{0.0F, 0.0F});

    EXPECT_EQ(arena.nearest(Vector{1.0F, 0.0F}, 1, nullptr).front().similarity, 0.0F);
}

}  // namespace
}  // namespace stele::knowledge
