#include "storage/pipeline_repository.hpp"

#include "domain/hosted_error.hpp"

namespace stele::storage {
namespace {

using boost::asio::awaitable;

// The columns of `to_pipeline`.
#define STELE_PIPELINE_COLUMNS                                                                             \
    "p.id, p.organization_id, p.project_id, p.feed_id, p.name, p.integration_id, p.integration_type,"      \
    " p.config, p.error_count, p.last_run_at, p.disabled_at, p.created_at, p.updated_at,"                  \
    " (SELECT f.name FROM feed f WHERE f.id = p.feed_id),"                                                 \
    " (SELECT COUNT(*) FROM feed_subscription s WHERE s.feed_id = p.feed_id),"                             \
    " (SELECT r.name FROM project r WHERE r.organization_id = p.organization_id AND r.id = p.project_id)," \
    " (SELECT r.slug FROM project r WHERE r.organization_id = p.organization_id AND r.id = p.project_id)"

constexpr Statement select_one{"pipeline.by_id",
                               "SELECT " STELE_PIPELINE_COLUMNS
                               " FROM pipeline p WHERE p.organization_id = $1 AND p.id = $2 AND p.deleted_at IS NULL"};
constexpr Statement insert_row{
    "pipeline.insert",
    "INSERT INTO pipeline (id, organization_id, project_id, feed_id, name, integration_id, integration_type, config,"
    " created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"};
constexpr Statement update_row{"pipeline.update",
                               "UPDATE pipeline SET name = $3, config = $4, disabled_at = $5, updated_at = $6"
                               " WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL"};
constexpr Statement update_deleted{
    "pipeline.delete",
    "UPDATE pipeline SET deleted_at = $3 WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL"};
constexpr Statement insert_sync{
    "pipeline.add_sync",
    "INSERT INTO pipeline_sync (id, pipeline_id, status, error_type, error_message, started_at, completed_at)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7)"};
constexpr Statement update_synced{
    "pipeline.synced",
    "UPDATE pipeline SET last_run_at = $2, error_count = CASE WHEN $3 = 0 THEN 0 ELSE error_count + 1 END"
    " WHERE id = $1"};
constexpr Statement select_syncs{"pipeline.syncs",
                                 "SELECT id, status, error_type, error_message, started_at, completed_at"
                                 " FROM pipeline_sync WHERE pipeline_id = $1"
                                 " ORDER BY started_at DESC, id DESC LIMIT 100"};

std::optional<Timestamp> time_at(const Row& row, std::size_t column) {
    const auto at = row.optional_integer(column);
    return at ? std::optional(from_micros(*at)) : std::nullopt;
}

std::optional<std::int64_t> micros(const std::optional<Timestamp>& time) {
    return time ? std::optional(to_micros(*time)) : std::nullopt;
}

Pipeline to_pipeline(Row& row) {
    Pipeline found;
    found.id = row.take_text(0);
    found.organization_id = row.take_text(1);
    found.project_id = row.take_text(2);
    found.feed_id = row.take_text(3);
    found.name = row.take_text(4);
    found.integration_id = row.optional_text(5);
    found.integration_type = row.take_text(6);
    found.config = decode_stored<ProducerConfig>(row.text(7));
    found.error_count = row.integer(8);
    found.last_run_at = time_at(row, 9);
    found.disabled_at = time_at(row, 10);
    found.created_at = from_micros(row.integer(11));
    found.updated_at = from_micros(row.integer(12));
    found.feed_name = row.optional_text(13);
    found.subscriber_count = row.integer(14);
    found.project_name = row.optional_text(15);
    found.project_slug = row.optional_text(16);
    found.integration_display_name = found.integration_type;
    return found;
}

void add_filter(Select& select, const PipelineFilter& filter) {
    select.where("p.deleted_at IS NULL");
    if (filter.search) select.where("LOWER(p.name) LIKE LOWER(?) ESCAPE '\\'", like_pattern(*filter.search));
    if (filter.integration_type) select.where("p.integration_type = ?", filter.integration_type);
    if (filter.integration_id) select.where("p.integration_id = ?", filter.integration_id);
}

Select select_list(const std::string& organization_id, const PipelineFilter& filter) {
    Select select("SELECT " STELE_PIPELINE_COLUMNS " FROM pipeline p WHERE p.organization_id = ?",
                  to_value(organization_id));
    add_filter(select, filter);
    return select;
}

Select select_count(const std::string& organization_id, const PipelineFilter& filter) {
    Select select("SELECT COUNT(*) FROM pipeline p WHERE p.organization_id = ?", to_value(organization_id));
    add_filter(select, filter);
    return select;
}

constexpr char list_end[] = " ORDER BY p.created_at DESC, p.id DESC LIMIT ? OFFSET ?";

Error gone(const std::string& id) {
    return hosted_error(ErrorCode::not_found, "Pipeline not found: " + id, "pipelineNotFound");
}

}  // namespace

awaitable<std::optional<Pipeline>> PipelineRepository::find(std::string organization_id, std::string id) const {
    Rows rows = co_await database_.query(select_one, std::move(organization_id), std::move(id));
    if (rows.empty()) co_return std::nullopt;
    co_return to_pipeline(rows.front());
}

awaitable<std::vector<Pipeline>> PipelineRepository::list(std::string organization_id, PipelineFilter filter,
                                                          std::int64_t limit, std::int64_t offset) const {
    Select select = select_list(organization_id, filter);
    select.finish(list_end, limit, offset);
    Query query = select.query();
    Rows rows = co_await database_.query_packed(std::move(query));
    std::vector<Pipeline> found;
    for (Row& row : rows) found.push_back(to_pipeline(row));
    co_return found;
}

awaitable<std::int64_t> PipelineRepository::count(std::string organization_id, PipelineFilter filter) const {
    Query query = select_count(organization_id, filter).query();
    const Rows rows = co_await database_.query_packed(std::move(query));
    co_return rows.front().integer(0);
}

void PipelineRepository::insert(Transaction& transaction, const Pipeline& made) const {
    transaction.add(insert_row, made.id, made.organization_id, made.project_id, made.feed_id, made.name,
                    made.integration_id, made.integration_type, to_json(made.config), to_micros(made.created_at),
                    to_micros(made.updated_at));
}

void PipelineRepository::update(Transaction& transaction, const Pipeline& changed) const {
    transaction
        .add(update_row, changed.organization_id, changed.id, changed.name, to_json(changed.config),
             micros(changed.disabled_at), to_micros(changed.updated_at))
        .expect_row(gone(changed.id));
}

void PipelineRepository::remove(Transaction& transaction, const Pipeline& pipeline) const {
    transaction.add(update_deleted, pipeline.organization_id, pipeline.id, to_micros(now()))
        .expect_row(gone(pipeline.id));
}

void PipelineRepository::add_sync(Transaction& transaction, const std::string& pipeline_id,
                                  const PipelineSync& sync) const {
    std::optional<std::string> error_type, error_message;
    if (sync.error) {
        error_type = sync.error->error_type;
        error_message = sync.error->error_message;
    }
    transaction.add(insert_sync, sync.workflow_id, pipeline_id, sync.status, error_type, error_message,
                    to_micros(sync.started_at), micros(sync.completed_at));
    transaction.add(update_synced, pipeline_id, to_micros(sync.started_at), std::int64_t{sync.error.has_value()});
}

awaitable<std::vector<PipelineSync>> PipelineRepository::syncs(std::string pipeline_id) const {
    Rows rows = co_await database_.query(select_syncs, std::move(pipeline_id));
    std::vector<PipelineSync> found;
    for (Row& row : rows) {
        PipelineSync& sync = found.emplace_back();
        sync.workflow_id = row.take_text(0);
        sync.status = row.take_text(1);
        if (!row.is_null(2)) {
            PipelineSyncError& error = sync.error.emplace();
            error.error_type = row.take_text(2);
            error.error_message = row.optional_text(3).value_or("");
        }
        sync.started_at = from_micros(row.integer(4));
        sync.completed_at = time_at(row, 5);
    }
    co_return found;
}

std::vector<Statement> PipelineRepository::statements() {
    PipelineFilter everything;
    everything.search = everything.integration_type = everything.integration_id = "x";
    Select list = select_list("o", everything);
    list.finish(list_end, 1, 0);
    return {select_one,
            insert_row,
            update_row,
            update_deleted,
            insert_sync,
            update_synced,
            select_syncs,
            list.query().statement,
            select_count("o", everything).query().statement};
}

}  // namespace stele::storage
