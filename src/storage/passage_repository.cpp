#include "storage/passage_repository.hpp"

#include "domain/text_list.hpp"
#include "storage/decode_cache.hpp"
#include "storage/passage_filter.hpp"
#include "storage/passage_vectors.hpp"

#include <algorithm>
#include <map>

namespace stele::storage {
namespace {

using boost::asio::awaitable;

// The columns of `to_passage`, and what they are read from.
#define STELE_PASSAGE_COLUMNS                                                                                     \
    "p.id, p.position, p.organization_id, p.archive_id, p.source_id, p.file_id, p.file_name, p.file_position,"    \
    " p.unit_start, p.unit_end, p.text, p.metadata, p.tags, p.created_by_id, p.last_updated_by_id, p.created_at," \
    " p.updated_at, p.embedding_state, m.config, v.vector"
#define STELE_PASSAGE_TABLES                                               \
    "passage p LEFT JOIN embedding_model m ON m.id = p.embedding_model_id" \
    " LEFT JOIN passage_vector v ON v.position = p.position AND v.model_id = p.embedding_model_id"
// An archive in the trash belongs to another organisation meanwhile.
#define STELE_PASSAGE_IS_THERE                                                                                 \
    "(p.archive_id IS NULL OR EXISTS (SELECT 1 FROM archive a WHERE a.id = p.archive_id AND a.organization_id" \
    " = p.organization_id))"

constexpr Statement select_by_id{"passage.by_id", "SELECT " STELE_PASSAGE_COLUMNS " FROM " STELE_PASSAGE_TABLES
                                                  " WHERE p.organization_id = $1 AND p.id = $2"
                                                  " AND " STELE_PASSAGE_IS_THERE};
constexpr Statement select_count{"passage.count", "SELECT COUNT(*) FROM passage WHERE scope_id = $1"};
constexpr Statement select_tags{"passage.tags",
                                "SELECT DISTINCT tag FROM passage_tag WHERE scope_id = $1 ORDER BY tag LIMIT $2"};
constexpr Statement select_count_of_agent{"passage.count_of_agent",
                                          "SELECT COUNT(*) FROM agent_archive l JOIN passage p"
                                          " ON p.scope_id = l.archive_id WHERE l.agent_id = $1"};
constexpr Statement select_tags_of_agent{"passage.tags_of_agent",
                                         "SELECT DISTINCT t.tag FROM agent_archive l JOIN passage_tag t"
                                         " ON t.scope_id = l.archive_id WHERE l.agent_id = $1 ORDER BY t.tag LIMIT $2"};

constexpr Statement insert_row{
    "passage.insert",
    "INSERT INTO passage (id, position, organization_id, scope_id, archive_id, source_id, file_id, file_name,"
    " file_position, unit_start, unit_end, text, metadata, tags, created_by_id, last_updated_by_id, created_at,"
    " updated_at, embedding_model_id, embedding_state, embedding_attempts, embedding_due) VALUES ($1, $2, $3, $4, $5,"
    " $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, 0, $21)"};
constexpr Statement insert_tag{"passage.insert_tag",
                               "INSERT INTO passage_tag (passage_id, tag, scope_id) VALUES ($1, $2, $3)"};
constexpr Statement delete_tags{"passage.delete_tags", "DELETE FROM passage_tag WHERE passage_id = $1"};
constexpr Statement update_row{"passage.update",
                               "UPDATE passage SET text = $3, metadata = $4, tags = $5, last_updated_by_id = $6,"
                               " updated_at = $7 WHERE organization_id = $1 AND id = $2"};
constexpr Statement update_embedding{
    "passage.update_embedding",
    "UPDATE passage SET embedding_model_id = $3, embedding_state = $4, embedding_attempts = 0, embedding_due = $5"
    " WHERE organization_id = $1 AND id = $2"};
constexpr Statement delete_row{"passage.delete", "DELETE FROM passage WHERE organization_id = $1 AND id = $2"};
constexpr Statement delete_of_file{"passage.delete_of_file",
                                   "DELETE FROM passage WHERE organization_id = $1 AND file_id = $2"};
constexpr Statement delete_some{"passage.delete_some",
                                "DELETE FROM passage WHERE id IN (SELECT p.id FROM passage p WHERE p.scope_id = $1"
                                " LIMIT $2) RETURNING 1"};

std::string scope_of(const Passage& passage) { return passage.archive_id ? *passage.archive_id : *passage.source_id; }

std::optional<std::string> tags_json(const Passage& passage) {
    return passage.tags ? std::optional(encode_text_list(*passage.tags)) : std::nullopt;
}

Passage to_passage(Row& row) {
    Passage passage;
    passage.id = row.take_text(0);
    passage.position = row.integer(1);
    passage.organization_id = row.take_text(2);
    passage.archive_id = row.optional_text(3);
    passage.source_id = row.optional_text(4);
    passage.file_id = row.optional_text(5);
    passage.file_name = row.optional_text(6);
    passage.file_position = row.optional_integer(7);
    passage.unit_start = row.optional_integer(8);
    passage.unit_end = row.optional_integer(9);
    passage.text = row.take_text(10);
    passage.metadata.text = row.take_text(11);
    if (!row.is_null(12)) passage.tags = decode_text_list(row.text(12));
    passage.created_by_id = row.optional_text(13);
    passage.last_updated_by_id = row.optional_text(14);
    passage.created_at = from_micros(row.integer(15));
    passage.updated_at = from_micros(row.integer(16));
    passage.embedding_state = embedding_state(row.text(17));
    if (!row.is_null(18)) passage.embedding_config = decoded<EmbeddingConfig>(row.text(18));
    if (!row.is_null(19)) passage.embedding.values = floats_of(row.blob(19));
    return passage;
}

std::vector<Passage> to_passages(Rows rows) {
    std::vector<Passage> found;
    found.reserve(rows.size());
    for (Row& row : rows) found.push_back(to_passage(row));
    return found;
}

}  // namespace

// The scope leads: without statistics an engine would as soon walk through all that the organisation has.
Select select_passages(const std::string& columns, const std::string& tables, const PassageFilter& filter) {
    const bool all = filter.scope_ids.empty();
    Select select("SELECT " + columns + " FROM " + tables + " WHERE " +
                      (all ? "p.organization_id = ?" : "p.organization_id || '' = ?"),
                  to_value(filter.organization_id));
    if (all)
        select.where("p.archive_id IS NOT NULL");
    else
        select.where_in("p.scope_id IN (?)", filter.scope_ids);
    select.where(STELE_PASSAGE_IS_THERE);
    if (filter.file_id) select.where("p.file_id = ?", filter.file_id);
    if (filter.substring) select.where("LOWER(p.text) LIKE LOWER(?) ESCAPE '\\'", like_pattern(*filter.substring));
    if (filter.from) select.where("p.created_at >= ?", to_micros(*filter.from));
    if (filter.until) select.where("p.created_at <= ?", to_micros(*filter.until));
    if (filter.tags.empty()) return select;
    if (!filter.match_all_tags)
        select.where_in("EXISTS (SELECT 1 FROM passage_tag t WHERE t.passage_id = p.id AND t.tag IN (?))", filter.tags);
    else
        for (const std::string& tag : padded(filter.tags))
            select.where("EXISTS (SELECT 1 FROM passage_tag t WHERE t.passage_id = p.id AND t.tag = ?)", tag);
    return select;
}

awaitable<std::optional<Passage>> PassageRepository::find(std::string organization_id, std::string id) const {
    Rows rows = co_await database_.query(select_by_id, std::move(organization_id), std::move(id));
    if (rows.empty()) co_return std::nullopt;
    co_return to_passage(rows.front());
}

awaitable<std::vector<Passage>> PassageRepository::list(PassageFilter filter, Page page) const {
    Select select = select_passages(STELE_PASSAGE_COLUMNS, STELE_PASSAGE_TABLES, filter);
    const PageOrder order{"passage p", "passage", "p.created_at", "p.id"};
    Rows rows = co_await read_page(database_, std::move(select), std::move(page), order, filter.organization_id);
    co_return to_passages(std::move(rows));
}

awaitable<std::vector<Passage>> PassageRepository::at(std::string organization_id,
                                                      std::vector<std::int64_t> positions) const {
    if (positions.empty()) co_return std::vector<Passage>();
    std::string list;
    Params params;
    for (const std::int64_t position : positions) {
        list += list.empty() ? "?" : ", ?";
        params.push_back(to_value(position));
    }
    Select select("SELECT " STELE_PASSAGE_COLUMNS " FROM " STELE_PASSAGE_TABLES " WHERE p.organization_id || '' = ?",
                  to_value(std::move(organization_id)));
    select.where_packed("p.position IN (" + list + ")", std::move(params));
    select.where(STELE_PASSAGE_IS_THERE);
    Query query = select.query();
    Rows rows = co_await database_.query_packed(std::move(query));
    std::map<std::int64_t, Passage> found;
    for (Row& row : rows) found.emplace(row.integer(1), to_passage(row));
    std::vector<Passage> ordered;
    for (const std::int64_t position : positions)
        if (const auto each = found.find(position); each != found.end()) ordered.push_back(std::move(each->second));
    co_return ordered;
}

awaitable<std::int64_t> PassageRepository::count(std::string scope_id) const {
    const Rows rows = co_await database_.query(select_count, std::move(scope_id));
    co_return rows.front().integer(0);
}

awaitable<std::vector<std::string>> PassageRepository::tags(std::string scope_id, std::int64_t most) const {
    Rows rows = co_await database_.query(select_tags, std::move(scope_id), most);
    std::vector<std::string> found;
    for (Row& row : rows) found.push_back(row.take_text(0));
    co_return found;
}

void PassageRepository::insert(Transaction& transaction, const std::vector<Passage>& made) const {
    std::string last_model;
    for (const Passage& passage : made) {
        const std::string scope = scope_of(passage);
        std::optional<std::string> model_id;
        if (passage.embedding_config) {
            model_id = embedding_model_id(passage.organization_id, *passage.embedding_config);
            if (last_model != *model_id)
                add_embedding_model(transaction, passage.organization_id, *passage.embedding_config);
            last_model = *model_id;
        }
        const bool done = model_id && !passage.embedding.values.empty();
        const EmbeddingState state = !model_id ? EmbeddingState::none
                                     : done    ? EmbeddingState::done
                                               : EmbeddingState::queued;
        const std::optional<std::int64_t> due =
            state == EmbeddingState::queued ? std::optional(to_micros(now())) : std::nullopt;
        const Timestamp updated = passage.updated_at.value_or(passage.created_at);
        transaction.add(insert_row, passage.id, passage.position, passage.organization_id, scope, passage.archive_id,
                        passage.source_id, passage.file_id, passage.file_name, passage.file_position,
                        passage.unit_start, passage.unit_end, passage.text, passage.metadata.text, tags_json(passage),
                        passage.created_by_id, passage.last_updated_by_id, to_micros(passage.created_at),
                        to_micros(updated), model_id, to_string(state), due);
        for (const std::string& tag : passage.tags.value_or(std::vector<std::string>()))
            transaction.add(insert_tag, passage.id, tag, scope);
        if (done) add_vector(transaction, passage.position, scope, *model_id, passage.embedding.values);
    }
}

void PassageRepository::update(Transaction& transaction, const Passage& passage, bool text_changed) const {
    const Timestamp updated = passage.updated_at.value_or(passage.created_at);
    transaction
        .add(update_row, passage.organization_id, passage.id, passage.text, passage.metadata.text, tags_json(passage),
             passage.last_updated_by_id, to_micros(updated))
        .expect_row(not_found("Passage", passage.id));
    const std::string scope = scope_of(passage);
    transaction.add(delete_tags, passage.id);
    for (const std::string& tag : passage.tags.value_or(std::vector<std::string>()))
        transaction.add(insert_tag, passage.id, tag, scope);
    if (!text_changed || !passage.embedding_config) return;
    const std::string model_id = embedding_model_id(passage.organization_id, *passage.embedding_config);
    remove_vector(transaction, passage.position);
    add_embedding_model(transaction, passage.organization_id, *passage.embedding_config);
    const bool done = !passage.embedding.values.empty();
    if (done) add_vector(transaction, passage.position, scope, model_id, passage.embedding.values);
    transaction.add(update_embedding, passage.organization_id, passage.id, model_id,
                    to_string(done ? EmbeddingState::done : EmbeddingState::queued),
                    done ? std::nullopt : std::optional(to_micros(now())));
}

void PassageRepository::remove(Transaction& transaction, const Passage& passage) const {
    const SortKeys keys{to_micros(passage.created_at), to_micros(passage.created_at), std::nullopt};
    add_tombstone(transaction, passage.organization_id, passage.id, keys);
    transaction.add(delete_row, passage.organization_id, passage.id).expect_row(not_found("Passage", passage.id));
}

void PassageRepository::remove_of_file(Transaction& transaction, const std::string& organization_id,
                                       const std::string& file_id) const {
    transaction.add(delete_of_file, organization_id, file_id);
}

void PassageRepository::remove_some(Transaction& transaction, const std::string& scope_id, std::int64_t most) {
    transaction.add(delete_some, scope_id, most);
}

const Statement& PassageRepository::count_statement() { return select_count_of_agent; }
const Statement& PassageRepository::tags_statement() { return select_tags_of_agent; }

std::vector<Statement> PassageRepository::statements() {
    PassageFilter filter;
    filter.organization_id = "o";
    filter.scope_ids = {"s"};
    filter.file_id = "f";
    filter.substring = "t";
    filter.tags = {"a"};
    filter.match_all_tags = true;
    filter.from = filter.until = Timestamp();
    PassageFilter wide;
    wide.tags = {"a", "b"};
    return {select_by_id,
            select_count,
            select_tags,
            select_count_of_agent,
            select_tags_of_agent,
            insert_row,
            insert_tag,
            delete_tags,
            update_row,
            update_embedding,
            delete_row,
            delete_of_file,
            delete_some,
            select_passages(STELE_PASSAGE_COLUMNS, STELE_PASSAGE_TABLES, filter).query().statement,
            select_passages("p.position", "passage p", wide).query().statement};
}

}  // namespace stele::storage
