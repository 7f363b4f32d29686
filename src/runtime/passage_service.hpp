#pragma once

#include "knowledge/passage_search.hpp"
#include "runtime/embedding_worker.hpp"

namespace stele::runtime {

/// Stores passages, has their vectors made, and searches them: of archives and of files alike. Thread-safe; what it
/// refers to outlives it.
class PassageService {
public:
    struct Parts {
        storage::Database& database;
        const storage::PassageRepository& passages;
        const knowledge::PassageSearch& search;
        EmbeddingService& embeddings;
        EmbeddingWorker& worker;
    };

    explicit PassageService(Parts parts) : parts_(parts) {}

    /// Stores new passages, with what `with` holds, in one transaction: they are found by their words from then on,
    /// whatever happens. Then makes their vectors, if the model answers within a few seconds; else the worker does.
    /// As stored: those with a vector by then hold it.
    boost::asio::awaitable<std::vector<Passage>> insert(storage::Transaction with, std::vector<Passage> made) const;

    /// The same for many at once whom nobody waits for: returns when they are stored.
    boost::asio::awaitable<void> insert_quietly(storage::Transaction with, std::vector<Passage> made) const;

    /// Stores what `change` says is new of `passage`, as insert does.
    boost::asio::awaitable<Passage> update(Passage passage, PassageChange change) const;

    struct Found {
        knowledge::PassageHits passages;
        bool degraded = false;  ///< a vector of the query could not be had: some hits are found by words alone
    };

    /// `models`: those that the query's scopes have their vectors by; each once.
    boost::asio::awaitable<Found> search(knowledge::PassageQuery query, std::vector<EmbeddingConfig> models) const;

private:
    boost::asio::awaitable<std::vector<Passage>> with_built_in_vectors(std::vector<Passage> made) const;

    Parts parts_;
};

}  // namespace stele::runtime
