#include "storage/api_key_repository.hpp"

#include "domain/text_list.hpp"
#include "storage/account_page.hpp"

namespace stele::storage {
namespace {

// The columns of `to_key`.
#define STELE_API_KEYS                                                                         \
    "SELECT k.id, k.name, k.user_id, a.organization_id, k.scopes, k.rate_limit, k.expires_at," \
    " k.last_used_at, k.key_start, k.created_by_id, k.created_at, k.updated_at FROM api_key k" \
    " JOIN account a ON a.id = k.user_id JOIN organization o ON o.id = a.organization_id"      \
    " AND o.deleted_at IS NULL"

constexpr Statement select_by_hash{"api_key.by_hash", STELE_API_KEYS " WHERE k.key_hash = $1"};
constexpr Statement select_by_id{"api_key.by_id", STELE_API_KEYS " WHERE k.id = $1"};
constexpr Statement select_all{
    "api_key.list", STELE_API_KEYS " WHERE (k.created_at, k.id) > ($1, $2) ORDER BY k.created_at, k.id LIMIT $3"};
constexpr Statement select_of_user{"api_key.of_user", STELE_API_KEYS
                                   " WHERE k.user_id = $4 AND (k.created_at, k.id) > ($1, $2)"
                                   " ORDER BY k.created_at, k.id LIMIT $3"};
constexpr Statement select_created{"api_key.created", "SELECT created_at FROM api_key WHERE id = $1"};
constexpr Statement insert_row{
    "api_key.insert",
    "INSERT INTO api_key (id, user_id, key_hash, key_start, name, scopes, rate_limit, expires_at, created_by_id,"
    " created_at, updated_at) SELECT $1, a.id, $3, $4, $5, $6, CAST($7 AS BIGINT),"
    " CAST($8 AS BIGINT), $9, CAST($10 AS BIGINT), CAST($10 AS BIGINT) FROM account a WHERE a.id = $2"};
constexpr Statement update_row{"api_key.update",
                               "UPDATE api_key SET name = $2, scopes = $3, rate_limit = $4, expires_at = $5,"
                               " updated_at = $6 WHERE id = $1 AND updated_at = $7"};
constexpr Statement update_used{"api_key.last_used", "UPDATE api_key SET last_used_at = $2 WHERE id = $1"};
constexpr Statement delete_row{"api_key.delete", "DELETE FROM api_key WHERE id = $1"};

std::optional<std::int64_t> micros(const std::optional<Timestamp>& time) {
    return time ? std::optional(to_micros(*time)) : std::nullopt;
}

std::optional<Timestamp> time_at(const Row& row, std::size_t column) {
    const auto value = row.optional_integer(column);
    return value ? std::optional(from_micros(*value)) : std::nullopt;
}

ApiKey to_key(Row& row) {
    ApiKey made;
    made.id = row.take_text(0);
    made.name = row.take_text(1);
    made.user_id = row.take_text(2);
    made.organization_id = row.take_text(3);
    made.scopes = decode_text_list(row.text(4));
    made.rate_limit = row.optional_integer(5);
    made.expires_at = time_at(row, 6);
    made.last_used_at = time_at(row, 7);
    made.key_start = row.take_text(8);
    made.created_by_id = row.take_text(9);
    made.created_at = from_micros(row.integer(10));
    made.updated_at = from_micros(row.integer(11));
    return made;
}

std::optional<ApiKey> first_key(Rows rows) {
    if (rows.empty()) return std::nullopt;
    return to_key(rows.front());
}

}  // namespace

boost::asio::awaitable<std::optional<ApiKey>> ApiKeyRepository::find_by_hash(std::string hash) const {
    co_return first_key(co_await database_.query(select_by_hash, std::move(hash)));
}

boost::asio::awaitable<std::optional<ApiKey>> ApiKeyRepository::find(std::string id) const {
    co_return first_key(co_await database_.query(select_by_id, std::move(id)));
}

boost::asio::awaitable<std::vector<ApiKey>> ApiKeyRepository::list(std::optional<std::string> user_id,
                                                                   std::optional<std::string> after,
                                                                   std::int64_t limit) const {
    const Place from = co_await account_place(database_, select_created, "key", std::move(after));
    Rows rows;
    if (user_id)
        rows = co_await database_.query(select_of_user, from.key, from.id, limit, std::move(*user_id));
    else
        rows = co_await database_.query(select_all, from.key, from.id, limit);
    std::vector<ApiKey> found;
    for (Row& row : rows) found.push_back(to_key(row));
    co_return found;
}

void ApiKeyRepository::insert(Transaction& transaction, const ApiKey& key, const std::string& hash) const {
    transaction
        .add(insert_row, key.id, key.user_id, hash, key.key_start, key.name, encode_text_list(key.scopes),
             key.rate_limit, micros(key.expires_at), key.created_by_id, to_micros(key.created_at))
        .expect_row(not_found("User", key.user_id));
}

void ApiKeyRepository::update(Transaction& transaction, const ApiKey& key, Timestamp read) const {
    transaction
        .add(update_row, key.id, key.name, encode_text_list(key.scopes), key.rate_limit, micros(key.expires_at),
             to_micros(key.updated_at), to_micros(read))
        .expect_row(changed_meanwhile("Key", key.id));
}

void ApiKeyRepository::remove(Transaction& transaction, const ApiKey& key) const {
    transaction.add(delete_row, key.id).expect_row(not_found("Key", key.id));
    add_account_tombstone(transaction, key.id, to_micros(key.created_at));
}

void ApiKeyRepository::set_last_used(Transaction& transaction, const std::string& id, Timestamp time) const {
    transaction.add(update_used, id, to_micros(time));
}

std::vector<Statement> ApiKeyRepository::statements() {
    return {select_by_hash, select_by_id, select_all,  select_of_user, select_created,
            insert_row,     update_row,   update_used, delete_row};
}

}  // namespace stele::storage
