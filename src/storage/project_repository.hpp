#pragma once

#include "domain/project.hpp"
#include "storage/database.hpp"

namespace stele::storage {

/// What keeps a project from being deleted.
struct ProjectContent {
    std::vector<std::string> agent_ids;
    std::int64_t templates = 0;
    std::int64_t identities = 0;

    bool empty() const { return agent_ids.empty() && templates == 0 && identities == 0; }
};

/// Projects of one organisation at a time. Each has the default project, which needs no row.
class ProjectRepository {
public:
    explicit ProjectRepository(Database& database) : database_(database) {}

    boost::asio::awaitable<std::optional<Project>> find(std::string organization_id, std::string id_or_slug) const;

    /// The newest first; `name` is a substring, in any case.
    boost::asio::awaitable<std::vector<Project>> list(std::string organization_id, std::string name, std::int64_t limit,
                                                      std::int64_t offset) const;

    /// The slugs that begin with `slug`.
    boost::asio::awaitable<std::vector<std::string>> slugs_like(std::string organization_id, std::string slug) const;

    /// The commit throws Error{conflict} if the slug has been taken meanwhile.
    void insert(Transaction& transaction, const std::string& organization_id, const Project& project) const;

    boost::asio::awaitable<ProjectContent> content(std::string organization_id, std::string id) const;

    /// With its templates, identities, feeds and pipelines; what else is left in it belongs to the default project then. The commit
    /// throws Error{conflict} if an agent came in meanwhile, and if the project is gone.
    void remove(Transaction& transaction, const std::string& organization_id, const std::string& id) const;

    static std::vector<Statement> statements();

private:
    Database& database_;
};

}  // namespace stele::storage
