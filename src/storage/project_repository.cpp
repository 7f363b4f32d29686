#include "storage/project_repository.hpp"

#include "base/time.hpp"
#include "domain/hosted_error.hpp"
#include "storage/page.hpp"

namespace stele::storage {
namespace {

// The rows, and the default project of the organisation.
#define STELE_PROJECTS                                                                                    \
    "(SELECT r.id, r.organization_id, r.name, r.slug, r.created_at FROM project r UNION ALL"              \
    " SELECT 'project-00000000-0000-4000-8000-000000000000', o.id, 'default-project', 'default-project'," \
    " o.created_at FROM organization o) AS p"

constexpr Statement select_one{"project.find", "SELECT p.name, p.slug, p.id FROM " STELE_PROJECTS
                                               " WHERE p.organization_id = $1 AND (p.id = $2 OR p.slug = $2)"};
constexpr Statement select_page{"project.list",
                                "SELECT p.name, p.slug, p.id FROM " STELE_PROJECTS
                                " WHERE p.organization_id = $1 AND LOWER(p.name) LIKE LOWER($2)"
                                " ESCAPE '\\' ORDER BY p.created_at DESC, p.id DESC LIMIT $3 OFFSET $4"};
constexpr Statement select_slugs{"project.slugs_like", "SELECT p.slug FROM " STELE_PROJECTS
                                                       " WHERE p.organization_id = $1 AND p.slug LIKE $2 ESCAPE '\\'"};
constexpr Statement insert_row{
    "project.insert", "INSERT INTO project (id, organization_id, name, slug, created_at) VALUES ($1, $2, $3, $4, $5)"};
constexpr Statement select_agents{"project.agents",
                                  "SELECT id FROM agent WHERE organization_id = $1 AND project_id = $2 ORDER BY id"};
constexpr Statement select_templates{"project.templates",
                                     "SELECT COUNT(*) FROM template WHERE organization_id = $1 AND project_id = $2"};
constexpr Statement select_identities{"project.identities",
                                      "SELECT COUNT(*) FROM identity WHERE organization_id = $1 AND project_id = $2"};
constexpr Statement delete_identities{"project.delete_identities",
                                      "DELETE FROM identity WHERE organization_id = $1 AND project_id = $2"};
constexpr Statement delete_templates{"project.delete_templates",
                                     "DELETE FROM template WHERE organization_id = $1 AND project_id = $2"};
constexpr Statement free_blocks{"project.free_blocks",
                                "UPDATE block SET project_id = NULL WHERE organization_id = $1 AND project_id = $2"};
constexpr Statement free_groups{
    "project.free_groups", "UPDATE agent_group SET project_id = NULL WHERE organization_id = $1 AND project_id = $2"};
constexpr Statement delete_subscriptions{
    "project.delete_subscriptions",
    "DELETE FROM feed_subscription WHERE feed_id IN"
    " (SELECT f.id FROM feed f WHERE f.organization_id = $1 AND f.project_id = $2)"};
constexpr Statement delete_feeds{
    "project.delete_feeds",
    "UPDATE feed SET deleted_at = $3 WHERE organization_id = $1 AND project_id = $2 AND deleted_at IS NULL"};
constexpr Statement delete_pipelines{
    "project.delete_pipelines",
    "UPDATE pipeline SET deleted_at = $3 WHERE organization_id = $1 AND project_id = $2 AND deleted_at IS NULL"};
constexpr Statement delete_row{"project.delete",
                               "DELETE FROM project WHERE organization_id = $1 AND id = $2 AND NOT EXISTS"
                               " (SELECT 1 FROM agent a WHERE a.organization_id = $1 AND a.project_id = $2)"};

Project to_project(Row& row) {
    Project project;
    project.name = row.take_text(0);
    project.slug = row.take_text(1);
    project.id = row.take_text(2);
    return project;
}

}  // namespace

boost::asio::awaitable<std::optional<Project>> ProjectRepository::find(std::string organization_id,
                                                                       std::string id_or_slug) const {
    Rows rows = co_await database_.query(select_one, std::move(organization_id), std::move(id_or_slug));
    if (rows.empty()) co_return std::nullopt;
    co_return to_project(rows.front());
}

boost::asio::awaitable<std::vector<Project>> ProjectRepository::list(std::string organization_id, std::string name,
                                                                     std::int64_t limit, std::int64_t offset) const {
    Rows rows = co_await database_.query(select_page, std::move(organization_id), like_pattern(name), limit, offset);
    std::vector<Project> projects;
    for (Row& row : rows) projects.push_back(to_project(row));
    co_return projects;
}

boost::asio::awaitable<std::vector<std::string>> ProjectRepository::slugs_like(std::string organization_id,
                                                                               std::string slug) const {
    Rows rows = co_await database_.query(select_slugs, std::move(organization_id), like_pattern(slug).substr(1));
    std::vector<std::string> slugs;
    for (Row& row : rows) slugs.push_back(row.take_text(0));
    co_return slugs;
}

void ProjectRepository::insert(Transaction& transaction, const std::string& organization_id,
                               const Project& project) const {
    transaction.add(insert_row, project.id, organization_id, project.name, project.slug, to_micros(now()))
        .expect_free(changed_meanwhile("Project", project.slug));
}

boost::asio::awaitable<ProjectContent> ProjectRepository::content(std::string organization_id, std::string id) const {
    ReadBatch batch;
    batch.add(select_agents, organization_id, id);
    batch.add(select_templates, organization_id, id);
    batch.add(select_identities, organization_id, id);
    std::vector<Rows> rows = co_await database_.read(std::move(batch));
    ProjectContent content;
    for (Row& row : rows[0]) content.agent_ids.push_back(row.take_text(0));
    content.templates = rows[1].front().integer(0);
    content.identities = rows[2].front().integer(0);
    co_return content;
}

void ProjectRepository::remove(Transaction& transaction, const std::string& organization_id,
                               const std::string& id) const {
    transaction.add(delete_templates, organization_id, id);
    transaction.add(delete_identities, organization_id, id);
    const std::int64_t time = to_micros(now());
    transaction.add(delete_subscriptions, organization_id, id);
    transaction.add(delete_feeds, organization_id, id, time);
    transaction.add(delete_pipelines, organization_id, id, time);
    transaction.add(free_blocks, organization_id, id);
    transaction.add(free_groups, organization_id, id);
    transaction.add(delete_row, organization_id, id)
        .expect_row(hosted_error(ErrorCode::conflict, "The project has been changed meanwhile; try again"));
}

std::vector<Statement> ProjectRepository::statements() {
    return {select_one,       select_page,       select_slugs,      insert_row,       select_agents,
            select_templates, select_identities, delete_identities, delete_templates, delete_subscriptions,
            delete_feeds,     delete_pipelines,  free_blocks,       free_groups,      delete_row};
}

}  // namespace stele::storage
