#include "runtime/wait_graph.hpp"

#include <gtest/gtest.h>

#include <random>

namespace stele::runtime {
namespace {

TEST(WaitGraph, RefusesWhoeverWouldWaitForItself) {
    WaitGraph graph;

    EXPECT_FALSE(graph.begin("a", "a"));
    const auto first = graph.begin("a", "b"), second = graph.begin("b", "c");
    ASSERT_TRUE(first && second);
    EXPECT_FALSE(graph.begin("c", "a"));
    EXPECT_FALSE(graph.begin("b", "a"));
    EXPECT_TRUE(graph.begin("a", "c"));
    EXPECT_TRUE(graph.begin("d", "a"));
}

TEST(WaitGraph, ForgetsAWaitThatIsOver) {
    WaitGraph graph;
    {
        const auto wait = graph.begin("a", "b");
        EXPECT_FALSE(graph.begin("b", "a"));
    }

    EXPECT_TRUE(graph.begin("b", "a"));
}

TEST(WaitGraph, CountsWaitsForTheSameOneApart) {
    WaitGraph graph;
    auto one = graph.begin("a", "b");
    const auto other = graph.begin("a", "b");

    one.reset();
    EXPECT_FALSE(graph.begin("b", "a"));
}

// Whatever begins and ends, somebody who waits for nobody can be reached from everybody.
TEST(WaitGraph, NeverHoldsACircle) {
    constexpr int nodes = 8, changes = 20'000;
    const unsigned seed = std::random_device()();
    std::mt19937 random(seed);
    WaitGraph graph;
    std::vector<std::pair<std::pair<int, int>, WaitGraph::Wait>> waits;
    for (int i = 0; i < changes; ++i) {
        if (!waits.empty() && random() % 3 == 0) {
            waits.erase(waits.begin() + static_cast<std::ptrdiff_t>(random() % waits.size()));
        } else {
            const int from = static_cast<int>(random() % nodes), to = static_cast<int>(random() % nodes);
            if (auto wait = graph.begin(std::to_string(from), std::to_string(to)))
                waits.emplace_back(std::pair(from, to), std::move(*wait));
        }
        bool reach[nodes][nodes] = {};
        for (const auto& [edge, wait] : waits) reach[edge.first][edge.second] = true;
        for (int k = 0; k < nodes; ++k)
            for (int a = 0; a < nodes; ++a)
                for (int b = 0; b < nodes; ++b) reach[a][b] = reach[a][b] || (reach[a][k] && reach[k][b]);
        for (int a = 0; a < nodes; ++a) ASSERT_FALSE(reach[a][a]) << "seed " << seed << ", change " << i;
    }
}

}  // namespace
}  // namespace stele::runtime
