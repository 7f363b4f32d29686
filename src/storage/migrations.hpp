#pragma once

#include <span>
#include <string_view>

namespace stele::storage {

/// A numbered file of src/storage/migrations, embedded at build: "0001_agents.sql" holds for both engines,
/// "0002_search.sqlite.sql" and "0002_search.postgres.sql" for one each.
struct MigrationFile {
    std::string_view name;
    std::string_view sql;
};

/// All of them in order of their names. Lives for ever.
std::span<const MigrationFile> migration_files();

}  // namespace stele::storage
