#include "storage/archive_repository.hpp"

#include "storage/decode_cache.hpp"
#include "storage/trash.hpp"

#include <map>

namespace stele::storage {
namespace {

using boost::asio::awaitable;

// The columns of `to_archive`.
#define STELE_ARCHIVE_COLUMNS                                                                          \
    "r.id, r.organization_id, r.name, r.description, r.embedding_config, r.metadata, r.created_by_id," \
    " r.last_updated_by_id, r.created_at, r.updated_at, r.version"

constexpr Statement select_by_id{
    "archive.by_id", "SELECT " STELE_ARCHIVE_COLUMNS " FROM archive r WHERE r.organization_id = $1 AND r.id = $2"};
constexpr Statement select_of_agent{"archive.of_agent", "SELECT " STELE_ARCHIVE_COLUMNS
                                                        " FROM agent_archive l JOIN archive r ON r.id = l.archive_id"
                                                        " WHERE r.organization_id = $1 AND l.agent_id = $2"};
constexpr Statement select_agent_count{"archive.agent_count",
                                       "SELECT COUNT(*) FROM agent_archive WHERE archive_id = $1"};
constexpr Statement select_with_vectors{
    "archive.with_vectors",
    "SELECT r.id FROM archive r WHERE r.organization_id = $1 AND EXISTS (SELECT 1 FROM passage_vector v"
    " WHERE v.scope_id = r.id AND v.model_id = $2)"};
constexpr Statement select_main{
    "archive.main_of_partner",
    "SELECT g.manager_agent_id FROM group_member m JOIN agent_group g ON g.id = m.group_id"
    " WHERE g.organization_id = $1 AND m.agent_id = $2 AND g.manager_type IN ('sleeptime', 'voice_sleeptime')"
    " AND g.manager_agent_id IS NOT NULL ORDER BY g.created_at, g.id LIMIT 1"};
constexpr Statement select_embeddings{
    "archive.embeddings",
    "SELECT DISTINCT r.embedding_config FROM archive r WHERE r.organization_id = $1 AND r.embedding_config IS NOT NULL"
    " LIMIT 1000"};
constexpr Statement insert_row{
    "archive.insert",
    "INSERT INTO archive (id, organization_id, name, description, embedding_config, metadata, created_by_id,"
    " last_updated_by_id, created_at, updated_at, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"};
constexpr Statement update_row{
    "archive.update",
    "UPDATE archive SET name = $3, description = $4, embedding_config = $5, metadata = $6, last_updated_by_id = $7,"
    " updated_at = $8, version = version + 1 WHERE organization_id = $1 AND id = $2 AND version = $9"};
constexpr Statement delete_row{"archive.delete", "DELETE FROM archive WHERE organization_id = $1 AND id = $2"};
// Changes a row also where the link is there already, so that another archive in its place is told apart.
constexpr Statement insert_link{
    "archive.attach",
    "INSERT INTO agent_archive (agent_id, archive_id, position) VALUES ($1, $2, $3) ON CONFLICT (agent_id)"
    " DO UPDATE SET archive_id = excluded.archive_id WHERE agent_archive.archive_id = excluded.archive_id"};
constexpr Statement delete_link{"archive.detach", "DELETE FROM agent_archive WHERE agent_id = $1 AND archive_id = $2"};

Archive to_archive(Row& row) {
    Archive archive;
    archive.id = row.take_text(0);
    archive.organization_id = row.take_text(1);
    archive.name = row.take_text(2);
    archive.description = row.optional_text(3);
    if (!row.is_null(4)) archive.embedding_config = decoded<EmbeddingConfig>(row.text(4));
    archive.metadata.text = row.take_text(5);
    archive.created_by_id = row.optional_text(6);
    archive.last_updated_by_id = row.optional_text(7);
    archive.created_at = from_micros(row.integer(8));
    archive.updated_at = from_micros(row.integer(9));
    archive.version = row.integer(10);
    return archive;
}

std::optional<std::string> config_json(const Archive& archive) {
    return archive.embedding_config ? std::optional(to_json(*archive.embedding_config)) : std::nullopt;
}

Select select_archives(const std::string& organization_id, const ArchiveFilter& filter) {
    Select select("SELECT " STELE_ARCHIVE_COLUMNS " FROM archive r WHERE r.organization_id = ?",
                  to_value(organization_id));
    if (filter.name) select.where("r.name = ?", filter.name);
    if (filter.agent_id)
        select.where("EXISTS (SELECT 1 FROM agent_archive l WHERE l.archive_id = r.id AND l.agent_id = ?)",
                     filter.agent_id);
    return select;
}

}  // namespace

awaitable<std::optional<Archive>> ArchiveRepository::find(std::string organization_id, std::string id) const {
    Rows rows = co_await database_.query(select_by_id, std::move(organization_id), std::move(id));
    if (rows.empty()) co_return std::nullopt;
    co_return to_archive(rows.front());
}

awaitable<std::vector<Archive>> ArchiveRepository::list(std::string organization_id, ArchiveFilter filter,
                                                        Page page) const {
    Select select = select_archives(organization_id, filter);
    const PageOrder order{"archive r", "archive", "r.created_at", "r.id"};
    Rows rows = co_await read_page(database_, std::move(select), std::move(page), order, organization_id);
    std::vector<Archive> found;
    for (Row& row : rows) found.push_back(to_archive(row));
    co_return found;
}

awaitable<std::optional<Archive>> ArchiveRepository::of_agent(std::string organization_id, std::string agent_id) const {
    Rows rows = co_await database_.query(select_of_agent, std::move(organization_id), std::move(agent_id));
    if (rows.empty()) co_return std::nullopt;
    co_return to_archive(rows.front());
}

awaitable<std::int64_t> ArchiveRepository::count_agents(std::string id) const {
    const Rows rows = co_await database_.query(select_agent_count, std::move(id));
    co_return rows.front().integer(0);
}

awaitable<std::optional<std::string>> ArchiveRepository::main_of_partner(std::string organization_id,
                                                                         std::string agent_id) const {
    const Rows rows = co_await database_.query(select_main, std::move(organization_id), std::move(agent_id));
    if (rows.empty()) co_return std::nullopt;
    co_return rows.front().text(0);
}

awaitable<std::vector<std::string>> ArchiveRepository::ids_with_vectors(std::string organization_id,
                                                                        std::string model_id) const {
    Rows rows = co_await database_.query(select_with_vectors, std::move(organization_id), std::move(model_id));
    std::vector<std::string> ids;
    for (Row& row : rows) ids.push_back(row.take_text(0));
    co_return ids;
}

awaitable<std::vector<EmbeddingConfig>> ArchiveRepository::embeddings(std::string organization_id) const {
    const Rows rows = co_await database_.query(select_embeddings, std::move(organization_id));
    std::map<std::string, EmbeddingConfig> by_key;
    for (const Row& row : rows) {
        const EmbeddingConfig& config = decoded<EmbeddingConfig>(row.text(0));
        by_key.emplace(embedding_key(config), config);
    }
    std::vector<EmbeddingConfig> found;
    for (auto& [key, config] : by_key) found.push_back(std::move(config));
    co_return found;
}

void ArchiveRepository::insert(Transaction& transaction, const Archive& archive) const {
    transaction.add(insert_row, archive.id, archive.organization_id, archive.name, archive.description,
                    config_json(archive), archive.metadata.text, archive.created_by_id, archive.last_updated_by_id,
                    to_micros(archive.created_at), to_micros(archive.updated_at), archive.version);
}

void ArchiveRepository::update(Transaction& transaction, Archive& archive) const {
    transaction
        .add(update_row, archive.organization_id, archive.id, archive.name, archive.description, config_json(archive),
             archive.metadata.text, archive.last_updated_by_id, to_micros(archive.updated_at), archive.version)
        .expect_row(changed_meanwhile("Archive", archive.id));
    ++archive.version;
}

void ArchiveRepository::remove(Transaction& transaction, const Archive& archive) const {
    const SortKeys keys{to_micros(archive.created_at), to_micros(archive.updated_at), std::nullopt};
    add_tombstone(transaction, archive.organization_id, archive.id, keys);
    if (kept_in_trash_.count() > 0)
        move_to_trash(transaction, archive, kept_in_trash_);
    else
        transaction.add(delete_row, archive.organization_id, archive.id).expect_row(not_found("Archive", archive.id));
}

void ArchiveRepository::attach(Transaction& transaction, const std::string& agent_id,
                               const std::string& archive_id) const {
    Error other(ErrorCode::conflict, "The agent has an archive already, and may have one: detach that first");
    other.final = true;
    transaction.add(insert_link, agent_id, archive_id, next_position()).expect_row(std::move(other));
}

void ArchiveRepository::detach(Transaction& transaction, const std::string& agent_id,
                               const std::string& archive_id) const {
    transaction.add(delete_link, agent_id, archive_id);
}

std::vector<Statement> ArchiveRepository::statements() {
    ArchiveFilter filter;
    filter.name = filter.agent_id = "x";
    return {select_by_id, select_of_agent,     select_agent_count, insert_row,
            update_row,   delete_row,          insert_link,        delete_link,
            select_main,  select_with_vectors, select_embeddings,  select_archives("o", filter).query().statement};
}

}  // namespace stele::storage
