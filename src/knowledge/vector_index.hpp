#pragma once

#include "base/worker_threads.hpp"
#include "knowledge/byte_lru.hpp"
#include "knowledge/vector_arena.hpp"
#include "storage/passage_vectors.hpp"

#include <memory>
#include <mutex>

namespace stele::knowledge {

/// Finds what is near among the vectors of passages: exactly, in copies that are held in memory, one a scope and model,
/// the least recently used going first. A copy is brought up to date before it is searched, by reading what is new.
/// Thread-safe; what it refers to outlives it.
class VectorIndex {
public:
    /// `workers`: search and fill the copies. `bytes_max`: what all of them may take.
    VectorIndex(const storage::PassageVectors& vectors, WorkerThreads& workers,
                std::size_t bytes_max = std::size_t{512} << 20)
        : vectors_(vectors), workers_(workers), copies_(bytes_max) {}

    /// The `count` nearest to `query`, of `dimensions` as the model gives them, the nearest first. `allowed`: rising
    /// positions that may be found; null: all of the scope.
    boost::asio::awaitable<std::vector<NearVector>> nearest(std::string scope_id, std::string model_id,
                                                            std::shared_ptr<const std::vector<float>> query,
                                                            std::size_t count,
                                                            std::shared_ptr<const std::vector<std::int64_t>> allowed);

private:
    struct Copy;

    std::shared_ptr<Copy> copy_of(const std::string& key, std::size_t dimensions);
    boost::asio::awaitable<void> bring_up_to_date(std::shared_ptr<Copy> copy, std::string scope_id,
                                                  std::string model_id, storage::VectorsState state);
    boost::asio::awaitable<void> reconcile(std::shared_ptr<Copy> copy, std::string scope_id, std::string model_id);
    boost::asio::awaitable<void> take_in(std::shared_ptr<Copy> copy, std::vector<storage::StoredVector> rows);

    const storage::PassageVectors& vectors_;
    WorkerThreads& workers_;
    std::mutex mutex_;
    ByteLru<std::shared_ptr<Copy>> copies_;  // under the mutex
};

}  // namespace stele::knowledge
