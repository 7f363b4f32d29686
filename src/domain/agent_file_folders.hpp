#pragma once

#include "domain/json.hpp"
#include "domain/model_config.hpp"

#include <array>

/// Folders and files within an agent file. Ids are those of the agent file.
namespace stele {

struct FileFolder {
    std::string name;
    std::optional<std::string> description;
    std::optional<std::string> instructions;
    Json metadata;
    std::optional<std::string> embedding;
    std::optional<std::int64_t> embedding_chunk_size;
    std::optional<EmbeddingConfig> embedding_config;
    std::string id;  ///< "source-0"
};
BOOST_DESCRIBE_STRUCT(FileFolder, (),
                      (name, description, instructions, metadata, embedding, embedding_chunk_size, embedding_config,
                       id))
constexpr std::array<std::string_view, 1> required_members(const FileFolder*) { return {"name"}; }

struct FileDocument {
    std::string source_id;
    std::optional<std::string> file_name;
    std::optional<std::string> original_file_name;
    std::optional<std::string> file_path;
    std::optional<std::string> file_type;
    std::optional<std::int64_t> file_size;
    std::optional<std::string> file_creation_date;
    std::optional<std::string> file_last_modified_date;
    std::optional<std::string> processing_status;
    std::optional<std::string> error_message;
    std::optional<std::int64_t> total_chunks;
    std::optional<std::int64_t> chunks_embedded;
    std::optional<std::string> content;  ///< its whole text; of an image a data URL (image.hpp), once read its bytes
    std::string id;                      ///< "file-0"

    std::string image_type;  ///< not in the file: the media type of the image that `content` was, or empty
};
BOOST_DESCRIBE_STRUCT(FileDocument, (),
                      (source_id, file_name, original_file_name, file_path, file_type, file_size, file_creation_date,
                       file_last_modified_date, processing_status, error_message, total_chunks, chunks_embedded,
                       content, id))

/// A file as an agent has it.
struct FileAttachment {
    std::string agent_id;
    std::string file_id;
    std::string source_id;
    std::string file_name;  ///< "folder/file"
    bool is_open = true;
    std::optional<std::string> visible_content;
    std::optional<Timestamp> last_accessed_at;
    std::optional<std::int64_t> start_line;
    std::optional<std::int64_t> end_line;
    std::string id;  ///< the real one
};
BOOST_DESCRIBE_STRUCT(FileAttachment, (),
                      (agent_id, file_id, source_id, file_name, is_open, visible_content, last_accessed_at, start_line,
                       end_line, id))

}  // namespace stele
