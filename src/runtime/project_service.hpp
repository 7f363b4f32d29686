#pragma once

#include "runtime/agent_service.hpp"
#include "storage/project_repository.hpp"

#include <map>
#include <mutex>

namespace stele::runtime {

/// Projects as a whole, and the names by which requests know them. Thread-safe; what it refers to outlives it.
class ProjectService {
public:
    struct Parts {
        storage::Database& database;
        const storage::ProjectRepository& projects;
        const AgentService& agents;
        bool auto_create = true;  ///< a slug that nobody knows is made with the first write
    };

    explicit ProjectService(Parts parts) : parts_(std::move(parts)) {}

    boost::asio::awaitable<Project> create(std::string organization_id, ProjectCreate request) const;

    /// Throws Error{conflict} for the default project and, unless `force`, while agents or templates live in it; with
    /// `force` they are deleted first, one after the other: a crash leaves a project that can be deleted again.
    boost::asio::awaitable<void> remove(std::string organization_id, std::string id, bool force) const;

    /// The id for what an X-Project header says. A slug that is known costs no read. Unknown: made if `write`, nothing
    /// otherwise; where projects are not made by themselves Error{not_found}.
    boost::asio::awaitable<std::optional<std::string>> of_header(std::string organization_id, std::string text,
                                                                 bool write) const;

    /// The project that a path or a body names by id or slug. Throws Error{not_found}.
    boost::asio::awaitable<Project> find(std::string organization_id, std::string id_or_slug) const;

    /// The same where an id that nobody knows is taken as it is: older data carry those.
    boost::asio::awaitable<std::string> id_of(std::string organization_id, std::string id_or_slug) const;

    /// The slug of a project; of one that nobody knows its id.
    boost::asio::awaitable<std::string> slug_of_id(std::string organization_id, std::string id) const;

private:
    boost::asio::awaitable<Project> make(std::string organization_id, std::string name, std::string slug,
                                         bool own_slug) const;
    void keep(const std::string& organization_id, const std::string& slug, const std::string& id) const;

    Parts parts_;
    mutable std::mutex mutex_;
    mutable std::map<std::pair<std::string, std::string>, std::string> ids_;  ///< by organisation and slug
};

}  // namespace stele::runtime
