#include "storage/batch_repository.hpp"

#include "storage/batch_item_columns.hpp"

#include <boost/describe/enum_to_string.hpp>

namespace stele::storage {
namespace {

// The columns of `to_batch`.
#define STELE_BATCH_COUNT(status) \
    "(SELECT COUNT(*) FROM batch_item i WHERE i.batch_id = b.id AND i.status = '" status "')"
#define STELE_BATCH_COLUMNS                                                                                        \
    "b.id, b.status, b.callback_url, b.callback_sent_at, b.callback_status_code, b.callback_error,"                \
    " b.created_by_id, b.created_at, b.completed_at, (SELECT COUNT(*) FROM batch_item i WHERE i.batch_id = b.id)," \
    " " STELE_BATCH_COUNT("completed") ", " STELE_BATCH_COUNT("failed") ", " STELE_BATCH_COUNT("cancelled")

constexpr Statement select_by_id{
    "batch.by_id", "SELECT " STELE_BATCH_COLUMNS " FROM batch b WHERE b.organization_id = $1 AND b.id = $2"};
constexpr Statement insert_row{"batch.insert",
                               "INSERT INTO batch (id, organization_id, status, callback_url, created_by_id,"
                               " created_at) VALUES ($1, $2, 'running', $3, $4, $5)"};
constexpr Statement insert_item{"batch.insert_item",
                                "INSERT INTO batch_item (id, batch_id, position, agent_id, run_id, request, status,"
                                " begun, stage) VALUES ($1, $2, $3, $4, $5, $6, 'waiting', 0, $7)"};
constexpr Statement delete_row{"batch.delete", "DELETE FROM batch WHERE organization_id = $1 AND id = $2"};
constexpr Statement update_closed{
    "batch.close", "UPDATE batch SET status = $2, completed_at = $3 WHERE id = $1 AND status = 'running'"};
constexpr Statement update_items_closed{
    "batch.close_items", "UPDATE batch_item SET status = 'cancelled' WHERE batch_id = $1 AND status = 'waiting'"};
constexpr Statement select_waits{"batch.waits", "SELECT 1 FROM batch_item WHERE id = $1 AND status = 'waiting'"};
constexpr Statement update_item{"batch.finish_item",
                                "UPDATE batch_item SET status = $2, begun = $3, failure = $4, answer = '' WHERE id = $1"
                                " AND status = 'waiting'"};
// A batch of which nothing could run has failed; one whose runs failed has been carried out.
constexpr Statement update_ended{
    "batch.end",
    "UPDATE batch SET completed_at = $2, status = CASE WHEN EXISTS"
    " (SELECT 1 FROM batch_item i WHERE i.batch_id = $1 AND i.begun = 1) THEN 'completed' ELSE 'failed' END"
    " WHERE id = $1 AND status = 'running' AND NOT EXISTS"
    " (SELECT 1 FROM batch_item i WHERE i.batch_id = $1 AND i.status = 'waiting') RETURNING id"};
constexpr Statement select_oldest{"batch.oldest",
                                  "SELECT b.organization_id, b.id, b.created_at FROM batch b"
                                  " WHERE b.status = 'running' ORDER BY b.created_at, b.id LIMIT 1"};
constexpr Statement take_callback{"batch.claim_callback",
                                  "UPDATE batch SET callback_sent_at = $2 WHERE id = $1 AND callback_sent_at IS NULL"};
constexpr Statement update_callback{"batch.save_callback",
                                    "UPDATE batch SET callback_status_code = $2, callback_error = $3 WHERE id = $1"};
constexpr Statement select_callbacks_due{
    "batch.callbacks_due",
    "SELECT b.organization_id, b.id, b.created_at FROM batch b WHERE b.callback_url IS NOT NULL"
    " AND b.callback_sent_at IS NULL AND b.status <> 'running'"
    " ORDER BY b.created_at, b.id"};
// A step count of 0: no step of the run was committed, and its input is stored with the first.
constexpr Statement delete_unsent{"batch.forget_unsent",
                                  "DELETE FROM run WHERE status IN ('created', 'running') AND step_count = 0"
                                  " AND id IN (SELECT run_id FROM batch_item WHERE status = 'waiting')"};

BatchJob to_batch(Row& row) {
    const auto time_at = [&](std::size_t column) {
        const auto micros = row.optional_integer(column);
        return micros ? std::optional(from_micros(*micros)) : std::nullopt;
    };
    BatchJob batch;
    batch.id = row.take_text(0);
    batch.status = row.take_text(1);
    batch.callback_url = row.optional_text(2);
    batch.callback_sent_at = time_at(3);
    batch.callback_status_code = row.optional_integer(4);
    batch.callback_error = row.optional_text(5);
    batch.user_id = batch.created_by_id = batch.last_updated_by_id = row.optional_text(6);
    batch.created_at = from_micros(row.integer(7));
    batch.completed_at = time_at(8);
    batch.updated_at = batch.completed_at ? batch.completed_at : std::optional(batch.created_at);
    if (batch.completed_at)
        batch.total_duration_ns = std::chrono::nanoseconds(*batch.completed_at - batch.created_at).count();
    batch.metadata.counts.total = row.integer(9);
    batch.metadata.counts.completed = row.integer(10);
    batch.metadata.counts.failed = row.integer(11);
    batch.metadata.counts.cancelled = row.integer(12);
    return batch;
}

std::vector<BatchKey> to_keys(Rows rows) {
    std::vector<BatchKey> keys;
    for (Row& row : rows) {
        BatchKey& key = keys.emplace_back();
        key.organization_id = row.take_text(0);
        key.id = row.take_text(1);
        key.created_at = from_micros(row.integer(2));
    }
    return keys;
}

Select select_batches(const std::string& organization_id) {
    return Select("SELECT " STELE_BATCH_COLUMNS " FROM batch b WHERE b.organization_id = ?", to_value(organization_id));
}

Select select_next(const std::vector<std::string>& busy) {
    Select select("SELECT " STELE_BATCH_ITEM_COLUMNS
                  " FROM batch_item i JOIN batch b ON b.id = i.batch_id"
                  " WHERE i.status = 'waiting' AND i.stage = 'queued' AND b.status = ? AND NOT EXISTS"
                  " (SELECT 1 FROM batch_item e WHERE e.agent_id = i.agent_id AND e.status = 'waiting'"
                  " AND e.position < i.position)",
                  to_value("running"));
    if (!busy.empty()) select.where_in("i.agent_id NOT IN (?)", busy);
    select.finish(" ORDER BY i.position LIMIT ?", 1);
    return select;
}

Select select_items(const std::string& batch_id, const std::vector<std::string>& run_ids) {
    Select select("SELECT i.run_id, i.id FROM batch_item i WHERE i.batch_id = ?", to_value(batch_id));
    select.where_in("i.run_id IN (?)", run_ids);
    return select;
}

}  // namespace

boost::asio::awaitable<std::optional<BatchJob>> BatchRepository::find(std::string organization_id,
                                                                      std::string id) const {
    Rows rows = co_await database_.query(select_by_id, std::move(organization_id), std::move(id));
    if (rows.empty()) co_return std::nullopt;
    co_return to_batch(rows.front());
}

boost::asio::awaitable<std::vector<BatchJob>> BatchRepository::list(std::string organization_id, Page page) const {
    PageOrder order{"batch b", "job", "b.created_at", "b.id"};
    order.time_list = true;
    Select select = select_batches(organization_id);
    Rows rows = co_await read_page(database_, std::move(select), std::move(page), order, organization_id);
    std::vector<BatchJob> found;
    for (Row& row : rows) found.push_back(to_batch(row));
    co_return found;
}

boost::asio::awaitable<TextMap> BatchRepository::items_of_runs(std::string batch_id,
                                                               std::vector<std::string> run_ids) const {
    Query query = select_items(batch_id, run_ids).query();
    Rows rows = co_await database_.query_packed(std::move(query));
    TextMap found;
    for (Row& row : rows) found.emplace_back(row.take_text(0), row.take_text(1));
    co_return found;
}

void BatchRepository::insert(Transaction& transaction, const std::string& organization_id, const BatchJob& batch,
                             const std::vector<BatchItem>& items, BatchStage stage) const {
    transaction.add(insert_row, batch.id, organization_id, batch.callback_url, batch.created_by_id,
                    to_micros(batch.created_at));
    for (const BatchItem& item : items)
        transaction.add(insert_item, item.id, batch.id, next_position(), item.agent_id, item.run_id,
                        to_json(item.request), boost::describe::enum_to_string(stage, ""));
}

void BatchRepository::remove(Transaction& transaction, const std::string& organization_id,
                             const BatchJob& batch) const {
    SortKeys keys;
    keys.created = keys.updated = to_micros(batch.created_at);
    add_tombstone(transaction, organization_id, batch.id, keys);
    transaction.add(delete_row, organization_id, batch.id).expect_row(not_found("Batch", batch.id));
}

void BatchRepository::close(Transaction& transaction, const std::string& id, std::string_view status) const {
    transaction.add(update_closed, id, status, to_micros(now())).expect_row(changed_meanwhile("Batch", id));
    transaction.add(update_items_closed, id);
}

boost::asio::awaitable<std::optional<BatchItem>> BatchRepository::next_waiting(std::vector<std::string> busy) const {
    Query query = select_next(busy).query();
    Rows rows = co_await database_.query_packed(std::move(query));
    if (rows.empty()) co_return std::nullopt;
    co_return to_batch_item(rows.front());
}

BatchItem to_batch_item(Row& row) {
    BatchItem item;
    item.id = row.take_text(0);
    item.batch_id = row.take_text(1);
    item.agent_id = row.take_text(2);
    item.run_id = row.take_text(3);
    item.request = decode_stored<MessageRequest>(row.text(4));
    item.organization_id = row.take_text(5);
    item.user_id = row.take_text(6);
    item.batch_created_at = from_micros(row.integer(7));
    item.answered_by = row.take_text(8);
    item.answer = row.take_text(9);
    return item;
}

boost::asio::awaitable<bool> BatchRepository::waits(std::string item_id) const {
    const Rows rows = co_await database_.query(select_waits, std::move(item_id));
    co_return !rows.empty();
}

void BatchRepository::finish(Transaction& transaction, const BatchItem& item, const BatchItemEnd& end) const {
    transaction.add(update_item, item.id, to_string(end.status), std::int64_t{end.begun},
                    end.failure.empty() ? std::nullopt : std::optional(end.failure));
    transaction.add(update_ended, item.batch_id, to_micros(now()));
}

boost::asio::awaitable<std::optional<BatchKey>> BatchRepository::oldest() const {
    Rows rows = co_await database_.query(select_oldest);
    if (rows.empty()) co_return std::nullopt;
    co_return to_keys(std::move(rows)).front();
}

void BatchRepository::claim_callback(Transaction& transaction, const BatchJob& batch) const {
    transaction.add(take_callback, batch.id, to_micros(now())).expect_row(changed_meanwhile("Batch", batch.id));
}

void BatchRepository::save_callback(Transaction& transaction, const BatchJob& batch) const {
    transaction.add(update_callback, batch.id, batch.callback_status_code, batch.callback_error);
}

boost::asio::awaitable<std::vector<BatchKey>> BatchRepository::callbacks_due() const {
    Rows rows = co_await database_.query(select_callbacks_due);
    co_return to_keys(std::move(rows));
}

void BatchRepository::forget_unsent(Transaction& transaction) const { transaction.add(delete_unsent); }

std::vector<Statement> BatchRepository::statements() {
    return {select_by_id,
            insert_row,
            insert_item,
            delete_row,
            update_closed,
            update_items_closed,
            select_waits,
            update_item,
            update_ended,
            select_oldest,
            take_callback,
            update_callback,
            select_callbacks_due,
            delete_unsent,
            select_batches("o").query().statement,
            select_next({"a", "b"}).query().statement,
            select_items("b", {"r"}).query().statement};
}

}  // namespace stele::storage
