#include "storage/migration_runner.hpp"

#include "base/error.hpp"

#include <algorithm>
#include <charconv>

namespace stele::storage {
namespace {

// FNV-1a, 64 bits (Fowler, Noll, Vo): tells an edited file, guards against nothing else.
std::string checksum_of(std::string_view text) {
    std::uint64_t hash = 14695981039346656037u;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
    constexpr char digits[] = "0123456789abcdef";
    std::string hex(16, '0');
    for (std::size_t i = 0; i < 16; ++i) hex[15 - i] = digits[(hash >> (4 * i)) & 15];
    return hex;
}

std::int64_t number_of(std::string_view name) {
    std::int64_t number = 0;
    std::from_chars(name.data(), name.data() + std::min<std::size_t>(4, name.size()), number);
    return number;
}

// "0002_search.sqlite.sql" -> "sqlite"; empty for a file that holds for both.
std::string_view engine_of(std::string_view name) {
    name.remove_suffix(std::min<std::size_t>(4, name.size()));
    const std::size_t dot = name.rfind('.');
    return dot == std::string_view::npos ? std::string_view() : name.substr(dot + 1);
}

}  // namespace

const char create_migration_table[] =
    "CREATE TABLE IF NOT EXISTS schema_migration (number BIGINT PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT "
    "NULL,"
    " applied_at BIGINT NOT NULL)";

std::vector<PendingMigration> pending_migrations(std::span<const MigrationFile> files, std::string_view engine,
                                                 const std::vector<AppliedMigration>& applied) {
    std::vector<PendingMigration> all;
    for (const MigrationFile& file : files) {
        const std::string_view only = engine_of(file.name);
        if (!only.empty() && only != engine) continue;
        PendingMigration migration;
        migration.record.number = number_of(file.name);
        migration.record.name = file.name;
        migration.record.checksum = checksum_of(file.sql);
        migration.sql = file.sql;
        all.push_back(std::move(migration));
    }
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.record.number < b.record.number; });

    for (const AppliedMigration& known : applied) {
        const auto ours =
            std::find_if(all.begin(), all.end(), [&](const auto& each) { return each.record.number == known.number; });
        if (ours == all.end())
            throw Error(ErrorCode::unavailable,
                        "The database was written by a newer version of Stele (it has migration " + known.name +
                            "); start that version, or restore a backup");
        if (ours->record.checksum != known.checksum)
            throw Error(ErrorCode::unavailable,
                        "Migration " + known.name + " was applied with another text than this version has");
        all.erase(ours);
    }
    return all;
}

}  // namespace stele::storage
