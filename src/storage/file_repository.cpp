#include "storage/file_repository.hpp"

namespace stele::storage {
namespace {

using boost::asio::awaitable;

// The columns of `to_file`.
#define STELE_FILE_COLUMNS                                                                                  \
    "f.id, f.organization_id, f.folder_id, f.name, f.original_name, f.path, f.type, f.kind, f.size,"        \
    " f.creation_date, f.last_modified_date, f.status, f.error_message, f.total_chunks, f.chunks_embedded," \
    " f.has_text, f.begun_at, f.created_by_id, f.created_at, f.updated_at, d.name"
#define STELE_FILES " FROM file f JOIN folder d ON d.id = f.folder_id"
#define STELE_UNFINISHED "status IN ('pending', 'parsing', 'embedding')"

constexpr Statement select_by_id{
    "file.by_id", "SELECT " STELE_FILE_COLUMNS STELE_FILES " WHERE f.organization_id = $1 AND f.id = $2"};
constexpr Statement select_in_folder{"file.in_folder",
                                     "SELECT " STELE_FILE_COLUMNS STELE_FILES
                                     " WHERE f.organization_id = $1 AND f.id = $2 AND f.folder_id = $3"};
constexpr Statement select_by_name{"file.by_name",
                                   "SELECT " STELE_FILE_COLUMNS STELE_FILES " WHERE f.folder_id = $1 AND f.name = $2"};
constexpr Statement select_of_folder{
    "file.of_folder", "SELECT " STELE_FILE_COLUMNS STELE_FILES " WHERE f.folder_id = $1 ORDER BY f.created_at, f.id"};
constexpr Statement select_count{"file.count_by_original_name",
                                 "SELECT COUNT(*) FROM file WHERE folder_id = $1 AND original_name = $2"};
constexpr Statement select_text{"file.text", "SELECT content FROM file_text WHERE file_id = $1"};
constexpr Statement select_bytes{"file.bytes", "SELECT content FROM file_bytes WHERE file_id = $1"};
constexpr Statement select_unfinished{"file.unfinished", "SELECT " STELE_FILE_COLUMNS STELE_FILES
                                                         " WHERE f.status IN ('pending', 'parsing')"
                                                         " ORDER BY f.created_at, f.id LIMIT $1"};
constexpr Statement select_embedding{
    "file.embedding",
    "SELECT f.id, COALESCE(f.chunks_embedded, 0), (SELECT COUNT(*) FROM passage p WHERE p.file_id = f.id),"
    " (SELECT COUNT(*) FROM passage p WHERE p.file_id = f.id AND p.embedding_state = 'done'),"
    " (SELECT COUNT(*) FROM passage p WHERE p.file_id = f.id AND p.embedding_due IS NOT NULL)"
    " FROM file f WHERE f.status = 'embedding' ORDER BY f.created_at, f.id LIMIT $1"};
constexpr Statement insert_row{
    "file.insert",
    "INSERT INTO file (id, organization_id, folder_id, name, original_name, path, type, kind, size, creation_date,"
    " last_modified_date, status, error_message, total_chunks, chunks_embedded, has_text, begun_at, created_by_id,"
    " created_at, updated_at)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)"};
constexpr Statement insert_text{"file.set_text",
                                "INSERT INTO file_text (file_id, content) VALUES ($1, $2)"
                                " ON CONFLICT (file_id) DO UPDATE SET content = excluded.content"};
constexpr Statement insert_bytes{"file.set_bytes", "INSERT INTO file_bytes (file_id, content) VALUES ($1, $2)"};
constexpr Statement delete_bytes{"file.drop_bytes", "DELETE FROM file_bytes WHERE file_id = $1"};
// Not once its chunks are stored: whoever read the row before that would make them again.
constexpr Statement update_begun{
    "file.begin", "UPDATE file SET begun_at = $2, updated_at = $2 WHERE id = $1 AND status IN ('pending', 'parsing')"};
constexpr Statement update_taken_up{"file.take_up",
                                    "UPDATE file SET begun_at = $1 WHERE begun_at IS NOT NULL AND " STELE_UNFINISHED};
constexpr Statement update_has_text{
    "file.has_text", "UPDATE file SET has_text = 1, updated_at = $2 WHERE id = $1 AND " STELE_UNFINISHED};
constexpr Statement update_embedding{
    "file.begin_embedding",
    "UPDATE file SET status = 'embedding', total_chunks = $2, chunks_embedded = 0, updated_at = $3 WHERE id = $1"
    " AND status IN ('pending', 'parsing')"};
constexpr Statement update_embedded{
    "file.note_embedded",
    "UPDATE file SET chunks_embedded = $2, updated_at = $3, begun_at = $3 WHERE id = $1 AND status = 'embedding'"};
constexpr Statement update_completed{
    "file.complete",
    "UPDATE file SET status = 'completed', chunks_embedded = $2, updated_at = $3 WHERE id = $1 AND " STELE_UNFINISHED};
constexpr Statement update_failed{
    "file.fail",
    "UPDATE file SET status = 'error', error_message = $2, updated_at = $3 WHERE id = $1 AND " STELE_UNFINISHED};
constexpr Statement drop_bytes_of_given_up{
    "file.drop_bytes_of_given_up",
    "DELETE FROM file_bytes WHERE file_id IN (SELECT f.id FROM file f WHERE f.organization_id = $1"
    " AND f.begun_at < $2 AND f." STELE_UNFINISHED ")"};
constexpr Statement update_given_up{"file.give_up",
                                    "UPDATE file SET status = 'error', error_message = $3, updated_at = $4"
                                    " WHERE organization_id = $1 AND begun_at < $2 AND " STELE_UNFINISHED};
constexpr Statement delete_row{"file.delete", "DELETE FROM file WHERE organization_id = $1 AND id = $2"};

constexpr PageOrder by_created{"file f", "file", "f.created_at", "f.id"};

FileMetadata to_file(Row& row) {
    FileMetadata file;
    file.id = row.take_text(0);
    file.organization_id = row.take_text(1);
    file.source_id = row.take_text(2);
    file.file_name = row.take_text(3);
    file.original_file_name = row.optional_text(4);
    file.file_path = row.optional_text(5);
    file.file_type = row.optional_text(6);
    file.kind = static_cast<FileKind>(row.integer(7));
    file.file_size = row.optional_integer(8);
    file.file_creation_date = row.optional_text(9);
    file.file_last_modified_date = row.optional_text(10);
    file.processing_status = parse_file_status(row.text(11));
    file.error_message = row.optional_text(12);
    file.total_chunks = row.optional_integer(13);
    file.chunks_embedded = row.optional_integer(14);
    file.has_text = row.flag(15);
    if (!row.is_null(16)) file.begun_at = from_micros(row.integer(16));
    file.created_by_id = row.optional_text(17);
    file.created_at = from_micros(row.integer(18));
    file.updated_at = from_micros(row.integer(19));
    file.folder_name = row.take_text(20);
    return file;
}

std::vector<FileMetadata> to_files(Rows rows) {
    std::vector<FileMetadata> files;
    files.reserve(rows.size());
    for (Row& row : rows) files.push_back(to_file(row));
    return files;
}

std::optional<FileMetadata> first_of(Rows rows) {
    if (rows.empty()) return std::nullopt;
    return to_file(rows.front());
}

Select select_files(const std::string& organization_id) {
    return Select("SELECT " STELE_FILE_COLUMNS STELE_FILES " WHERE f.organization_id = ?", to_value(organization_id));
}

Select select_list(const std::string& organization_id, const std::string& folder_id) {
    Select select = select_files(organization_id);
    select.where("f.folder_id = ?", folder_id);
    return select;
}

std::optional<std::string> first_text(Rows rows) {
    if (rows.empty()) return std::nullopt;
    return rows.front().take_text(0);
}

}  // namespace

awaitable<std::optional<FileMetadata>> FileRepository::find(std::string organization_id, std::string id) const {
    co_return first_of(co_await database_.query(select_by_id, std::move(organization_id), std::move(id)));
}

awaitable<std::optional<FileMetadata>> FileRepository::find_in(std::string organization_id, std::string folder_id,
                                                               std::string id) const {
    co_return first_of(
        co_await database_.query(select_in_folder, std::move(organization_id), std::move(id), std::move(folder_id)));
}

awaitable<std::optional<FileMetadata>> FileRepository::find_by_name(std::string folder_id, std::string name) const {
    co_return first_of(co_await database_.query(select_by_name, std::move(folder_id), std::move(name)));
}

awaitable<std::vector<FileMetadata>> FileRepository::list(std::string organization_id, std::string folder_id,
                                                          Page page) const {
    Select select = select_list(organization_id, folder_id);
    co_return to_files(co_await read_page(database_, std::move(select), std::move(page), by_created, organization_id));
}

awaitable<std::vector<FileMetadata>> FileRepository::all_of_folder(std::string folder_id) const {
    co_return to_files(co_await database_.query(select_of_folder, std::move(folder_id)));
}

awaitable<std::int64_t> FileRepository::count_by_original_name(std::string folder_id, std::string name) const {
    const Rows rows = co_await database_.query(select_count, std::move(folder_id), std::move(name));
    co_return rows.front().integer(0);
}

awaitable<std::optional<std::string>> FileRepository::text(std::string file_id) const {
    co_return first_text(co_await database_.query(select_text, std::move(file_id)));
}

awaitable<std::optional<std::string>> FileRepository::bytes(std::string file_id) const {
    const Rows rows = co_await database_.query(select_bytes, std::move(file_id));
    if (rows.empty()) co_return std::nullopt;
    co_return rows.front().blob(0);
}

void FileRepository::insert(Transaction& transaction, const FileMetadata& file) const {
    Error taken(ErrorCode::conflict, "A file named '" + file.file_name.value_or("") + "' is in the folder already");
    taken.type = name_taken_type;
    transaction
        .add(insert_row, file.id, file.organization_id, file.source_id, file.file_name, file.original_file_name,
             file.file_path, file.file_type, static_cast<std::int64_t>(file.kind), file.file_size,
             file.file_creation_date, file.file_last_modified_date, to_string(file.processing_status),
             file.error_message, file.total_chunks, file.chunks_embedded, static_cast<std::int64_t>(file.has_text),
             file.begun_at ? std::optional(to_micros(*file.begun_at)) : std::nullopt, file.created_by_id,
             to_micros(file.created_at), to_micros(file.updated_at))
        .expect_free(std::move(taken));
}

void FileRepository::set_text(Transaction& transaction, const std::string& file_id, const std::string& text) const {
    transaction.add(insert_text, file_id, text);
}

void FileRepository::set_bytes(Transaction& transaction, const std::string& file_id, std::string bytes) const {
    Blob blob;
    blob.bytes = std::move(bytes);
    transaction.add(insert_bytes, file_id, std::move(blob));
}

awaitable<std::vector<FileMetadata>> FileRepository::unfinished(std::int64_t most) const {
    co_return to_files(co_await database_.query(select_unfinished, most));
}

awaitable<std::vector<FileRepository::Progress>> FileRepository::embedding(std::int64_t most) const {
    Rows rows = co_await database_.query(select_embedding, most);
    std::vector<Progress> all;
    for (Row& row : rows) {
        Progress progress;
        progress.file_id = row.take_text(0);
        progress.noted = row.integer(1);
        progress.chunks = row.integer(2);
        progress.done = row.integer(3);
        progress.waiting = row.integer(4);
        all.push_back(std::move(progress));
    }
    co_return all;
}

void FileRepository::begin(Transaction& transaction, const std::string& file_id) const {
    transaction.add(update_begun, file_id, to_micros(now())).expect_row(changed_meanwhile("File", file_id));
}

void FileRepository::take_up_all(Transaction& transaction) const { transaction.add(update_taken_up, to_micros(now())); }

void FileRepository::take_text(Transaction& transaction, const std::string& file_id, const std::string& text) const {
    transaction.add(update_has_text, file_id, to_micros(now())).expect_row(changed_meanwhile("File", file_id));
    transaction.add(insert_text, file_id, text);
    transaction.add(delete_bytes, file_id);
}

void FileRepository::begin_embedding(Transaction& transaction, const std::string& file_id,
                                     std::int64_t total_chunks) const {
    transaction.add(update_embedding, file_id, total_chunks, to_micros(now()))
        .expect_row(changed_meanwhile("File", file_id));
}

void FileRepository::note_embedded(Transaction& transaction, const std::string& file_id, std::int64_t chunks) const {
    transaction.add(update_embedded, file_id, chunks, to_micros(now())).expect_row(changed_meanwhile("File", file_id));
}

void FileRepository::complete(Transaction& transaction, const std::string& file_id, std::int64_t chunks) const {
    transaction.add(update_completed, file_id, chunks, to_micros(now())).expect_row(changed_meanwhile("File", file_id));
}

void FileRepository::fail(Transaction& transaction, const std::string& file_id, const std::string& why) const {
    transaction.add(update_failed, file_id, why, to_micros(now()));
    transaction.add(delete_bytes, file_id);
}

void FileRepository::give_up(Transaction& transaction, const std::string& organization_id, Timestamp deadline,
                             const std::string& why) const {
    transaction.add(drop_bytes_of_given_up, organization_id, to_micros(deadline));
    transaction.add(update_given_up, organization_id, to_micros(deadline), why, to_micros(now()));
}

void FileRepository::remove(Transaction& transaction, const FileMetadata& file) const {
    add_tombstone(transaction, file.organization_id, file.id,
                  {to_micros(file.created_at), to_micros(file.updated_at), std::nullopt});
    transaction.add(delete_row, file.organization_id, file.id).expect_row(not_found("File", file.id));
}

std::vector<Statement> FileRepository::statements() {
    return {select_by_id,           select_in_folder, select_by_name,   select_of_folder,
            select_count,           select_text,      select_bytes,     select_unfinished,
            select_embedding,       insert_row,       insert_text,      insert_bytes,
            delete_bytes,           update_begun,     update_taken_up,  update_has_text,
            update_embedding,       update_embedded,  update_completed, update_failed,
            drop_bytes_of_given_up, update_given_up,  delete_row,       select_list("o", "f").query().statement};
}

}  // namespace stele::storage
