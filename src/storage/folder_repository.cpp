#include "storage/folder_repository.hpp"

#include <algorithm>

namespace stele::storage {
namespace {

using boost::asio::awaitable;

// The columns of `to_folder`.
#define STELE_FOLDER_COLUMNS                                                                          \
    "d.id, d.organization_id, d.name, d.description, d.instructions, d.metadata, d.embedding_config," \
    " d.created_by_id, d.last_updated_by_id, d.created_at, d.updated_at, d.version"

constexpr Statement select_by_id{
    "folder.by_id", "SELECT " STELE_FOLDER_COLUMNS " FROM folder d WHERE d.organization_id = $1 AND d.id = $2"};
constexpr Statement select_by_name{
    "folder.by_name", "SELECT " STELE_FOLDER_COLUMNS " FROM folder d WHERE d.organization_id = $1 AND d.name = $2"};
constexpr Statement select_count{"folder.count", "SELECT COUNT(*) FROM folder WHERE organization_id = $1"};
constexpr Statement insert_row{
    "folder.insert",
    "INSERT INTO folder (id, organization_id, name, description, instructions, metadata, embedding_config,"
    " created_by_id, last_updated_by_id, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, "
    "$11)"};
constexpr Statement update_row{
    "folder.update",
    "UPDATE folder SET name = $3, description = $4, instructions = $5, metadata = $6, embedding_config = $7,"
    " last_updated_by_id = $8, updated_at = $9, version = version + 1"
    " WHERE organization_id = $1 AND id = $2 AND version = $10"};
constexpr Statement delete_row{"folder.delete", "DELETE FROM folder WHERE organization_id = $1 AND id = $2"};
constexpr Statement keep_files{
    "folder.keep_file_places",
    "INSERT INTO tombstone (id, organization_id, sort_created, sort_updated, deleted_at)"
    " SELECT f.id, f.organization_id, f.created_at, f.updated_at, CAST($2 AS BIGINT) FROM file f WHERE f.folder_id = $1"
    " ON CONFLICT (id) DO UPDATE SET deleted_at = excluded.deleted_at"};
constexpr Statement select_agents{"folder.agents",
                                  "SELECT a.id FROM agent_folder l JOIN agent a ON a.id = l.agent_id"
                                  " WHERE a.organization_id = $1 AND l.folder_id = $2 ORDER BY a.created_at, a.id"};
constexpr Statement select_of_agent{"folder.of_agent", "SELECT " STELE_FOLDER_COLUMNS
                                                       " FROM agent_folder l JOIN folder d ON d.id = l.folder_id"
                                                       " WHERE l.agent_id = $1 ORDER BY l.position, d.id"};
constexpr Statement insert_link{"folder.attach",
                                "INSERT INTO agent_folder (agent_id, folder_id, position) VALUES ($1, $2, $3)"
                                " ON CONFLICT (agent_id, folder_id) DO NOTHING"};
constexpr Statement delete_link{"folder.detach", "DELETE FROM agent_folder WHERE agent_id = $1 AND folder_id = $2"};
constexpr Statement delete_files_of_link{
    "folder.detach_files",
    "DELETE FROM file_agent WHERE agent_id = $1 AND file_id IN (SELECT f.id FROM file f WHERE f.folder_id = $2)"};
constexpr Statement delete_tools_of_agent{
    "folder.detach_tools",
    "DELETE FROM agent_tool WHERE agent_id = $1 AND EXISTS (SELECT 1 FROM tool t WHERE t.id = agent_tool.tool_id"
    " AND t.tool_type = 'letta_files_core') AND NOT EXISTS (SELECT 1 FROM agent_folder l WHERE l.agent_id = $1)"};
constexpr Statement delete_tools_of_folder{
    "folder.delete_tools",
    "DELETE FROM agent_tool WHERE agent_id IN (SELECT l.agent_id FROM agent_folder l WHERE l.folder_id = $1)"
    " AND EXISTS (SELECT 1 FROM tool t WHERE t.id = agent_tool.tool_id AND t.tool_type = 'letta_files_core')"
    " AND NOT EXISTS (SELECT 1 FROM agent_folder o WHERE o.agent_id = agent_tool.agent_id AND o.folder_id <> $1)"};

constexpr PageOrder by_created{"folder d", "source", "d.created_at", "d.id"};

Folder to_folder(Row& row) {
    Folder folder;
    folder.id = row.take_text(0);
    folder.organization_id = row.take_text(1);
    folder.name = row.take_text(2);
    folder.description = row.optional_text(3);
    folder.instructions = row.optional_text(4);
    folder.metadata.text = row.take_text(5);
    if (!row.is_null(6)) folder.embedding_config = decode_stored<EmbeddingConfig>(row.text(6));
    folder.created_by_id = row.optional_text(7);
    folder.last_updated_by_id = row.optional_text(8);
    folder.created_at = from_micros(row.integer(9));
    folder.updated_at = from_micros(row.integer(10));
    folder.version = row.integer(11);
    return folder;
}

std::optional<std::string> config_json(const Folder& folder) {
    return folder.embedding_config ? std::optional(to_json(*folder.embedding_config)) : std::nullopt;
}

Select select_folders(const std::string& organization_id) {
    return Select("SELECT " STELE_FOLDER_COLUMNS " FROM folder d WHERE d.organization_id = ?",
                  to_value(organization_id));
}

Select select_list(const std::string& organization_id, const std::optional<std::string>& name) {
    Select select = select_folders(organization_id);
    if (name) select.where("d.name = ?", name);
    return select;
}

Select select_of(const std::string& organization_id, const std::string& agent_id) {
    Select select = select_folders(organization_id);
    select.where("EXISTS (SELECT 1 FROM agent_folder l WHERE l.folder_id = d.id AND l.agent_id = ?)", agent_id);
    return select;
}

Select select_agents_of(const std::string& organization_id, const std::string& folder_id) {
    Select select("SELECT a.id FROM agent a WHERE a.organization_id = ?", to_value(organization_id));
    select.where("EXISTS (SELECT 1 FROM agent_folder l WHERE l.agent_id = a.id AND l.folder_id = ?)", folder_id);
    return select;
}

Select select_stats(const std::string& organization_id, const std::optional<std::string>& folder_id) {
    Select select(
        "SELECT d.id, d.name, COUNT(f.id), CAST(COALESCE(SUM(f.size), 0) AS BIGINT) FROM folder d"
        " LEFT JOIN file f ON f.folder_id = d.id WHERE d.organization_id = ?",
        to_value(organization_id));
    if (folder_id) select.where("d.id = ?", folder_id);
    select.finish(" GROUP BY d.id, d.name ORDER BY d.name, d.id");
    return select;
}

std::vector<std::string> ids_of(Rows rows) {
    std::vector<std::string> ids;
    for (Row& row : rows) ids.push_back(row.take_text(0));
    return ids;
}

std::optional<Folder> first_of(Rows rows) {
    if (rows.empty()) return std::nullopt;
    return to_folder(rows.front());
}

}  // namespace

Error folder_name_taken(const std::string& name) {
    Error error(ErrorCode::conflict, "A folder named '" + name + "' is there already");
    error.final = true;
    return error;
}

awaitable<std::optional<Folder>> FolderRepository::find(std::string organization_id, std::string id) const {
    co_return first_of(co_await database_.query(select_by_id, std::move(organization_id), std::move(id)));
}

awaitable<std::optional<Folder>> FolderRepository::find_by_name(std::string organization_id, std::string name) const {
    co_return first_of(co_await database_.query(select_by_name, std::move(organization_id), std::move(name)));
}

awaitable<std::vector<Folder>> FolderRepository::demand_all(std::string organization_id,
                                                            std::vector<std::string> ids) const {
    std::vector<Folder> folders;
    if (ids.empty()) co_return folders;
    ReadBatch batch;
    for (const std::string& id : ids) batch.add(select_by_id, organization_id, id);
    std::vector<Rows> rows = co_await database_.read(std::move(batch));
    for (std::size_t i = 0; i < ids.size(); ++i) {
        std::optional<Folder> folder = first_of(std::move(rows[i]));
        if (!folder) throw not_found("Folder", ids[i]);
        const bool twice = std::any_of(folders.begin(), folders.end(), [&](const Folder& f) { return f.id == ids[i]; });
        if (!twice) folders.push_back(std::move(*folder));
    }
    co_return folders;
}

awaitable<std::vector<Folder>> FolderRepository::list(std::string organization_id, std::optional<std::string> name,
                                                      Page page) const {
    Select select = select_list(organization_id, name);
    co_return from_rows(co_await read_page(database_, std::move(select), std::move(page), by_created, organization_id));
}

awaitable<std::int64_t> FolderRepository::count(std::string organization_id) const {
    const Rows rows = co_await database_.query(select_count, std::move(organization_id));
    co_return rows.front().integer(0);
}

awaitable<std::vector<SourceStats>> FolderRepository::stats(std::string organization_id,
                                                            std::optional<std::string> folder_id) const {
    Query query = select_stats(organization_id, folder_id).query();
    Rows rows = co_await database_.query_packed(std::move(query));
    std::vector<SourceStats> all;
    for (Row& row : rows) {
        SourceStats stats;
        stats.source_id = row.take_text(0);
        stats.source_name = row.take_text(1);
        stats.file_count = row.integer(2);
        stats.total_size = row.integer(3);
        all.push_back(std::move(stats));
    }
    co_return all;
}

void FolderRepository::insert(Transaction& transaction, const Folder& folder) const {
    transaction
        .add(insert_row, folder.id, folder.organization_id, folder.name, folder.description, folder.instructions,
             folder.metadata.text, config_json(folder), folder.created_by_id, folder.last_updated_by_id,
             to_micros(folder.created_at), to_micros(folder.updated_at))
        .expect_free(folder_name_taken(folder.name));
}

void FolderRepository::update(Transaction& transaction, Folder& folder) const {
    auto added = transaction.add(update_row, folder.organization_id, folder.id, folder.name, folder.description,
                                 folder.instructions, folder.metadata.text, config_json(folder),
                                 folder.last_updated_by_id, to_micros(folder.updated_at), folder.version);
    added.expect_row(changed_meanwhile("Folder", folder.id));
    added.expect_free(folder_name_taken(folder.name));
    ++folder.version;
}

void FolderRepository::remove(Transaction& transaction, const Folder& folder) const {
    transaction.add(delete_tools_of_folder, folder.id);
    transaction.add(keep_files, folder.id, to_micros(now()));
    add_tombstone(transaction, folder.organization_id, folder.id,
                  {to_micros(folder.created_at), to_micros(folder.updated_at), std::nullopt});
    transaction.add(delete_row, folder.organization_id, folder.id).expect_row(not_found("Folder", folder.id));
}

awaitable<std::vector<std::string>> FolderRepository::agents(std::string organization_id, std::string folder_id) const {
    co_return ids_of(co_await database_.query(select_agents, std::move(organization_id), std::move(folder_id)));
}

awaitable<std::vector<std::string>> FolderRepository::page_of_agents(std::string organization_id, std::string folder_id,
                                                                     Page page) const {
    Select select = select_agents_of(organization_id, folder_id);
    const PageOrder order{"agent a", "agent", "a.created_at", "a.id"};
    co_return ids_of(co_await read_page(database_, std::move(select), std::move(page), order, organization_id));
}

awaitable<std::vector<Folder>> FolderRepository::page_of_agent(std::string organization_id, std::string agent_id,
                                                               Page page) const {
    Select select = select_of(organization_id, agent_id);
    co_return from_rows(co_await read_page(database_, std::move(select), std::move(page), by_created, organization_id));
}

awaitable<std::vector<Folder>> FolderRepository::of_agent(std::string agent_id) const {
    co_return from_rows(co_await database_.query(select_of_agent, std::move(agent_id)));
}

void FolderRepository::attach(Transaction& transaction, const std::string& agent_id,
                              const std::string& folder_id) const {
    transaction.add(insert_link, agent_id, folder_id, next_position());
}

void FolderRepository::detach(Transaction& transaction, const std::string& agent_id,
                              const std::string& folder_id) const {
    transaction.add(delete_files_of_link, agent_id, folder_id);
    transaction.add(delete_link, agent_id, folder_id);
    transaction.add(delete_tools_of_agent, agent_id);
}

const Statement& FolderRepository::of_agent_statement() { return select_of_agent; }

std::vector<Folder> FolderRepository::from_rows(Rows rows) {
    std::vector<Folder> folders;
    folders.reserve(rows.size());
    for (Row& row : rows) folders.push_back(to_folder(row));
    return folders;
}

std::vector<Statement> FolderRepository::statements() {
    Select everything = select_of("o", "a");
    everything.where("d.name = ?", "n");
    return {select_by_id,
            select_by_name,
            select_count,
            insert_row,
            update_row,
            delete_row,
            keep_files,
            select_agents,
            select_of_agent,
            insert_link,
            delete_link,
            delete_files_of_link,
            delete_tools_of_agent,
            delete_tools_of_folder,
            everything.query().statement,
            select_agents_of("o", "f").query().statement,
            select_stats("o", "f").query().statement};
}

}  // namespace stele::storage
