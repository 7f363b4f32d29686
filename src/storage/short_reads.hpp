#pragma once

#include "storage/sqlite_connection.hpp"

#include <mutex>

namespace stele::storage {

/// Reads that the asking thread does itself: most are a few rows by their key, for which two changes of thread cost
/// more than the read. What turns out to be more is given up after a fraction of a millisecond. Thread-safe.
class ShortReads {
public:
    ShortReads(std::filesystem::path file, SqliteConnection::Options options);

    /// The rows of each read of `batch`, in order, from one snapshot; or nothing: then `batch` is as it was, and
    /// belongs on a thread that may wait. Full-text searches do, as they hide their work from the engine's count.
    /// Never throws what the engine says: whoever does the read then hears it again.
    std::optional<std::vector<Rows>> try_read(const std::vector<Query>& batch);

private:
    std::unique_ptr<SqliteConnection> take();
    void put_back(std::unique_ptr<SqliteConnection> connection);

    const std::filesystem::path file_;
    const SqliteConnection::Options options_;
    std::mutex mutex_;
    std::vector<std::unique_ptr<SqliteConnection>> idle_;  ///< as many as threads have read at once
};

/// The rows of each read of `batch`, in order, from one snapshot. Throws SqliteFailure, with no transaction left open;
/// `statement` is the name of the one at work then.
std::vector<Rows> read_snapshot(SqliteConnection& connection, const std::vector<Query>& batch,
                                std::string_view& statement);

}  // namespace stele::storage
