#include "storage/provider_batch_repository.hpp"

#include "storage/batch_item_columns.hpp"

namespace stele::storage {
namespace {

constexpr Statement select_offered{
    "provider_batch.offered",
    "SELECT " STELE_BATCH_ITEM_COLUMNS
    ", CASE WHEN EXISTS (SELECT 1 FROM batch_item e WHERE e.agent_id = i.agent_id AND e.status = 'waiting'"
    " AND e.position < i.position) THEN 0 ELSE 1 END"
    " FROM batch_item i JOIN batch b ON b.id = i.batch_id WHERE i.status = 'waiting' AND i.stage = 'offered'"
    " AND i.batch_id = (SELECT o.batch_id FROM batch_item o WHERE o.status = 'waiting' AND o.stage = 'offered'"
    " ORDER BY o.position LIMIT 1) ORDER BY i.position"};
constexpr Statement select_open{
    "provider_batch.open",
    "SELECT p.id, p.batch_id, p.handle, p.remote_id, p.created_at, CASE WHEN b.status = 'running' THEN 1 ELSE 0 END,"
    " b.organization_id"
    " FROM provider_batch p JOIN batch b ON b.id = p.batch_id ORDER BY p.created_at, p.id"};
constexpr Statement select_items{"provider_batch.items",
                                 "SELECT " STELE_BATCH_ITEM_COLUMNS
                                 " FROM batch_item i JOIN batch b ON b.id = i.batch_id WHERE i.provider_batch_id = $1"
                                 " AND i.status = 'waiting' AND i.stage = 'sent' ORDER BY i.position"};
constexpr Statement insert_row{"provider_batch.insert",
                               "INSERT INTO provider_batch (id, batch_id, handle, created_at) VALUES ($1, $2, $3, $4)"};
constexpr Statement update_item_sent{"provider_batch.take_item",
                                     "UPDATE batch_item SET stage = 'sent', provider_batch_id = $2 WHERE id = $1"
                                     " AND status = 'waiting' AND stage = 'offered'"};
constexpr Statement update_item_queued{"provider_batch.queue_item",
                                       "UPDATE batch_item SET stage = 'queued' WHERE id = $1"};
constexpr Statement update_sent{"provider_batch.note_sent", "UPDATE provider_batch SET remote_id = $2 WHERE id = $1"};
constexpr Statement update_answer{"provider_batch.save_answer",
                                  "UPDATE batch_item SET answered_by = $2, answer = $3, stage = 'queued' WHERE id = $1"
                                  " AND status = 'waiting' AND provider_batch_id = $4"};
constexpr Statement update_unanswered{"provider_batch.queue_unanswered",
                                      "UPDATE batch_item SET stage = 'queued' WHERE provider_batch_id = $1"
                                      " AND status = 'waiting' AND stage = 'sent'"};
constexpr Statement delete_row{"provider_batch.delete", "DELETE FROM provider_batch WHERE id = $1"};

}  // namespace

boost::asio::awaitable<std::vector<ProviderBatchRepository::Offered>> ProviderBatchRepository::offered() const {
    Rows rows = co_await database_.query(select_offered);
    std::vector<Offered> found;
    for (Row& row : rows) {
        Offered& each = found.emplace_back();
        each.item = to_batch_item(row);
        each.first = row.flag(batch_item_columns);
    }
    co_return found;
}

boost::asio::awaitable<std::vector<ProviderBatch>> ProviderBatchRepository::open() const {
    Rows rows = co_await database_.query(select_open);
    std::vector<ProviderBatch> found;
    for (Row& row : rows) {
        ProviderBatch& batch = found.emplace_back();
        batch.id = row.take_text(0);
        batch.batch_id = row.take_text(1);
        batch.handle = row.take_text(2);
        batch.remote_id = row.optional_text(3);
        batch.created_at = from_micros(row.integer(4));
        batch.wanted = row.flag(5);
        batch.organization_id = row.take_text(6);
    }
    co_return found;
}

boost::asio::awaitable<std::vector<BatchItem>> ProviderBatchRepository::items(std::string id) const {
    Rows rows = co_await database_.query(select_items, std::move(id));
    std::vector<BatchItem> found;
    for (Row& row : rows) found.push_back(to_batch_item(row));
    co_return found;
}

void ProviderBatchRepository::begin(Transaction& transaction, const ProviderBatch& batch,
                                    const std::vector<std::string>& item_ids) const {
    transaction.add(insert_row, batch.id, batch.batch_id, batch.handle, to_micros(batch.created_at));
    for (const std::string& item_id : item_ids) transaction.add(update_item_sent, item_id, batch.id);
}

void ProviderBatchRepository::note_sent(Transaction& transaction, const std::string& id,
                                        const std::string& remote_id) const {
    transaction.add(update_sent, id, remote_id);
}

void ProviderBatchRepository::queue(Transaction& transaction, const std::string& item_id) const {
    transaction.add(update_item_queued, item_id);
}

void ProviderBatchRepository::save_answer(Transaction& transaction, const ProviderBatch& batch,
                                          const std::string& item_id, const std::string& answer) const {
    transaction.add(update_answer, item_id, batch.handle, answer, batch.id);
}

void ProviderBatchRepository::end(Transaction& transaction, const std::string& id) const {
    transaction.add(update_unanswered, id);
    transaction.add(delete_row, id);
}

std::vector<Statement> ProviderBatchRepository::statements() {
    return {select_offered,     select_open, select_items,  insert_row,        update_item_sent,
            update_item_queued, update_sent, update_answer, update_unanswered, delete_row};
}

}  // namespace stele::storage
