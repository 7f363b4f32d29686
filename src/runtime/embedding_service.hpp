#pragma once

#include "domain/model_config.hpp"
#include "knowledge/byte_lru.hpp"
#include "llm/catalogue.hpp"

#include <memory>
#include <mutex>

namespace stele::runtime {

/// Makes vectors, by the models that configurations name. A model whose server has just failed is left alone for a few
/// seconds, so that nobody waits for it anew. Thread-safe; what it refers to outlives it.
class EmbeddingService {
public:
    /// `query_patience`: how long a search waits for the vector of its query.
    explicit EmbeddingService(const llm::Catalogue& catalogue,
                              std::chrono::milliseconds query_patience = std::chrono::seconds(10))
        : catalogue_(catalogue), query_patience_(query_patience), queries_(query_bytes_max) {}

    /// A vector for each text, in order. Throws Error{model_failed} as llm::Embedder does, and of type llm_connection
    /// at once while the model is left alone, or if nobody offers it.
    boost::asio::awaitable<std::vector<std::vector<float>>> embed(std::string organization_id, EmbeddingConfig config,
                                                                  std::vector<std::string> texts,
                                                                  std::chrono::milliseconds patience);

    /// The vector of a query, or null if it can't be had in time: then the search does without. Remembered.
    boost::asio::awaitable<std::shared_ptr<const std::vector<float>>> query(std::string organization_id,
                                                                            EmbeddingConfig config, std::string text);

    /// True for a model that needs no server: its vectors are there at once.
    bool is_built_in(const std::string& organization_id, const EmbeddingConfig& config) const;

    /// Ids (storage::embedding_model_id) of the models that are left alone at present.
    std::vector<std::string> left_alone() const;

    /// Until the first of them is asked again; nothing if none is left alone.
    std::optional<std::chrono::milliseconds> until_asked_again() const;

private:
    static constexpr std::size_t query_bytes_max = std::size_t{64} << 20;
    using Clock = std::chrono::steady_clock;

    void leave_alone(const std::string& model_id);
    bool is_left_alone(const std::string& model_id) const;

    const llm::Catalogue& catalogue_;
    const std::chrono::milliseconds query_patience_;
    mutable std::mutex mutex_;  ///< of what follows
    std::map<std::string, Clock::time_point> left_alone_until_;
    knowledge::ByteLru<std::shared_ptr<const std::vector<float>>> queries_;
};

}  // namespace stele::runtime
