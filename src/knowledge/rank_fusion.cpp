#include "knowledge/rank_fusion.hpp"

#include <algorithm>
#include <map>

namespace stele::knowledge {
namespace {

constexpr double rank_offset = 60;

double share(const std::optional<std::int64_t>& rank, double weight) {
    return rank ? weight / (rank_offset + static_cast<double>(*rank)) : 0.0;
}

}  // namespace

std::vector<FusedRank> fuse(const Rankings& rankings) {
    std::map<std::int64_t, FusedRank> found;
    const auto take = [&](const std::vector<std::int64_t>& ids, std::optional<std::int64_t> FusedRank::*rank) {
        std::int64_t next = 0;
        for (const std::int64_t id : ids) {
            FusedRank& each = found[id];
            each.id = id;
            ++next;
            if (!(each.*rank)) each.*rank = next;
        }
    };
    take(rankings.text, &FusedRank::text_rank);
    take(rankings.vector, &FusedRank::vector_rank);

    std::vector<FusedRank> fused;
    fused.reserve(found.size());
    for (auto& [id, each] : found) {
        each.score = share(each.text_rank, rankings.text_weight) + share(each.vector_rank, rankings.vector_weight);
        fused.push_back(each);
    }
    std::sort(fused.begin(), fused.end(), [](const FusedRank& a, const FusedRank& b) {
        return a.score != b.score ? a.score > b.score : a.id > b.id;
    });
    return fused;
}

}  // namespace stele::knowledge
