#include "storage/idempotency_repository.hpp"

namespace stele::storage {
namespace {

constexpr Statement select_row{"idempotency.by_key",
                               "SELECT request_digest, status, answer FROM idempotency"
                               " WHERE organization_id = $1 AND request_key = $2"};
constexpr Statement insert_row{"idempotency.claim",
                               "INSERT INTO idempotency (organization_id, request_key, request_digest, status, answer,"
                               " created_at) VALUES ($1, $2, $3, 0, '', $4)"};
constexpr Statement update_row{"idempotency.keep",
                               "UPDATE idempotency SET status = $3, answer = $4"
                               " WHERE organization_id = $1 AND request_key = $2"};
constexpr Statement delete_row{
    "idempotency.release", "DELETE FROM idempotency WHERE organization_id = $1 AND request_key = $2 AND status = 0"};
constexpr Statement delete_old{"idempotency.forget", "DELETE FROM idempotency WHERE created_at < $1 OR status = 0"};

}  // namespace

boost::asio::awaitable<std::optional<KeptAnswer>> IdempotencyRepository::find(std::string organization_id,
                                                                              std::string key) const {
    Rows rows = co_await database_.query(select_row, std::move(organization_id), std::move(key));
    if (rows.empty()) co_return std::nullopt;
    KeptAnswer kept;
    kept.request_digest = rows.front().take_text(0);
    kept.status = rows.front().integer(1);
    kept.answer = rows.front().take_text(2);
    co_return kept;
}

void IdempotencyRepository::claim(Transaction& transaction, const std::string& organization_id, const std::string& key,
                                  const std::string& request_digest) const {
    transaction.add(insert_row, organization_id, key, request_digest, to_micros(now()));
}

void IdempotencyRepository::keep(Transaction& transaction, const std::string& organization_id, const std::string& key,
                                 std::int64_t status, const std::string& answer) const {
    transaction.add(update_row, organization_id, key, status, answer);
}

void IdempotencyRepository::keep_made(Transaction& transaction, const std::string& organization_id,
                                      const std::string& key, const std::string& id) const {
    keep(transaction, organization_id, key, 200, std::string(made_mark) + id);
}

void IdempotencyRepository::release(Transaction& transaction, const std::string& organization_id,
                                    const std::string& key) const {
    transaction.add(delete_row, organization_id, key);
}

void IdempotencyRepository::forget(Transaction& transaction, Timestamp time) const {
    transaction.add(delete_old, to_micros(time));
}

std::vector<Statement> IdempotencyRepository::statements() {
    return {select_row, insert_row, update_row, delete_row, delete_old};
}

}  // namespace stele::storage
