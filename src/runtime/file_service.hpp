#pragma once

#include "runtime/file_ingest.hpp"
#include "runtime/folder_service.hpp"

namespace stele::runtime {

/// What becomes of a file whose name is in the folder already.
enum class DuplicateHandling : std::uint8_t {
    suffix,   ///< it gets a number behind its name
    skip,     ///< the old one stays
    error,    ///< it is refused
    replace,  ///< the old one goes
};

struct FileUpload {
    std::string folder_id;
    std::optional<std::string> name;  ///< in place of the one that was sent
    std::string sent_name, content_type, bytes;
    DuplicateHandling duplicates = DuplicateHandling::suffix;
};

/// Files of folders. Thread-safe; what it refers to outlives it.
class FileService {
public:
    struct Parts {
        storage::Database& database;
        const storage::FolderRepository& folders;
        const storage::FileRepository& files;
        const FolderService& folder_service;
        FileIngest& ingest;
        WorkerThreads& workers;
        std::size_t bytes_max = 50u << 20;
        std::chrono::seconds patience = std::chrono::minutes(30);  ///< for the work on one file
    };

    explicit FileService(Parts parts) : parts_(parts) {}

    struct Uploaded {
        FileMetadata file;
        bool skipped = false;
    };

    /// Stores what was sent and has it worked on in the background; an image is kept as it is, for messages that name
    /// it. Throws Error{unsupported_media} for a type that folders don't take, Error{invalid_argument} for what is too
    /// large, has no name, or is there already.
    boost::asio::awaitable<Uploaded> upload(std::string organization_id, std::string actor, FileUpload upload) const;

    /// The bytes of an image (docs/adr/0017). Throws Error{not_found} if the organisation has no such file, and
    /// Error{invalid_argument} for one that is no image.
    boost::asio::awaitable<std::string> image(std::string organization_id, std::string file_id) const;

    /// `text`: with what it says.
    boost::asio::awaitable<FileMetadata> get(std::string organization_id, std::string folder_id, std::string file_id,
                                             bool text) const;
    boost::asio::awaitable<std::vector<FileMetadata>> list(std::string organization_id, std::string folder_id,
                                                           storage::Page page, bool text) const;
    boost::asio::awaitable<void> remove(std::string organization_id, std::string folder_id, std::string file_id) const;

    boost::asio::awaitable<OrganizationSourcesStats> stats(std::string organization_id,
                                                           std::optional<std::string> folder_id, bool detailed) const;

private:
    boost::asio::awaitable<FileMetadata> store(FileMetadata file, std::string base_name, std::size_t number,
                                               std::string content, std::optional<FileMetadata> replaced,
                                               bool numbered) const;
    boost::asio::awaitable<bool> give_up_late_ones(std::string organization_id,
                                                   const std::vector<FileMetadata>& files) const;

    Parts parts_;
};

}  // namespace stele::runtime
