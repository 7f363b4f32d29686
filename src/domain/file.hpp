#pragma once

#include "base/time.hpp"
#include "domain/file_type.hpp"
#include "domain/json.hpp"

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

namespace stele {

/// How far the work on a file has come. The last two are final.
BOOST_DEFINE_ENUM_CLASS(FileStatus, pending, parsing, embedding, completed, error)

std::string_view to_string(FileStatus status);
FileStatus parse_file_status(std::string_view word);  ///< of our own words

/// A file of a folder, as the API shows it: `file_name` without the folder's name, by which agents know it.
struct FileMetadata {
    std::string source_id;
    std::optional<std::string> file_name;
    std::optional<std::string> original_file_name;
    std::optional<std::string> file_path;
    std::optional<std::string> file_type;
    std::optional<std::int64_t> file_size;  ///< bytes, as uploaded
    std::optional<std::string> file_creation_date;
    std::optional<std::string> file_last_modified_date;
    FileStatus processing_status = FileStatus::pending;
    std::optional<std::string> error_message;
    std::optional<std::int64_t> total_chunks;
    std::optional<std::int64_t> chunks_embedded;
    std::optional<std::string> content;  ///< only where it was asked for
    std::string id;                      ///< "file-<uuid>"
    std::string organization_id;
    Timestamp created_at{};
    Timestamp updated_at{};

    // Not described.
    std::string folder_name;
    FileKind kind = FileKind::lines;
    bool has_text = false;  ///< its text has been extracted
    std::optional<std::string> created_by_id;
    std::optional<Timestamp> begun_at;  ///< when the work on it was last taken up

    /// As agents know it: "folder/file".
    std::string full_name() const { return folder_name + "/" + file_name.value_or(""); }
};
BOOST_DESCRIBE_STRUCT(FileMetadata, (),
                      (source_id, file_name, original_file_name, file_path, file_type, file_size, file_creation_date,
                       file_last_modified_date, processing_status, error_message, total_chunks, chunks_embedded,
                       content, id, organization_id, created_at, updated_at))

/// True for the states that nothing follows.
inline bool is_final(FileStatus status) { return status == FileStatus::completed || status == FileStatus::error; }

/// A file as one agent has it: open files stand in its prompt.
struct AttachedFile {
    std::string id;  ///< "file_agent-<uuid>"
    std::string file_id;
    std::string file_name;  ///< "folder/file"
    std::string folder_id;
    std::string folder_name;
    bool is_open = false;
    std::optional<Timestamp> last_accessed_at;
    std::optional<std::string> visible_content;  ///< of an open one, cut to what the agent may see
    std::optional<std::int64_t> start_line;      ///< of a part: its first unit and its last, from 1
    std::optional<std::int64_t> end_line;
};
BOOST_DESCRIBE_STRUCT(AttachedFile, (),
                      (id, file_id, file_name, folder_id, folder_name, is_open, last_accessed_at, visible_content,
                       start_line, end_line))

/// Answer of GET /v1/agents/{agent_id}/files.
struct PaginatedAgentFiles {
    std::vector<AttachedFile> files;
    std::optional<std::string> next_cursor;
    bool has_more = false;
};
BOOST_DESCRIBE_STRUCT(PaginatedAgentFiles, (), (files, next_cursor, has_more))

}  // namespace stele
