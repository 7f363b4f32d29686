#include "storage/template_repository.hpp"

#include "domain/answer.hpp"

namespace stele::storage {
namespace {

using boost::asio::awaitable;

// The columns of `to_template`.
#define STELE_TEMPLATE_COLUMNS                                                                          \
    "t.id, t.organization_id, t.project_id, t.name, t.description, t.draft, t.latest, t.created_by_id," \
    " t.created_at, t.updated_at, t.version"

// The columns of `to_version`.
#define STELE_VERSION_COLUMNS \
    "v.id, v.template_id, v.number, v.snapshot, v.flags, v.message, v.created_by_id, v.created_at"

constexpr Statement select_by_id{
    "template.by_id", "SELECT " STELE_TEMPLATE_COLUMNS " FROM template t WHERE t.organization_id = $1 AND t.id = $2"};
constexpr Statement select_by_name{"template.by_name", "SELECT " STELE_TEMPLATE_COLUMNS
                                                       " FROM template t WHERE t.organization_id = $1"
                                                       " AND t.project_id = $2 AND t.name_key = $3"};
constexpr Statement insert_row{
    "template.insert",
    "INSERT INTO template (id, organization_id, project_id, name, name_key, description, draft, latest,"
    " created_by_id, created_at, updated_at, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"};
constexpr Statement update_row{
    "template.update",
    "UPDATE template SET name = $3, name_key = $4, description = $5, draft = $6, latest = $7, updated_at = $8,"
    " version = version + 1 WHERE organization_id = $1 AND id = $2 AND version = $9"};
constexpr Statement delete_row{"template.delete", "DELETE FROM template WHERE organization_id = $1 AND id = $2"};
constexpr Statement insert_version{
    "template.add_version",
    "INSERT INTO template_version (id, template_id, number, snapshot, flags, message, created_by_id, created_at)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"};
constexpr Statement select_version{"template.version",
                                   "SELECT " STELE_VERSION_COLUMNS
                                   " FROM template_version v WHERE v.template_id = $1 AND v.number = $2"};
constexpr Statement select_version_by_id{"template.version_by_id",
                                         "SELECT " STELE_VERSION_COLUMNS
                                         " FROM template_version v JOIN template t ON t.id = v.template_id"
                                         " WHERE t.organization_id = $1 AND v.id = $2"};
constexpr Statement select_versions{"template.versions", "SELECT " STELE_VERSION_COLUMNS
                                                         " FROM template_version v WHERE v.template_id = $1"
                                                         " ORDER BY v.number DESC LIMIT $2 OFFSET $3"};
constexpr Statement insert_deployment_row{
    "deployment.insert",
    "INSERT INTO deployment (id, organization_id, project_id, base_template_id, template_id, memory_variables,"
    " created_by_id, created_at, updated_at, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"};
constexpr Statement select_deployment{
    "deployment.by_id",
    "SELECT d.id, d.organization_id, d.project_id, d.base_template_id, d.template_id, d.memory_variables,"
    " d.created_by_id, d.created_at, d.updated_at, d.version"
    " FROM deployment d WHERE d.organization_id = $1 AND d.id = $2"};
constexpr Statement update_deployment_row{
    "deployment.update",
    "UPDATE deployment SET base_template_id = $3, template_id = $4, memory_variables = $5, migration = NULL,"
    " updated_at = $6, version = version + 1 WHERE organization_id = $1 AND id = $2 AND version = $7"};
constexpr Statement plan_rows{
    "deployment.plan",
    "UPDATE deployment SET migration = $3, version = version + 1 WHERE organization_id = $1 AND base_template_id = $2"
    " AND EXISTS (SELECT 1 FROM agent a WHERE a.deployment_id = deployment.id)"};
constexpr Statement select_pending{"deployment.pending",
                                   "SELECT organization_id, id, migration FROM deployment WHERE migration IS NOT NULL"
                                   " ORDER BY updated_at, id"};
constexpr Statement end_pending{
    "deployment.end_migration",
    "UPDATE deployment SET migration = NULL, version = version + 1 WHERE organization_id = $1 AND id = $2"};
constexpr Statement select_agents{
    "deployment.agents",
    "SELECT id FROM agent WHERE organization_id = $1 AND deployment_id = $2 ORDER BY created_at, id"};
constexpr Statement select_blocks{
    "deployment.blocks",
    "SELECT id FROM block WHERE organization_id = $1 AND deployment_id = $2 ORDER BY created_at, id"};
constexpr Statement select_groups{
    "deployment.groups",
    "SELECT id FROM agent_group WHERE organization_id = $1 AND deployment_id = $2 ORDER BY created_at, id"};

std::string variables_json(const TextMap& variables) {
    MemoryVariables kept;
    kept.variables = variables;
    return to_json(kept);
}

Template to_template(Row& row) {
    Template made;
    made.id = row.take_text(0);
    made.organization_id = row.take_text(1);
    made.project_id = row.take_text(2);
    made.name = row.take_text(3);
    made.description = row.optional_text(4);
    made.draft = decode_stored<TemplateSnapshot>(row.text(5));
    made.latest = row.integer(6);
    made.created_by_id = row.optional_text(7);
    made.created_at = from_micros(row.integer(8));
    made.updated_at = from_micros(row.integer(9));
    made.version = row.integer(10);
    return made;
}

TemplateVersion to_version(Row& row) {
    TemplateVersion made;
    made.id = row.take_text(0);
    made.template_id = row.take_text(1);
    made.number = row.integer(2);
    made.snapshot = decode_stored<TemplateSnapshot>(row.text(3));
    made.flags = decode_stored<MigrationFlags>(row.text(4));
    made.message = row.optional_text(5);
    made.created_by_id = row.optional_text(6);
    made.created_at = from_micros(row.integer(7));
    return made;
}

std::vector<std::string> first_column(Rows rows) {
    std::vector<std::string> found;
    for (Row& row : rows) found.push_back(row.take_text(0));
    return found;
}

Select select_list(const std::string& organization_id, const TemplateFilter& filter) {
    Select select("SELECT " STELE_TEMPLATE_COLUMNS " FROM template t WHERE t.organization_id = ?",
                  to_value(organization_id));
    if (filter.project_id) select.where("t.project_id = ?", filter.project_id);
    if (filter.template_id) select.where("t.id = ?", filter.template_id);
    if (filter.name && filter.exact) select.where("t.name_key = ?", template_name_key(*filter.name));
    if (filter.name && !filter.exact)
        select.where("t.name_key LIKE ? ESCAPE '\\'", like_pattern(template_name_key(*filter.name)));
    if (filter.search)
        select.where("(t.name_key LIKE ? ESCAPE '\\' OR LOWER(t.description) LIKE LOWER(?) ESCAPE '\\')",
                     like_pattern(template_name_key(*filter.search)), like_pattern(*filter.search));
    if (filter.number) select.where("t.latest >= ?", *filter.number);
    return select;
}

void finish_list(Select& select, bool by_created, std::int64_t limit, std::int64_t offset) {
    select.finish(by_created ? " ORDER BY t.created_at DESC, t.id DESC LIMIT ? OFFSET ?"
                             : " ORDER BY t.updated_at DESC, t.id DESC LIMIT ? OFFSET ?",
                  limit, offset);
}

}  // namespace

awaitable<std::optional<Template>> TemplateRepository::find(std::string organization_id, std::string id) const {
    Rows rows = co_await database_.query(select_by_id, std::move(organization_id), std::move(id));
    if (rows.empty()) co_return std::nullopt;
    co_return to_template(rows.front());
}

awaitable<std::optional<Template>> TemplateRepository::find_by_name(std::string organization_id, std::string project_id,
                                                                    std::string name) const {
    Rows rows = co_await database_.query(select_by_name, std::move(organization_id), std::move(project_id),
                                         template_name_key(name));
    if (rows.empty()) co_return std::nullopt;
    co_return to_template(rows.front());
}

awaitable<std::vector<Template>> TemplateRepository::list(std::string organization_id, TemplateFilter filter,
                                                          std::int64_t limit, std::int64_t offset) const {
    Select select = select_list(organization_id, filter);
    finish_list(select, filter.by_created, limit, offset);
    Query query = select.query();
    Rows rows = co_await database_.query_packed(std::move(query));
    std::vector<Template> found;
    for (Row& row : rows) found.push_back(to_template(row));
    co_return found;
}

void TemplateRepository::insert(Transaction& transaction, const Template& made, Error if_taken) const {
    transaction
        .add(insert_row, made.id, made.organization_id, made.project_id, made.name, template_name_key(made.name),
             made.description, to_json(made.draft), made.latest, made.created_by_id, to_micros(made.created_at),
             to_micros(made.updated_at), made.version)
        .expect_free(std::move(if_taken));
}

void TemplateRepository::update(Transaction& transaction, Template& changed, Error if_taken) const {
    auto added = transaction.add(update_row, changed.organization_id, changed.id, changed.name,
                                 template_name_key(changed.name), changed.description, to_json(changed.draft),
                                 changed.latest, to_micros(changed.updated_at), changed.version);
    added.expect_row(changed_meanwhile("Template", changed.id));
    added.expect_free(std::move(if_taken));
    ++changed.version;
}

void TemplateRepository::remove(Transaction& transaction, const Template& gone) const {
    transaction.add(delete_row, gone.organization_id, gone.id).expect_row(not_found("Template", gone.name));
}

void TemplateRepository::add_version(Transaction& transaction, const TemplateVersion& version) const {
    transaction
        .add(insert_version, version.id, version.template_id, version.number, to_json(version.snapshot),
             to_json(version.flags), version.message, version.created_by_id, to_micros(version.created_at))
        .expect_free(changed_meanwhile("Template", version.template_id));
}

awaitable<std::optional<TemplateVersion>> TemplateRepository::version(std::string template_id,
                                                                      std::int64_t number) const {
    Rows rows = co_await database_.query(select_version, std::move(template_id), number);
    if (rows.empty()) co_return std::nullopt;
    co_return to_version(rows.front());
}

awaitable<std::optional<TemplateVersion>> TemplateRepository::version_by_id(std::string organization_id,
                                                                            std::string id) const {
    Rows rows = co_await database_.query(select_version_by_id, std::move(organization_id), std::move(id));
    if (rows.empty()) co_return std::nullopt;
    co_return to_version(rows.front());
}

awaitable<std::vector<TemplateVersion>> TemplateRepository::versions(std::string template_id, std::int64_t limit,
                                                                     std::int64_t offset) const {
    Rows rows = co_await database_.query(select_versions, std::move(template_id), limit, offset);
    std::vector<TemplateVersion> found;
    for (Row& row : rows) found.push_back(to_version(row));
    co_return found;
}

void TemplateRepository::insert_deployment(Transaction& transaction, const Deployment& made) const {
    transaction.add(insert_deployment_row, made.id, made.organization_id, made.project_id, made.base_template_id,
                    made.template_id, variables_json(made.memory_variables), made.created_by_id,
                    to_micros(made.created_at), to_micros(made.updated_at), made.version);
}

awaitable<std::optional<Deployment>> TemplateRepository::find_deployment(std::string organization_id,
                                                                         std::string id) const {
    Rows rows = co_await database_.query(select_deployment, std::move(organization_id), std::move(id));
    if (rows.empty()) co_return std::nullopt;
    Row& row = rows.front();
    Deployment found;
    found.id = row.take_text(0);
    found.organization_id = row.take_text(1);
    found.project_id = row.take_text(2);
    found.base_template_id = row.take_text(3);
    found.template_id = row.take_text(4);
    found.memory_variables = decode_stored<MemoryVariables>(row.text(5)).variables;
    found.created_by_id = row.optional_text(6);
    found.created_at = from_micros(row.integer(7));
    found.updated_at = from_micros(row.integer(8));
    found.version = row.integer(9);
    co_return found;
}

void TemplateRepository::update_deployment(Transaction& transaction, Deployment& changed) const {
    transaction
        .add(update_deployment_row, changed.organization_id, changed.id, changed.base_template_id, changed.template_id,
             variables_json(changed.memory_variables), to_micros(changed.updated_at), changed.version)
        .expect_row(changed_meanwhile("Deployment", changed.id));
    ++changed.version;
}

void TemplateRepository::plan_migrations(Transaction& transaction, const Template& of,
                                         const PlannedMigration& planned) const {
    transaction.add(plan_rows, of.organization_id, of.id, to_json(planned));
}

awaitable<std::vector<PendingMigration>> TemplateRepository::pending_migrations() const {
    Rows rows = co_await database_.query(select_pending);
    std::vector<PendingMigration> found;
    for (Row& row : rows) {
        PendingMigration& pending = found.emplace_back();
        pending.organization_id = row.take_text(0);
        pending.deployment_id = row.take_text(1);
        pending.planned = decode_stored<PlannedMigration>(row.text(2));
    }
    co_return found;
}

void TemplateRepository::end_migration(Transaction& transaction, const std::string& organization_id,
                                       const std::string& id) const {
    transaction.add(end_pending, organization_id, id);
}

awaitable<std::vector<std::string>> TemplateRepository::agents_of(std::string organization_id, std::string id) const {
    co_return first_column(co_await database_.query(select_agents, std::move(organization_id), std::move(id)));
}

awaitable<std::vector<std::string>> TemplateRepository::blocks_of(std::string organization_id, std::string id) const {
    co_return first_column(co_await database_.query(select_blocks, std::move(organization_id), std::move(id)));
}

awaitable<std::vector<std::string>> TemplateRepository::groups_of(std::string organization_id, std::string id) const {
    co_return first_column(co_await database_.query(select_groups, std::move(organization_id), std::move(id)));
}

std::vector<Statement> TemplateRepository::statements() {
    TemplateFilter everything;
    everything.project_id = everything.template_id = everything.name = everything.search = "x";
    everything.number = 1;
    Select list = select_list("o", everything);
    finish_list(list, true, 1, 0);
    return {select_by_id,
            select_by_name,
            insert_row,
            update_row,
            delete_row,
            insert_version,
            select_version,
            select_versions,
            select_version_by_id,
            insert_deployment_row,
            select_deployment,
            update_deployment_row,
            plan_rows,
            select_pending,
            end_pending,
            select_agents,
            select_blocks,
            select_groups,
            list.query().statement};
}

}  // namespace stele::storage
