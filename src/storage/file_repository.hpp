#pragma once

#include "domain/file.hpp"
#include "storage/page.hpp"

namespace stele::storage {

/// Files of folders, with their texts. A row that is not in a final state is work to be done: the table is its queue.
class FileRepository {
public:
    explicit FileRepository(Database& database) : database_(database) {}

    boost::asio::awaitable<std::optional<FileMetadata>> find(std::string organization_id, std::string id) const;

    /// Nothing as well for a file of another folder.
    boost::asio::awaitable<std::optional<FileMetadata>> find_in(std::string organization_id, std::string folder_id,
                                                                std::string id) const;
    boost::asio::awaitable<std::optional<FileMetadata>> find_by_name(std::string folder_id, std::string name) const;
    boost::asio::awaitable<std::vector<FileMetadata>> list(std::string organization_id, std::string folder_id,
                                                           Page page) const;
    boost::asio::awaitable<std::vector<FileMetadata>> all_of_folder(std::string folder_id) const;  ///< oldest first

    /// How many files of the folder were uploaded under this name.
    boost::asio::awaitable<std::int64_t> count_by_original_name(std::string folder_id, std::string name) const;

    boost::asio::awaitable<std::optional<std::string>> text(std::string file_id) const;
    boost::asio::awaitable<std::optional<std::string>> bytes(std::string file_id) const;

    /// Without its text. The commit throws Error{conflict, name_taken_type} if another file of the folder has its name.
    void insert(Transaction& transaction, const FileMetadata& file) const;
    void set_text(Transaction& transaction, const std::string& file_id, const std::string& text) const;
    void set_bytes(Transaction& transaction, const std::string& file_id, std::string bytes) const;

    /// Those whose chunks are not stored yet: oldest first.
    boost::asio::awaitable<std::vector<FileMetadata>> unfinished(std::int64_t most) const;

    /// A file whose chunks wait for vectors, with how far that has come.
    struct Progress {
        std::string file_id;
        std::int64_t noted = 0;    ///< chunks with a vector, as its row says
        std::int64_t chunks = 0;   ///< stored
        std::int64_t done = 0;     ///< with a vector
        std::int64_t waiting = 0;  ///< of the others: those that are still to be tried
    };
    boost::asio::awaitable<std::vector<Progress>> embedding(std::int64_t most) const;

    /// Nothing of these changes a file that is in a final state; the commit throws Error{conflict} then, and for a file
    /// that is gone. `begin` sets the clock of its patience to now, and wants one whose chunks are not all stored.
    void begin(Transaction& transaction, const std::string& file_id) const;
    void take_text(Transaction& transaction, const std::string& file_id, const std::string& text) const;
    void begin_embedding(Transaction& transaction, const std::string& file_id, std::int64_t total_chunks) const;
    void note_embedded(Transaction& transaction, const std::string& file_id, std::int64_t chunks) const;
    void complete(Transaction& transaction, const std::string& file_id, std::int64_t chunks) const;

    /// The work on all that is unfinished begins anew: the server has started.
    void take_up_all(Transaction& transaction) const;

    /// No effect on a file in a final state.
    void fail(Transaction& transaction, const std::string& file_id, const std::string& why) const;

    /// Gives up all that were begun before `deadline` and are not done. `organization_id`: of whoever looks.
    void give_up(Transaction& transaction, const std::string& organization_id, Timestamp deadline,
                 const std::string& why) const;

    void remove(Transaction& transaction, const FileMetadata& file) const;

    static std::vector<Statement> statements();

private:
    Database& database_;
};

inline constexpr char name_taken_type[] = "name_taken";

}  // namespace stele::storage
