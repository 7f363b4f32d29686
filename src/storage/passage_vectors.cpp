#include "storage/passage_vectors.hpp"

#include "domain/archive.hpp"
#include "storage/decode_cache.hpp"
#include "storage/page.hpp"

#include <sodium.h>

#include <bit>
#include <cstring>

namespace stele::storage {
namespace {

using boost::asio::awaitable;

static_assert(std::endian::native == std::endian::little, "vectors are stored as this machine has them");

constexpr Statement insert_model{
    "passage_vector.insert_model",
    "INSERT INTO embedding_model (id, organization_id, config) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING"};
constexpr Statement upsert_vector{
    "passage_vector.put",
    "INSERT INTO passage_vector (position, scope_id, model_id, sequence, vector) VALUES ($1, $2, $3, $4, $5)"
    " ON CONFLICT (position) DO UPDATE SET model_id = excluded.model_id, sequence = excluded.sequence,"
    " vector = excluded.vector"};
constexpr Statement delete_vector{"passage_vector.delete", "DELETE FROM passage_vector WHERE position = $1"};
constexpr Statement select_state{"passage_vector.state",
                                 "SELECT COUNT(*), COALESCE(MAX(sequence), 0) FROM passage_vector"
                                 " WHERE scope_id = $1 AND model_id = $2"};
constexpr Statement select_after{"passage_vector.after",
                                 "SELECT position, sequence, vector FROM passage_vector WHERE scope_id = $1"
                                 " AND model_id = $2 AND sequence > $3 ORDER BY sequence LIMIT $4"};
constexpr Statement select_positions{"passage_vector.positions",
                                     "SELECT position FROM passage_vector WHERE scope_id = $1 AND model_id = $2"};
constexpr Statement select_bytes{"passage_vector.bytes",
                                 "SELECT COALESCE(SUM(LENGTH(v.vector)), 0) FROM passage_vector v"
                                 " JOIN embedding_model m ON m.id = v.model_id WHERE m.organization_id = $1"};
constexpr Statement select_next_due{"passage_vector.next_due",
                                    "SELECT MIN(embedding_due) FROM passage WHERE embedding_due IS NOT NULL"};
// Only while the row says that this text still wants a vector by this model. The join finds nothing: it tells an engine
// with types that $5 is one of `vector`.
constexpr Statement upsert_made{
    "passage_vector.put_made",
    "INSERT INTO passage_vector (position, scope_id, model_id, sequence, vector) SELECT p.position, p.scope_id,"
    " p.embedding_model_id, CAST($4 AS BIGINT), COALESCE(v.vector, $5) FROM passage p"
    " LEFT JOIN passage_vector v ON v.position = -1 WHERE p.position = $1 AND p.embedding_model_id = $2"
    " AND p.text = $3 ON CONFLICT (position) DO UPDATE SET model_id = excluded.model_id,"
    " sequence = excluded.sequence, vector = excluded.vector"};
constexpr Statement update_made{"passage_vector.made",
                                "UPDATE passage SET embedding_state = 'done', embedding_due = NULL"
                                " WHERE position = $1 AND embedding_model_id = $2 AND text = $3"};
constexpr Statement update_failed{"passage_vector.failed",
                                  "UPDATE passage SET embedding_state = 'failed', embedding_due = $4,"
                                  " embedding_attempts = embedding_attempts + 1"
                                  " WHERE position = $1 AND embedding_model_id = $2 AND text = $3"
                                  " AND embedding_state <> 'done'"};
constexpr Statement update_hurried{"passage_vector.hurry",
                                   "UPDATE passage SET embedding_due = $2 WHERE embedding_model_id = $1"
                                   " AND embedding_due > $2"};
constexpr Statement update_wanted{
    "passage_vector.want",
    "UPDATE passage SET embedding_model_id = $2, embedding_state = 'queued', embedding_attempts = 0,"
    " embedding_due = $3 WHERE scope_id = $1 AND (embedding_model_id IS NULL OR embedding_model_id <> $2)"};
constexpr Statement update_unwanted{
    "passage_vector.unwant",
    "UPDATE passage SET embedding_model_id = NULL, embedding_state = 'none', embedding_attempts = 0,"
    " embedding_due = NULL WHERE scope_id = $1 AND embedding_model_id IS NOT NULL"};
constexpr Statement delete_unwanted{"passage_vector.delete_of_scope", "DELETE FROM passage_vector WHERE scope_id = $1"};

#define STELE_QUEUED                                                                            \
    "SELECT p.position, p.organization_id, p.scope_id, p.embedding_model_id, p.text, m.config," \
    " p.embedding_attempts FROM passage p JOIN embedding_model m ON m.id = p.embedding_model_id"

QueuedPassage to_queued(Row& row) {
    QueuedPassage queued;
    queued.position = row.integer(0);
    queued.organization_id = row.take_text(1);
    queued.scope_id = row.take_text(2);
    queued.model_id = row.take_text(3);
    queued.text = row.take_text(4);
    queued.config = decoded<EmbeddingConfig>(row.text(5));
    queued.attempts = row.integer(6);
    return queued;
}

std::vector<StoredVector> to_vectors(const Rows& rows) {
    std::vector<StoredVector> found;
    found.reserve(rows.size());
    for (const Row& row : rows) {
        StoredVector& each = found.emplace_back();
        each.position = row.integer(0);
        each.sequence = row.integer(1);
        each.values = floats_of(row.blob(2));
    }
    return found;
}

std::string marks(const std::vector<std::int64_t>& positions, Params& params) {
    std::string list;
    for (const std::int64_t position : positions) {
        list += list.empty() ? "?" : ", ?";
        params.push_back(to_value(position));
    }
    return list;
}

Select select_due(Timestamp time, const std::vector<std::string>& not_of, std::int64_t limit) {
    Select select(STELE_QUEUED " WHERE p.embedding_due <= ?", to_value(to_micros(time)));
    if (!not_of.empty()) select.where_in("p.embedding_model_id NOT IN (?)", not_of);
    select.finish(" ORDER BY p.embedding_due, p.position LIMIT ?", limit);
    return select;
}

std::vector<QueuedPassage> to_all_queued(Rows rows) {
    std::vector<QueuedPassage> found;
    found.reserve(rows.size());
    for (Row& row : rows) found.push_back(to_queued(row));
    return found;
}

}  // namespace

std::string embedding_model_id(const std::string& organization_id, const EmbeddingConfig& config) {
    const std::string key = organization_id + '\n' + embedding_key(config);
    unsigned char hash[16];
    crypto_generichash(hash, sizeof hash, reinterpret_cast<const unsigned char*>(key.data()), key.size(), nullptr, 0);
    char hex[sizeof hash * 2 + 1];
    sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
    return std::string("embedding_model-") + hex;
}

std::vector<float> floats_of(const std::string& bytes) {
    STELE_ASSERT(bytes.size() % sizeof(float) == 0);
    std::vector<float> values(bytes.size() / sizeof(float));
    if (!values.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
}

std::string bytes_of(const std::vector<float>& values) {
    std::string bytes(values.size() * sizeof(float), '\0');
    if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
    return bytes;
}

void add_embedding_model(Transaction& transaction, const std::string& organization_id, const EmbeddingConfig& config) {
    transaction.add(insert_model, embedding_model_id(organization_id, config), organization_id, to_json(config));
}

void add_vector(Transaction& transaction, std::int64_t position, const std::string& scope_id,
                const std::string& model_id, const std::vector<float>& values) {
    transaction.add(upsert_vector, position, scope_id, model_id, next_position(), Blob{bytes_of(values)});
}

void remove_vector(Transaction& transaction, std::int64_t position) { transaction.add(delete_vector, position); }

awaitable<VectorsState> PassageVectors::state(std::string scope_id, std::string model_id) const {
    const Rows rows = co_await database_.query(select_state, std::move(scope_id), std::move(model_id));
    VectorsState state;
    state.count = rows.front().integer(0);
    state.last_sequence = rows.front().integer(1);
    co_return state;
}

awaitable<std::vector<StoredVector>> PassageVectors::after(std::string scope_id, std::string model_id,
                                                           std::int64_t sequence, std::int64_t limit) const {
    const Rows rows = co_await database_.query(select_after, std::move(scope_id), std::move(model_id), sequence, limit);
    co_return to_vectors(rows);
}

awaitable<std::vector<StoredVector>> PassageVectors::at(std::string scope_id, std::string model_id,
                                                        std::vector<std::int64_t> positions) const {
    if (positions.empty()) co_return std::vector<StoredVector>();
    Select select("SELECT position, sequence, vector FROM passage_vector WHERE scope_id || '' = ?",
                  to_value(std::move(scope_id)));
    select.where("model_id || '' = ?", std::move(model_id));
    Params params;
    const std::string list = marks(positions, params);
    select.where_packed("position IN (" + list + ")", std::move(params));
    Query query = select.query();
    const Rows rows = co_await database_.query_packed(std::move(query));
    co_return to_vectors(rows);
}

awaitable<std::vector<std::int64_t>> PassageVectors::positions(std::string scope_id, std::string model_id) const {
    const Rows rows = co_await database_.query(select_positions, std::move(scope_id), std::move(model_id));
    std::vector<std::int64_t> found;
    found.reserve(rows.size());
    for (const Row& row : rows) found.push_back(row.integer(0));
    co_return found;
}

awaitable<std::int64_t> PassageVectors::bytes(std::string organization_id) const {
    const Rows rows = co_await database_.query(select_bytes, std::move(organization_id));
    co_return rows.front().integer(0);
}

awaitable<std::vector<QueuedPassage>> PassageVectors::due(Timestamp time, std::vector<std::string> not_of,
                                                          std::int64_t limit) const {
    Query query = select_due(time, not_of, limit).query();
    Rows rows = co_await database_.query_packed(std::move(query));
    co_return to_all_queued(std::move(rows));
}

awaitable<std::optional<Timestamp>> PassageVectors::next_due() const {
    const Rows rows = co_await database_.query(select_next_due);
    if (rows.front().is_null(0)) co_return std::nullopt;
    co_return from_micros(rows.front().integer(0));
}

awaitable<std::vector<QueuedPassage>> PassageVectors::waiting(std::vector<std::int64_t> positions) const {
    if (positions.empty()) co_return std::vector<QueuedPassage>();
    Params params;
    const std::string list = marks(positions, params);
    Select select(STELE_QUEUED " WHERE p.embedding_state <> ?", to_value("done"));
    select.where_packed("p.position IN (" + list + ")", std::move(params));
    Query query = select.query();
    Rows rows = co_await database_.query_packed(std::move(query));
    co_return to_all_queued(std::move(rows));
}

void PassageVectors::put(Transaction& transaction, const QueuedPassage& passage,
                         const std::vector<float>& values) const {
    transaction.add(upsert_made, passage.position, passage.model_id, passage.text, next_position(),
                    Blob{bytes_of(values)});
    transaction.add(update_made, passage.position, passage.model_id, passage.text);
}

void PassageVectors::put_failed(Transaction& transaction, const QueuedPassage& passage,
                                std::optional<Timestamp> due) const {
    transaction.add(update_failed, passage.position, passage.model_id, passage.text,
                    due ? std::optional(to_micros(*due)) : std::nullopt);
}

void PassageVectors::hurry(Transaction& transaction, const std::string& model_id) const {
    transaction.add(update_hurried, model_id, to_micros(now()));
}

void PassageVectors::want(Transaction& transaction, const std::string& organization_id, const std::string& scope_id,
                          const std::optional<EmbeddingConfig>& config) const {
    if (!config) {
        transaction.add(update_unwanted, scope_id);
        transaction.add(delete_unwanted, scope_id);
        return;
    }
    add_embedding_model(transaction, organization_id, *config);
    transaction.add(update_wanted, scope_id, embedding_model_id(organization_id, *config), to_micros(now()));
}

std::vector<Statement> PassageVectors::statements() {
    return {insert_model,    upsert_vector,    delete_vector,  select_state,
            select_after,    select_positions, select_bytes,   select_next_due,
            upsert_made,     update_made,      update_failed,  update_wanted,
            update_unwanted, delete_unwanted,  update_hurried, select_due(Timestamp(), {"m"}, 1).query().statement};
}

}  // namespace stele::storage
