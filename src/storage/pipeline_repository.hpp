#pragma once

#include "domain/pipeline.hpp"
#include "storage/page.hpp"

namespace stele::storage {

struct PipelineFilter {
    std::optional<std::string> search;  ///< a part of the name, in any case
    std::optional<std::string> integration_type, integration_id;
};

/// Pipelines of one organisation at a time, and what their syncs came to. Feed and subscriptions are not their
/// business.
class PipelineRepository {
public:
    explicit PipelineRepository(Database& database) : database_(database) {}

    boost::asio::awaitable<std::optional<Pipeline>> find(std::string organization_id, std::string id) const;

    /// The newest first.
    boost::asio::awaitable<std::vector<Pipeline>> list(std::string organization_id, PipelineFilter filter,
                                                       std::int64_t limit, std::int64_t offset) const;
    boost::asio::awaitable<std::int64_t> count(std::string organization_id, PipelineFilter filter) const;

    void insert(Transaction& transaction, const Pipeline& made) const;

    /// Writes name, config and whether it is disabled. The commit throws Error{not_found} if it is gone.
    void update(Transaction& transaction, const Pipeline& changed) const;

    /// The row stays. The commit throws Error{not_found} if it is gone.
    void remove(Transaction& transaction, const Pipeline& gone) const;

    /// Enters a sync that has ended.
    void add_sync(Transaction& transaction, const std::string& pipeline_id, const PipelineSync& sync) const;

    /// The newest 100, the newest first.
    boost::asio::awaitable<std::vector<PipelineSync>> syncs(std::string pipeline_id) const;

    static std::vector<Statement> statements();

private:
    Database& database_;
};

}  // namespace stele::storage
