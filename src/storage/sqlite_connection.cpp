#include "storage/sqlite_connection.hpp"

#include "storage/sqlite_functions.hpp"

#include "base/log.hpp"

#include <sqlite3.h>

namespace stele::storage {
namespace {

// Filters make statements of many shapes; beyond this number the cache starts anew rather than grow for ever.
constexpr std::size_t statements_max = 1'024;
constexpr int counted_steps = 1'000;  // the engine tells of its steps in such lots

void bind(sqlite3_stmt* statement, int index, const Value& value) {
    std::visit(
        [&](const auto& each) {
            using T = std::decay_t<decltype(each)>;
            if constexpr (std::is_same_v<T, std::monostate>)
                sqlite3_bind_null(statement, index);
            else if constexpr (std::is_same_v<T, std::int64_t>)
                sqlite3_bind_int64(statement, index, each);
            else if constexpr (std::is_same_v<T, double>)
                sqlite3_bind_double(statement, index, each);
            else if constexpr (std::is_same_v<T, std::string>)  // static: the query outlives the statement's run
                sqlite3_bind_text64(statement, index, each.data(), each.size(), SQLITE_STATIC, SQLITE_UTF8);
            else
                sqlite3_bind_blob64(statement, index, each.bytes.data(), each.bytes.size(), SQLITE_STATIC);
        },
        value);
}

Value column(sqlite3_stmt* statement, int index) {
    const auto text = [&](const void* data) {
        return std::string(static_cast<const char*>(data),
                           static_cast<std::size_t>(sqlite3_column_bytes(statement, index)));
    };
    switch (sqlite3_column_type(statement, index)) {
        case SQLITE_INTEGER:
            return Value(std::int64_t{sqlite3_column_int64(statement, index)});
        case SQLITE_FLOAT:
            return Value(sqlite3_column_double(statement, index));
        case SQLITE_TEXT:
            return Value(text(sqlite3_column_text(statement, index)));
        case SQLITE_BLOB: {
            const void* data = sqlite3_column_blob(statement, index);
            return Value(Blob{data == nullptr ? std::string() : text(data)});
        }
        default:
            return Value();
    }
}

std::int64_t bytes_of(const Value& value) {
    if (const auto* text = std::get_if<std::string>(&value)) return static_cast<std::int64_t>(text->size());
    if (const auto* blob = std::get_if<Blob>(&value)) return static_cast<std::int64_t>(blob->bytes.size());
    return 0;
}

}  // namespace

bool SqliteFailure::is_taken_key() const {
    return code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY;
}

bool SqliteFailure::breaks_transaction() const {
    switch (code & 0xFF) {
        case SQLITE_FULL:
        case SQLITE_IOERR:
        case SQLITE_READONLY:
        case SQLITE_NOMEM:
        case SQLITE_CORRUPT:
        case SQLITE_CANTOPEN:
        case SQLITE_BUSY:
            return true;
        default:
            return false;
    }
}

Error to_error(const SqliteFailure& failure, std::string_view statement) {
    const auto unavailable = [](const char* text) {
        Error error(ErrorCode::unavailable, text);
        error.retry_after = std::chrono::seconds(1);
        return error;
    };
    const auto logged = [&](Error error) {
        log::error("storage.failed", {{"statement", statement}, {"code", failure.code}, {"why", failure.what()}});
        return error;
    };
    switch (failure.code & 0xFF) {
        case SQLITE_CONSTRAINT:
            if (failure.code == SQLITE_CONSTRAINT_FOREIGNKEY)
                return Error(ErrorCode::conflict, "Something that this request refers to is not there any more");
            if (failure.is_taken_key())
                return Error(ErrorCode::conflict, "Something with this name or key exists already");
            return logged(Error(ErrorCode::internal, "The store refused a row"));
        case SQLITE_FULL:
            return logged(unavailable("The store has no space left on its disk; nothing was changed"));
        case SQLITE_READONLY:
            return logged(unavailable("The store's folder cannot be written; nothing was changed"));
        case SQLITE_BUSY:
            return logged(unavailable("The store is busy; nothing was changed"));
        case SQLITE_IOERR:
        case SQLITE_CANTOPEN:
            return logged(unavailable("The store's disk failed; nothing was changed"));
        case SQLITE_TOOBIG:
            return Error(ErrorCode::too_large, "A text is too large for the store");
        default:
            return logged(Error(ErrorCode::internal, "The store failed"));
    }
}

SqliteConnection::SqliteConnection(const std::filesystem::path& file, const Options& options) {
    const int flags =
        (options.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) | SQLITE_OPEN_NOMUTEX;
    const int result = sqlite3_open_v2(file.c_str(), &handle_, flags, nullptr);
    if (result != SQLITE_OK) {
        const SqliteFailure failure(result, handle_ == nullptr ? "out of memory" : sqlite3_errmsg(handle_));
        sqlite3_close(handle_);
        throw failure;
    }
    try {
        sqlite3_extended_result_codes(handle_, 1);
        sqlite3_busy_timeout(handle_, options.busy_timeout_ms);
        add_functions(handle_);
        if (!options.read_only) execute("PRAGMA journal_mode=WAL");
        execute(options.synchronous_full ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
        execute("PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY; PRAGMA wal_autocheckpoint=0; PRAGMA cache_size=-" +
                std::to_string(options.cache_kib));
    } catch (...) {
        sqlite3_close(handle_);
        throw;
    }
}

SqliteConnection::~SqliteConnection() {
    statements_.clear();
    sqlite3_close(handle_);
}

void SqliteConnection::execute(const std::string& sql) {
    if (sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
        fail(sqlite3_extended_errcode(handle_));
}

bool SqliteConnection::is_search(const Query& query) { return query.own_text || kept(query.statement).searches; }

void SqliteConnection::limit(std::int64_t steps, std::int64_t bytes) {
    steps_left_ = steps;
    bytes_left_ = bytes;
    sqlite3_progress_handler(
        handle_, counted_steps,
        [](void* self) {
            auto& connection = *static_cast<SqliteConnection*>(self);
            connection.steps_left_ -= counted_steps;
            return connection.steps_left_ < 0 ? 1 : 0;
        },
        this);
}

bool SqliteConnection::idle() const { return sqlite3_get_autocommit(handle_) != 0; }

void SqliteConnection::fail(int code) const { throw SqliteFailure(code, sqlite3_errmsg(handle_)); }

void FinalizeStatement::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

SqliteConnection::Prepared SqliteConnection::prepare(std::string_view sql, bool to_keep) {
    Prepared made;
    sqlite3_stmt* statement = nullptr;
    const int result = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()),
                                          to_keep ? SQLITE_PREPARE_PERSISTENT : 0, &statement, nullptr);
    if (result != SQLITE_OK) fail(sqlite3_extended_errcode(handle_));
    made.statement.reset(statement);
    made.searches = sql.find(" MATCH ") != std::string_view::npos;
    const int parameters = sqlite3_bind_parameter_count(statement);
    for (int i = 1; i <= parameters; ++i)
        made.places.push_back(sqlite3_bind_parameter_index(statement, ("$" + std::to_string(i)).c_str()));
    return made;
}

const SqliteConnection::Prepared& SqliteConnection::kept(const Statement& statement) {
    const auto found = statements_.find(statement.sql.data());
    if (found != statements_.end()) return found->second;
    if (statements_.size() >= statements_max) statements_.clear();
    return statements_.emplace(statement.sql.data(), prepare(statement.sql, true)).first->second;
}

std::int64_t SqliteConnection::run(const Query& query, Rows& rows) {
    if (query.own_text) return run(prepare(query.statement.sql, false), query, rows);
    return run(kept(query.statement), query, rows);
}

std::int64_t SqliteConnection::run(const Prepared& ready, const Query& query, Rows& rows) {
    sqlite3_stmt* statement = ready.statement.get();
    STELE_ASSERT(ready.places.size() == query.params.size());
    for (std::size_t i = 0; i < query.params.size(); ++i) bind(statement, ready.places[i], query.params[i]);
    int result = SQLITE_OK;
    while ((result = sqlite3_step(statement)) == SQLITE_ROW) {
        const int columns = sqlite3_column_count(statement);
        std::vector<Value> values;
        values.reserve(static_cast<std::size_t>(columns));
        for (int i = 0; i < columns; ++i) {
            values.push_back(column(statement, i));
            bytes_left_ -= bytes_of(values.back());
        }
        if (bytes_left_ < 0) {
            sqlite3_reset(statement);
            throw SqliteFailure(SQLITE_INTERRUPT, "more bytes than are allowed");
        }
        rows.emplace_back(std::move(values));
    }
    if (result != SQLITE_DONE) {
        const int code = sqlite3_extended_errcode(handle_);
        const std::string message = sqlite3_errmsg(handle_);
        sqlite3_reset(statement);
        throw SqliteFailure(code, message);
    }
    sqlite3_reset(statement);
    return sqlite3_stmt_readonly(statement) != 0 ? 0 : sqlite3_changes64(handle_);
}

}  // namespace stele::storage
