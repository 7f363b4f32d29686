#include "knowledge/passage_search.hpp"

#include "knowledge/rank_fusion.hpp"

#include <algorithm>
#include <map>

namespace stele::knowledge {
namespace {

using boost::asio::awaitable;

constexpr std::size_t candidates_min = 50, candidates_a_hit = 4;

bool is_blank(const std::string& text) { return text.find_first_not_of(" \t\r\n") == std::string::npos; }

// Those up to `limit`, and all of the last one's score: which of them come first, their times decide.
void cut(std::vector<FusedRank>& ranks, std::size_t limit) {
    if (ranks.size() <= limit) return;
    std::size_t end = limit;
    while (end < ranks.size() && ranks[end].score == ranks[limit - 1].score) ++end;
    ranks.resize(end);
}

std::vector<PassageHit> to_hits(std::vector<Passage> passages, const std::vector<FusedRank>& ranks, std::size_t limit) {
    std::map<std::int64_t, const FusedRank*> by_position;
    for (const FusedRank& rank : ranks) by_position[rank.id] = &rank;
    std::vector<PassageHit> hits;
    for (Passage& passage : passages) {
        const FusedRank& rank = *by_position.at(passage.position);
        PassageHit& hit = hits.emplace_back();
        hit.passage = std::move(passage);
        hit.score = rank.score;
        hit.text_rank = rank.text_rank;
        hit.vector_rank = rank.vector_rank;
    }
    std::sort(hits.begin(), hits.end(), [](const PassageHit& a, const PassageHit& b) {
        if (a.score != b.score) return a.score > b.score;
        if (a.passage.created_at != b.passage.created_at) return a.passage.created_at > b.passage.created_at;
        return a.passage.id < b.passage.id;
    });
    if (hits.size() > limit) hits.resize(limit);
    return hits;
}

}  // namespace

awaitable<PassageHits> PassageSearch::newest(PassageQuery query) const {
    storage::Page page;
    page.limit = static_cast<std::int64_t>(query.limit);
    std::vector<Passage> passages = co_await parts_.passages.list(std::move(query.filter), std::move(page));
    PassageHits found;
    for (Passage& passage : passages) found.hits.emplace_back().passage = std::move(passage);
    co_return found;
}

awaitable<std::vector<std::int64_t>> PassageSearch::nearest(storage::PassageFilter filter,
                                                            std::vector<QueryVector> vectors, std::size_t count) const {
    std::shared_ptr<const std::vector<std::int64_t>> allowed;
    if (!filter.takes_all()) {
        std::vector<std::int64_t> positions = co_await parts_.passages.positions(filter);
        allowed = std::make_shared<const std::vector<std::int64_t>>(std::move(positions));
    }
    std::vector<NearVector> near;
    for (const QueryVector& vector : vectors) {
        std::vector<std::string> scopes = filter.scope_ids;
        if (scopes.empty()) scopes = co_await parts_.archives.ids_with_vectors(filter.organization_id, vector.model_id);
        for (const std::string& scope : scopes) {
            const std::vector<NearVector> some =
                co_await parts_.index.nearest(scope, vector.model_id, vector.values, count, allowed);
            near.insert(near.end(), some.begin(), some.end());
        }
    }
    std::sort(near.begin(), near.end(), [](const NearVector& a, const NearVector& b) {
        return a.similarity != b.similarity ? a.similarity > b.similarity : a.position > b.position;
    });
    if (near.size() > count) near.resize(count);
    std::vector<std::int64_t> positions;
    positions.reserve(near.size());
    for (const NearVector& each : near) positions.push_back(each.position);
    co_return positions;
}

awaitable<PassageHits> PassageSearch::search(PassageQuery query, std::vector<QueryVector> vectors) const {
    if (query.limit == 0) co_return PassageHits();
    if (is_blank(query.text)) co_return co_await newest(std::move(query));
    const bool by_vector = query.mode != SearchMode::text && !vectors.empty();
    const bool by_text = query.mode != SearchMode::vector || !by_vector;
    const std::size_t count = std::max(candidates_min, candidates_a_hit * query.limit);

    Rankings rankings;
    if (by_text)
        rankings.text = co_await parts_.passages.search(query.filter, query.text, static_cast<std::int64_t>(count));
    if (rankings.text.empty() && !by_vector && !query.filter.substring) {  // a part of a word may be all one knows
        query.filter.substring = query.text;
        PassageHits parts = co_await newest(std::move(query));
        parts.ran = "fts";
        co_return parts;
    }
    if (by_vector) rankings.vector = co_await nearest(query.filter, std::move(vectors), count);
    // One list alone has the weight of both, so that scores of all modes can be compared.
    rankings.text_weight = by_vector ? 0.5 : 1.0;
    rankings.vector_weight = by_text ? 0.5 : 1.0;

    std::vector<FusedRank> ranks = fuse(rankings);
    cut(ranks, query.limit);
    std::vector<std::int64_t> positions;
    for (const FusedRank& rank : ranks) positions.push_back(rank.id);
    std::vector<Passage> passages = co_await parts_.passages.at(query.filter.organization_id, std::move(positions));
    PassageHits found;
    found.hits = to_hits(std::move(passages), ranks, query.limit);
    found.ran = by_vector && by_text ? "hybrid" : by_vector ? "vector" : "fts";
    co_return found;
}

}  // namespace stele::knowledge
