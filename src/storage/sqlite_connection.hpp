#pragma once

#include "storage/database.hpp"

#include <filesystem>
#include <limits>
#include <unordered_map>

struct sqlite3;
struct sqlite3_stmt;

namespace stele::storage {

/// What SQLite answered, when it was no success.
struct SqliteFailure : std::runtime_error {
    SqliteFailure(int result, const std::string& message) : std::runtime_error(message), code(result) {}
    int code;  ///< extended result code

    /// True if the whole transaction is lost with the statement: no space, I/O errors, a file that became read-only.
    bool breaks_transaction() const;

    /// True if a unique key is there already.
    bool is_taken_key() const;
};

/// The failure in the terms of Database: full, read-only and busy stores are `unavailable`, violated keys `conflict`.
/// The engine's own text goes to the log only.
Error to_error(const SqliteFailure& failure, std::string_view statement);

struct FinalizeStatement {
    void operator()(sqlite3_stmt* statement) const;
};

/// One connection and its prepared statements. One thread at a time.
class SqliteConnection {
public:
    struct Options {
        bool synchronous_full = true;
        int cache_kib = 2'048;
        int busy_timeout_ms = 5'000;
        bool read_only = false;
    };

    SqliteConnection(const std::filesystem::path& file, const Options& options);
    ~SqliteConnection();
    SqliteConnection(const SqliteConnection&) = delete;
    SqliteConnection& operator=(const SqliteConnection&) = delete;

    /// Runs a text of one or more statements without parameters. Throws SqliteFailure.
    void execute(const std::string& sql);

    /// Runs a prepared statement; rows are appended to `rows`. Returns the rows that it changed. Throws SqliteFailure.
    std::int64_t run(const Query& query, Rows& rows);

    /// True if the statement searches in full text, or is none that is kept prepared. Throws SqliteFailure.
    bool is_search(const Query& query);

    /// Lets a statement fail with SQLITE_INTERRUPT once those from here on have taken about `steps` steps of the
    /// engine's virtual machine, or given more than `bytes` of text and blobs.
    void limit(std::int64_t steps, std::int64_t bytes);

    /// True while no transaction is open.
    bool idle() const;

    sqlite3* handle() const { return handle_; }

private:
    /// `$1` is a name to SQLite, numbered by where it first stands: `places` holds the index of each of our parameters.
    struct Prepared {
        std::unique_ptr<sqlite3_stmt, FinalizeStatement> statement;
        std::vector<int> places;
        bool searches = false;
    };

    Prepared prepare(std::string_view sql, bool to_keep);
    const Prepared& kept(const Statement& statement);
    std::int64_t run(const Prepared& ready, const Query& query, Rows& rows);
    [[noreturn]] void fail(int code) const;

    sqlite3* handle_ = nullptr;
    std::int64_t steps_left_ = 0;
    std::int64_t bytes_left_ = std::numeric_limits<std::int64_t>::max();
    std::unordered_map<const char*, Prepared> statements_;  ///< by the address of the text, which lives for ever
};

}  // namespace stele::storage
