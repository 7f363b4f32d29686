#pragma once

#include "knowledge/vector_index.hpp"
#include "storage/archive_repository.hpp"
#include "storage/passage_repository.hpp"

namespace stele::knowledge {

enum class SearchMode : std::uint8_t { hybrid, text, vector };

struct PassageQuery {
    storage::PassageFilter filter;
    std::string text;
    SearchMode mode = SearchMode::hybrid;
    std::size_t limit = 5;
};

/// The query's vector by one of the models that the scopes' passages have theirs by.
struct QueryVector {
    std::string model_id;
    std::shared_ptr<const std::vector<float>> values;
};

struct PassageHit {
    Passage passage;
    double score = 0;
    std::optional<std::int64_t> text_rank, vector_rank;
};

struct PassageHits {
    std::vector<PassageHit> hits;  ///< the best first
    const char* ran = "newest";    ///< the API's word for what was done: hybrid, fts, vector, newest
};

/// Searches passages by their words and by their vectors, and joins both rankings (rank_fusion.hpp). The filter holds
/// for both before they are limited. Thread-safe; what it refers to outlives it.
class PassageSearch {
public:
    struct Parts {
        const storage::ArchiveRepository& archives;
        const storage::PassageRepository& passages;
        const storage::PassageVectors& vectors;
        VectorIndex& index;
    };

    explicit PassageSearch(Parts parts) : parts_(parts) {}

    /// `vectors`: of the query; none: what can be found is found by words, in the mode `vector` too, and if there are
    /// no such words, as a part of the texts. A blank query gives the newest.
    boost::asio::awaitable<PassageHits> search(PassageQuery query, std::vector<QueryVector> vectors) const;

private:
    boost::asio::awaitable<std::vector<std::int64_t>> nearest(storage::PassageFilter filter,
                                                              std::vector<QueryVector> vectors,
                                                              std::size_t count) const;
    boost::asio::awaitable<PassageHits> newest(PassageQuery query) const;

    Parts parts_;
};

}  // namespace stele::knowledge
