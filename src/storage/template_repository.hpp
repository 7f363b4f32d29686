#pragma once

#include "domain/template.hpp"
#include "storage/page.hpp"

namespace stele::storage {

/// Filters of the list of templates; absent ones don't filter.
struct TemplateFilter {
    std::optional<std::string> project_id, template_id;
    std::optional<std::string> name;     ///< a substring in any case, or all of it
    bool exact = false;                  ///< of `name`
    std::optional<std::string> search;   ///< in name and description
    std::optional<std::int64_t> number;  ///< those that have this version
    bool by_created = false;             ///< else by the time of the last change
};

/// A migration that a saved version asked for.
struct PendingMigration {
    std::string organization_id, deployment_id;
    PlannedMigration planned;
};

/// Templates of one organisation at a time, their versions, and what was made of them.
class TemplateRepository {
public:
    explicit TemplateRepository(Database& database) : database_(database) {}

    boost::asio::awaitable<std::optional<Template>> find(std::string organization_id, std::string id) const;
    boost::asio::awaitable<std::optional<Template>> find_by_name(std::string organization_id, std::string project_id,
                                                                 std::string name) const;

    /// The newest first.
    boost::asio::awaitable<std::vector<Template>> list(std::string organization_id, TemplateFilter filter,
                                                       std::int64_t limit, std::int64_t offset) const;

    /// The commit throws `if_taken` if the name is taken in the project.
    void insert(Transaction& transaction, const Template& made, Error if_taken) const;

    /// Writes all of it and raises `version`. The commit throws Error{conflict} of type changed_meanwhile if somebody
    /// else did meanwhile, `if_taken` for a name that is taken.
    void update(Transaction& transaction, Template& changed, Error if_taken) const;

    /// With its versions; what was made of them stays. The commit throws Error{not_found} if it is gone.
    void remove(Transaction& transaction, const Template& gone) const;

    void add_version(Transaction& transaction, const TemplateVersion& version) const;
    boost::asio::awaitable<std::optional<TemplateVersion>> version(std::string template_id, std::int64_t number) const;
    boost::asio::awaitable<std::optional<TemplateVersion>> version_by_id(std::string organization_id,
                                                                         std::string id) const;

    /// The newest first.
    boost::asio::awaitable<std::vector<TemplateVersion>> versions(std::string template_id, std::int64_t limit,
                                                                  std::int64_t offset) const;

    void insert_deployment(Transaction& transaction, const Deployment& made) const;
    boost::asio::awaitable<std::optional<Deployment>> find_deployment(std::string organization_id,
                                                                      std::string id) const;

    /// Writes it and raises `version`; a planned migration is done with that if it was to the same version. The commit
    /// throws as update does.
    void update_deployment(Transaction& transaction, Deployment& changed) const;

    /// Lets all deployments of a template that still have an agent wait for a migration.
    void plan_migrations(Transaction& transaction, const Template& of, const PlannedMigration& planned) const;
    boost::asio::awaitable<std::vector<PendingMigration>> pending_migrations() const;

    /// Takes a planned migration away that can't be carried out, or was.
    void end_migration(Transaction& transaction, const std::string& organization_id, const std::string& id) const;

    /// Ids of what belongs to a deployment, in order of creation.
    boost::asio::awaitable<std::vector<std::string>> agents_of(std::string organization_id, std::string id) const;
    boost::asio::awaitable<std::vector<std::string>> blocks_of(std::string organization_id, std::string id) const;
    boost::asio::awaitable<std::vector<std::string>> groups_of(std::string organization_id, std::string id) const;

    static std::vector<Statement> statements();

private:
    Database& database_;
};

}  // namespace stele::storage
