#include "storage/attached_file_repository.hpp"

namespace stele::storage {
namespace {

using boost::asio::awaitable;

// The columns of `to_attached`.
#define STELE_ATTACHED_COLUMNS                                                                      \
    "v.id, v.file_id, d.name || '/' || f.name, f.folder_id, d.name, v.is_open, v.last_accessed_at," \
    " v.visible_content, v.start_line, v.end_line"
#define STELE_ATTACHED                                   \
    " FROM file_agent v JOIN file f ON f.id = v.file_id" \
    " JOIN folder d ON d.id = f.folder_id"

constexpr Statement select_of_agent{"file_agent.of_agent", "SELECT " STELE_ATTACHED_COLUMNS STELE_ATTACHED
                                                           " WHERE v.agent_id = $1 ORDER BY d.name, f.name, v.id"};
constexpr Statement select_agents_without{
    "file_agent.agents_without",
    "SELECT l.agent_id FROM file f JOIN agent_folder l ON l.folder_id = f.folder_id WHERE f.id = $1"
    " AND NOT EXISTS (SELECT 1 FROM file_agent v WHERE v.agent_id = l.agent_id AND v.file_id = f.id)"
    " ORDER BY l.agent_id"};
constexpr Statement select_files_without{
    "file_agent.files_without",
    "SELECT f.id FROM agent_folder l JOIN file f ON f.folder_id = l.folder_id WHERE l.agent_id = $1 AND f.has_text = 1"
    " AND NOT EXISTS (SELECT 1 FROM file_agent v WHERE v.agent_id = l.agent_id AND v.file_id = f.id) ORDER BY f.id"};
constexpr Statement insert_row{
    "file_agent.insert",
    "INSERT INTO file_agent (id, agent_id, file_id, is_open, visible_content, start_line, end_line, last_accessed_at,"
    " created_at) SELECT CAST($1 AS TEXT), l.agent_id, f.id, CAST($4 AS BIGINT), CAST($5 AS TEXT), CAST($6 AS BIGINT),"
    " CAST($7 AS BIGINT), CAST($8 AS BIGINT), CAST($9 AS BIGINT)"
    " FROM file f JOIN agent_folder l ON l.folder_id = f.folder_id WHERE l.agent_id = $2 AND f.id = $3"
    " ON CONFLICT (agent_id, file_id) DO NOTHING"};
constexpr Statement update_row{
    "file_agent.update",
    "UPDATE file_agent SET is_open = $2, visible_content = $3, start_line = $4, end_line = $5, last_accessed_at = $6"
    " WHERE id = $1"};
constexpr Statement update_touched{"file_agent.touch", "UPDATE file_agent SET last_accessed_at = $2 WHERE id = $1"};

// A row belongs to the organisation of its agent, and its file's id is as good a cursor as its own.
constexpr PageOrder by_created{
    "(SELECT c.id AS id, c.created_at AS created_at, a.organization_id AS organization_id FROM file_agent c"
    " JOIN agent a ON a.id = c.agent_id) v",
    "file_agent", "v.created_at", "v.id"};

AttachedFile to_attached(Row& row) {
    AttachedFile file;
    file.id = row.take_text(0);
    file.file_id = row.take_text(1);
    file.file_name = row.take_text(2);
    file.folder_id = row.take_text(3);
    file.folder_name = row.take_text(4);
    file.is_open = row.flag(5);
    if (!row.is_null(6)) file.last_accessed_at = from_micros(row.integer(6));
    file.visible_content = row.optional_text(7);
    file.start_line = row.optional_integer(8);
    file.end_line = row.optional_integer(9);
    return file;
}

Select select_page(const std::string& agent_id, std::optional<bool> is_open) {
    Select select("SELECT " STELE_ATTACHED_COLUMNS STELE_ATTACHED " WHERE v.agent_id = ?", to_value(agent_id));
    if (is_open) select.where("v.is_open = ?", static_cast<std::int64_t>(*is_open));
    return select;
}

std::vector<std::string> ids_of(Rows rows) {
    std::vector<std::string> ids;
    for (Row& row : rows) ids.push_back(row.take_text(0));
    return ids;
}

std::optional<std::int64_t> micros(const std::optional<Timestamp>& time) {
    return time ? std::optional(to_micros(*time)) : std::nullopt;
}

}  // namespace

awaitable<std::vector<AttachedFile>> AttachedFileRepository::of_agent(std::string agent_id) const {
    co_return from_rows(co_await database_.query(select_of_agent, std::move(agent_id)));
}

awaitable<std::vector<AttachedFile>> AttachedFileRepository::page(std::string organization_id, std::string agent_id,
                                                                  std::optional<bool> is_open, Page page) const {
    Select select = select_page(agent_id, is_open);
    co_return from_rows(co_await read_page(database_, std::move(select), std::move(page), by_created, organization_id));
}

awaitable<std::vector<std::string>> AttachedFileRepository::agents_without(std::string file_id) const {
    co_return ids_of(co_await database_.query(select_agents_without, std::move(file_id)));
}

awaitable<std::vector<std::string>> AttachedFileRepository::files_without(std::string agent_id) const {
    co_return ids_of(co_await database_.query(select_files_without, std::move(agent_id)));
}

void AttachedFileRepository::insert(Transaction& transaction, const std::string& agent_id,
                                    const AttachedFile& file) const {
    transaction.add(insert_row, file.id, agent_id, file.file_id, static_cast<std::int64_t>(file.is_open),
                    file.visible_content, file.start_line, file.end_line, micros(file.last_accessed_at),
                    to_micros(now()));
}

void AttachedFileRepository::update(Transaction& transaction, const AttachedFile& file) const {
    transaction.add(update_row, file.id, static_cast<std::int64_t>(file.is_open), file.visible_content, file.start_line,
                    file.end_line, micros(file.last_accessed_at));
}

void AttachedFileRepository::touch(Transaction& transaction, const std::vector<std::string>& ids) const {
    for (const std::string& id : ids) transaction.add(update_touched, id, to_micros(now()));
}

const Statement& AttachedFileRepository::of_agent_statement() { return select_of_agent; }

std::vector<AttachedFile> AttachedFileRepository::from_rows(Rows rows) {
    std::vector<AttachedFile> files;
    files.reserve(rows.size());
    for (Row& row : rows) files.push_back(to_attached(row));
    return files;
}

std::vector<Statement> AttachedFileRepository::statements() {
    return {select_of_agent,
            select_agents_without,
            select_files_without,
            insert_row,
            update_row,
            update_touched,

            select_page("a", true).query().statement};
}

}  // namespace stele::storage
