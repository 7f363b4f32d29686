#pragma once

#include "domain/agent.hpp"
#include "domain/archive.hpp"
#include "storage/page.hpp"

namespace stele::storage {

/// Filters of the list of archives; absent ones don't filter.
struct ArchiveFilter {
    std::optional<std::string> name, agent_id;
};

/// Archives of one organisation at a time, and which agents they belong to. Reads suspend; writes are added to the
/// caller's transaction.
class ArchiveRepository {
public:
    /// `kept_in_trash`: how long a deleted one may come back; 0: never.
    explicit ArchiveRepository(Database& database, std::chrono::hours kept_in_trash = std::chrono::hours(0))
        : database_(database), kept_in_trash_(kept_in_trash) {}

    boost::asio::awaitable<std::optional<Archive>> find(std::string organization_id, std::string id) const;
    boost::asio::awaitable<std::vector<Archive>> list(std::string organization_id, ArchiveFilter filter,
                                                      Page page) const;

    /// The archive of an agent, or nothing if it has none yet.
    boost::asio::awaitable<std::optional<Archive>> of_agent(std::string organization_id, std::string agent_id) const;

    /// How many agents share it.
    boost::asio::awaitable<std::int64_t> count_agents(std::string id) const;

    /// The agent whose memory this one looks after, and whose archive it fills.
    boost::asio::awaitable<std::optional<std::string>> main_of_partner(std::string organization_id,
                                                                       std::string agent_id) const;

    /// Those whose passages have vectors by this model.
    boost::asio::awaitable<std::vector<std::string>> ids_with_vectors(std::string organization_id,
                                                                      std::string model_id) const;

    /// What the organisation's archives have their vectors by: each model once.
    boost::asio::awaitable<std::vector<EmbeddingConfig>> embeddings(std::string organization_id) const;

    void insert(Transaction& transaction, const Archive& archive) const;

    /// The commit throws Error{conflict} if the row no longer has the version that was read.
    void update(Transaction& transaction, Archive& archive) const;

    /// With its passages: into the trash, where the operator keeps one.
    void remove(Transaction& transaction, const Archive& archive) const;

    /// No effect if the agent has this one already. The commit throws Error{conflict} if it has another.
    void attach(Transaction& transaction, const std::string& agent_id, const std::string& archive_id) const;

    /// No effect if it is not attached.
    void detach(Transaction& transaction, const std::string& agent_id, const std::string& archive_id) const;

    static std::vector<Statement> statements();

private:
    Database& database_;
    std::chrono::hours kept_in_trash_;
};

}  // namespace stele::storage
