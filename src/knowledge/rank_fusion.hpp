#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace stele::knowledge {

/// What two searches found of the same things, the best first. Ids are of the caller's choice.
struct Rankings {
    std::vector<std::int64_t> text;
    std::vector<std::int64_t> vector;
    double text_weight = 0.5;
    double vector_weight = 0.5;
};

/// A thing with its ranks, which count from 1; none in a list that does not have it.
struct FusedRank {
    std::int64_t id = 0;
    double score = 0;
    std::optional<std::int64_t> text_rank, vector_rank;

    bool operator==(const FusedRank&) const = default;
};

/// Reciprocal rank fusion: the sum of weight / (60 + rank), the best first (Cormack, Clarke & Büttcher 2009). Things
/// of one score come in the order of their ids, the highest first.
std::vector<FusedRank> fuse(const Rankings& rankings);

}  // namespace stele::knowledge
