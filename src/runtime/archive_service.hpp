#pragma once

#include "domain/agent.hpp"
#include "runtime/model_choice.hpp"
#include "runtime/passage_service.hpp"
#include "storage/agent_repository.hpp"
#include "storage/archive_repository.hpp"

namespace stele::runtime {

/// Archives and whose they are. An agent's first passage makes its archive, with the agent's embedding. Thread-safe;
/// what it refers to outlives it.
class ArchiveService {
public:
    struct Parts {
        storage::Database& database;
        const storage::ArchiveRepository& archives;
        const storage::PassageVectors& vectors;
        llm::Catalogue& catalogue;
        EmbeddingWorker& worker;
        ModelDefaults defaults;
    };

    explicit ArchiveService(Parts parts) : parts_(std::move(parts)) {}

    /// A new archive as `request` wants it, entered into `transaction`. Throws Error{invalid_argument} for an embedding
    /// that nobody offers.
    Archive make(storage::Transaction& transaction, ArchiveCreateRequest request, const std::string& organization_id,
                 const std::string& actor) const;

    /// The agent's archive; one is made and attached within `transaction` if it has none. Another writer may be faster:
    /// then the commit throws Error{conflict}, and asking again finds that one.
    boost::asio::awaitable<Archive> of_agent_or_new(storage::Transaction& transaction, Agent agent,
                                                    std::string actor) const;

    /// Stores what `update` changes. Another embedding has all passages embedded anew, in the background.
    boost::asio::awaitable<Archive> update(Archive archive, ArchiveUpdateRequest update, std::string actor) const;

    /// Lets the archive that belongs to this agent alone have the agent's embedding, within `transaction`; its passages
    /// are embedded anew, in the background, once woken. One that is shared keeps its own.
    boost::asio::awaitable<void> follow_agent(storage::Transaction& transaction, Agent agent, std::string actor) const;

    /// To be called once what want a new embedding is stored.
    void wake() const { parts_.worker.wake(); }

private:
    std::optional<EmbeddingConfig> resolve(const std::string& organization_id, const std::string& handle) const;
    void change_embedding(storage::Transaction& transaction, Archive& archive,
                          std::optional<EmbeddingConfig> config) const;

    Parts parts_;
};

}  // namespace stele::runtime
