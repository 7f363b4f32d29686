// Exact search in memory: the ten nearest of 50,000 vectors, of all and of a filtered tenth.
#include "knowledge/vector_arena.hpp"

#include <benchmark/benchmark.h>

#include <random>

namespace {

using namespace stele::knowledge;

constexpr std::int64_t rows = 50'000;

const VectorArena& arena(std::size_t dimensions) {
    static std::unordered_map<std::size_t, VectorArena> made;
    const auto [place, is_new] = made.try_emplace(dimensions, dimensions);
    if (is_new) {
        std::mt19937 random(1);
        std::normal_distribution<float> number;
        std::vector<float> row(dimensions);
        place->second.reserve(static_cast<std::size_t>(rows));
        for (std::int64_t i = 0; i < rows; ++i) {
            for (float& each : row) each = number(random);
            place->second.put(i, i + 1, row);
        }
    }
    return place->second;
}

void nearest(benchmark::State& state, bool filtered) {
    const auto dimensions = static_cast<std::size_t>(state.range(0));
    const VectorArena& searched = arena(dimensions);
    const std::vector<float> query(dimensions, 0.5F);
    std::vector<std::int64_t> allowed;
    for (std::int64_t i = 0; i < rows; i += 10) allowed.push_back(i);
    for (auto _ : state) benchmark::DoNotOptimize(searched.nearest(query, 50, filtered ? &allowed : nullptr));
}
BENCHMARK_CAPTURE(nearest, of_all, false)->Arg(384)->Arg(1536)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(nearest, of_a_tenth, true)->Arg(384)->Arg(1536)->Unit(benchmark::kMillisecond);

}  // namespace
