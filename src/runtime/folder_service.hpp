#pragma once

#include "runtime/agent_service.hpp"
#include "runtime/embedding_worker.hpp"
#include "runtime/folder_links.hpp"
#include "storage/passage_repository.hpp"

namespace stele::runtime {

/// Folders as a whole, and who has them. Whatever agents see of a change stands in their system message when it
/// returns. Thread-safe; what it refers to outlives it.
class FolderService {
public:
    struct Parts {
        storage::Database& database;
        const storage::FolderRepository& folders;
        const storage::AgentRepository& agents;
        const storage::AttachedFileRepository& attached;
        const FolderLinks& links;
        const storage::PassageVectors& vectors;
        EmbeddingWorker& worker;
        llm::Catalogue& catalogue;
        Runtime& runtime;
        ModelDefaults defaults;
    };

    explicit FolderService(Parts parts) : parts_(std::move(parts)) {}

    /// Throws Error{conflict} for a name that is taken, Error{invalid_argument} for an unknown embedding.
    boost::asio::awaitable<Folder> create(std::string organization_id, std::string actor, SourceCreate request) const;
    boost::asio::awaitable<Folder> update(std::string organization_id, std::string actor, std::string id,
                                          SourceUpdate request) const;

    /// With its files; every agent that has it loses it.
    boost::asio::awaitable<void> remove(std::string organization_id, std::string id) const;

    boost::asio::awaitable<Folder> get(std::string organization_id, std::string id) const;

    /// No change for one that the agent has already, or has not.
    boost::asio::awaitable<void> attach(std::string organization_id, std::string agent_id, std::string folder_id) const;
    boost::asio::awaitable<void> detach(std::string organization_id, std::string agent_id, std::string folder_id) const;

    /// Opens and closes what the agent sees. Throw Error{not_found} for a file that the agent has not.
    /// Names of the files that were closed to make room.
    boost::asio::awaitable<std::vector<std::string>> open_file(std::string organization_id, std::string agent_id,
                                                               std::string file_id) const;
    boost::asio::awaitable<void> close_file(std::string organization_id, std::string agent_id,
                                            std::string file_id) const;
    boost::asio::awaitable<std::vector<std::string>> close_all_files(std::string organization_id,
                                                                     std::string agent_id) const;

    /// Brings the system messages of these agents up to date.
    boost::asio::awaitable<void> refresh(std::string organization_id, std::vector<std::string> agent_ids) const;

private:
    boost::asio::awaitable<Agent> find_agent(std::string organization_id, std::string id) const;

    Parts parts_;
};

}  // namespace stele::runtime
