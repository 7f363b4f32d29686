#pragma once

#include <filesystem>

namespace stele::storage {

/// Keeps a second server out of a data folder: an advisory lock (flock(2)) on `<database file>.lock`, which holds the
/// process id of its owner. The kernel drops it with the process, so a crash leaves nothing to clean up.
class DataLock {
public:
    /// Makes the folder (0700) when it is missing. Throws Error{unavailable}, with a text for the operator, when
    /// another process holds the lock or the folder cannot be written.
    explicit DataLock(const std::filesystem::path& database_file);
    ~DataLock();
    DataLock(const DataLock&) = delete;
    DataLock& operator=(const DataLock&) = delete;

private:
    int descriptor_ = -1;
};

}  // namespace stele::storage
