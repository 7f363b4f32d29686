#pragma once

#include "storage/migrations.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace stele::storage {

/// A migration that the store remembers.
struct AppliedMigration {
    std::int64_t number = 0;
    std::string name;
    std::string checksum;
};

/// A migration to be applied, in order.
struct PendingMigration {
    AppliedMigration record;
    std::string_view sql;
};

/// Which of `files` a store that has `applied` still needs. `engine`: "sqlite" or "postgres"; a file
/// "NNNN_name.sqlite.sql" is for that engine alone, "NNNN_name.sql" for both. Pure. Throws Error{unavailable} when the
/// store knows a migration that `files` lacks (a newer Stele wrote it) or one that has another text now.
std::vector<PendingMigration> pending_migrations(std::span<const MigrationFile> files, std::string_view engine,
                                                 const std::vector<AppliedMigration>& applied);

/// The table in which both engines remember what was applied.
extern const char create_migration_table[];

}  // namespace stele::storage
