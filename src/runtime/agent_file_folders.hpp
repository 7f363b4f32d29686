#pragma once

#include "domain/agent_file.hpp"
#include "runtime/folder_links.hpp"

namespace stele::runtime {

// Folders and files on their way to an agent file and from one.

FileFolder file_folder(const Folder& folder);
FileDocument file_document(const FileMetadata& file);  ///< without its content
FileAttachment file_attachment(const AttachedFile& file, const std::string& agent_id);

/// The folder that `from` describes, with a new id.
Folder folder_of(const FileFolder& from, const std::string& organization_id, const std::string& actor);

/// The file that `from` describes, with a new id, in `folder`; work is left to be done on it. One without content is in
/// error.
FileMetadata file_of(const FileDocument& from, const Folder& folder, const std::string& actor);

}  // namespace stele::runtime
