#pragma once

#include "runtime/alarm.hpp"
#include "runtime/embedding_service.hpp"
#include "storage/passage_vectors.hpp"

#include <memory>
#include <mutex>
#include <set>

namespace stele::runtime {

/// Makes the vectors that passages want: those that were just stored at once, on behalf of who stored them, and the
/// rest in a loop of its own. What is to be made stands in the rows, so nothing of it is lost with the server: passages
/// that nobody got to are due at the next start. After a failure a passage is tried again after 1, 5 and then every 30
/// minutes, or as soon as its model has made another one's vector; what no attempt can help is left to its words.
class EmbeddingWorker {
public:
    struct Parts {
        storage::Database& database;
        const storage::PassageVectors& vectors;
        EmbeddingService& embeddings;
    };

    EmbeddingWorker(Parts parts, boost::asio::any_io_executor executor) : parts_(parts), alarm_(std::move(executor)) {}

    /// Passages that their maker looks after until this is destroyed; the loop leaves them alone.
    class Claim {
    public:
        Claim(EmbeddingWorker& worker, std::vector<std::int64_t> positions);
        ~Claim();
        Claim(const Claim&) = delete;
        Claim& operator=(const Claim&) = delete;

        const std::vector<std::int64_t>& positions() const { return positions_; }

    private:
        EmbeddingWorker& worker_;
        std::vector<std::int64_t> positions_;
        std::shared_ptr<void> presence_;  ///< a stop waits for it
    };

    /// To be taken before the passages at `positions` are stored. Thread-safe.
    std::unique_ptr<Claim> claim(std::vector<std::int64_t> positions) {
        return std::make_unique<Claim>(*this, std::move(positions));
    }

    /// Makes the vectors of passages that are stored by now. A model that fails is no failure here: the passages are
    /// found by their words meanwhile. Throws only what the store throws.
    boost::asio::awaitable<void> settle(std::unique_ptr<Claim> claim, std::chrono::milliseconds patience);

    /// Until stop(). Throws nothing.
    boost::asio::awaitable<void> run();

    /// Passages were stored, or want another model. Thread-safe.
    void wake() { alarm_.wake(); }
    void stop() { alarm_.stop(); }

    /// Thread-safe.
    std::size_t at_work() const { return static_cast<std::size_t>(at_work_.use_count() - 1); }

private:
    using Batch = std::vector<storage::QueuedPassage>;

    boost::asio::awaitable<std::chrono::milliseconds> embed_due();
    boost::asio::awaitable<void> embed_together(std::vector<Batch> batches, std::chrono::milliseconds patience);
    boost::asio::awaitable<void> embed_batch(Batch batch, std::chrono::milliseconds patience);
    boost::asio::awaitable<void> store(Batch batch, std::vector<std::vector<float>> made);
    boost::asio::awaitable<void> put_off(Batch batch, Error failure);
    Batch without_claimed(Batch batch) const;

    Parts parts_;
    Alarm alarm_;
    std::shared_ptr<void> at_work_ = std::make_shared<int>();
    mutable std::mutex mutex_;              ///< of what follows
    std::multiset<std::int64_t> claimed_;   ///< positions
    std::set<std::string> failing_models_;  ///< ids of those whose last batch failed
};

}  // namespace stele::runtime
