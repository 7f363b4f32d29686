#pragma once

#include "storage/database.hpp"

#include <filesystem>
#include <memory>

namespace stele::storage {

struct SqliteOptions {
    std::filesystem::path file;         ///< made with its folder when missing, readable by its owner only
    int readers = 2;                    ///< threads that read in parallel
    bool synchronous_full = true;       ///< false: NORMAL; a power cut may lose the last commits, a crash does not
    int checkpoint_pages_soft = 1'000;  ///< the WAL is checkpointed in the background from here on
    int checkpoint_pages_hard = 8'000;  ///< and emptied by force (RESTART) from here on
};

/// Opens the file, takes the folder's advisory lock, applies the migrations in one transaction and starts the writer,
/// reader and checkpoint threads. Destruction finishes what was accepted, checkpoints and releases the lock.
/// Throws Error{unavailable} with a text for the operator when the folder is locked by another server (names its
/// process), cannot be written, holds no database of ours, or one that a newer Stele wrote.
std::unique_ptr<Database> open_sqlite(SqliteOptions options);

}  // namespace stele::storage
