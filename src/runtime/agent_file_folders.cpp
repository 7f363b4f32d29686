#include "runtime/agent_file_folders.hpp"

#include "base/ids.hpp"
#include "domain/file_name.hpp"

namespace stele::runtime {

FileFolder file_folder(const Folder& folder) {
    FileFolder into;
    into.name = folder.name;
    into.description = folder.description;
    into.instructions = folder.instructions;
    into.metadata = folder.metadata;
    into.embedding_config = folder.embedding_config;
    if (folder.embedding_config) {
        into.embedding = folder.embedding_config->handle;
        into.embedding_chunk_size = folder.embedding_config->embedding_chunk_size;
    }
    into.id = folder.id;
    return into;
}

FileDocument file_document(const FileMetadata& file) {
    FileDocument into;
    into.source_id = file.source_id;
    into.file_name = file.full_name();
    into.original_file_name = file.original_file_name;
    into.file_path = file.file_path;
    into.file_type = file.file_type;
    into.file_size = file.file_size;
    into.file_creation_date = file.file_creation_date;
    into.file_last_modified_date = file.file_last_modified_date;
    into.processing_status = std::string(to_string(file.processing_status));
    into.error_message = file.error_message;
    into.total_chunks = file.total_chunks;
    into.chunks_embedded = file.chunks_embedded;
    into.id = file.id;
    return into;
}

FileAttachment file_attachment(const AttachedFile& file, const std::string& agent_id) {
    FileAttachment into;
    into.agent_id = agent_id;
    into.file_id = file.file_id;
    into.source_id = file.folder_id;
    into.file_name = file.file_name;
    into.is_open = file.is_open;
    into.visible_content = file.visible_content;
    into.last_accessed_at = file.last_accessed_at;
    into.start_line = file.start_line;
    into.end_line = file.end_line;
    into.id = file.id;
    return into;
}

Folder folder_of(const FileFolder& from, const std::string& organization_id, const std::string& actor) {
    // By the rules of a request for one.
    SourceCreate request;
    request.name = from.name;
    Problems problems("sources");
    check(request, problems);
    problems.throw_if_any();
    Folder folder;
    folder.id = new_id("source");
    folder.organization_id = organization_id;
    folder.name = from.name;
    folder.description = from.description;
    folder.instructions = from.instructions;
    folder.metadata = from.metadata;
    folder.embedding_config = from.embedding_config;
    folder.created_by_id = folder.last_updated_by_id = actor;
    folder.created_at = folder.updated_at = now();
    return folder;
}

FileMetadata file_of(const FileDocument& from, const Folder& folder, const std::string& actor) {
    FileMetadata file;
    file.id = new_id("file");
    file.organization_id = folder.organization_id;
    file.source_id = folder.id;
    file.folder_name = folder.name;
    std::string name = clean_file_name(from.file_name.value_or(from.original_file_name.value_or("")));
    if (name.empty()) name = "file.txt";
    file.original_file_name = from.original_file_name.value_or(name);
    file.file_path = from.file_path;
    const auto type = file_type_of(from.file_type.value_or(""), name);
    if (type) file.kind = type->kind;
    file.file_type = from.file_type;
    file.file_name = std::move(name);
    file.file_size = from.file_size;
    file.file_creation_date = from.file_creation_date;
    file.file_last_modified_date = from.file_last_modified_date;
    const bool is_image = !from.image_type.empty();
    if (is_image) file.file_type = from.image_type;
    file.has_text = from.content.has_value() && !is_image;
    file.processing_status = is_image ? FileStatus::completed : file.has_text ? FileStatus::parsing : FileStatus::error;
    if (file.processing_status == FileStatus::error)
        file.error_message = from.error_message.value_or("The agent file holds no content of it");
    file.created_by_id = actor;
    file.created_at = file.updated_at = now();
    return file;
}

}  // namespace stele::runtime
