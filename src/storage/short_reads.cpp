#include "storage/short_reads.hpp"

#include <algorithm>

namespace stele::storage {
namespace {

// Of the engine's virtual machine: some tenths of a millisecond.
constexpr std::int64_t steps_max = 10'000;
constexpr std::int64_t bytes_max = 1 << 20;

constexpr Statement begin_snapshot{"snapshot.begin", "BEGIN"};
constexpr Statement end_snapshot{"snapshot.end", "COMMIT"};

SqliteConnection::Options never_waiting(SqliteConnection::Options options) {
    options.busy_timeout_ms = 0;
    return options;
}

}  // namespace

std::vector<Rows> read_snapshot(SqliteConnection& connection, const std::vector<Query>& batch,
                                std::string_view& statement) {
    std::vector<Rows> answers;
    answers.reserve(batch.size());
    Rows none;
    try {
        // Several reads see one snapshot; a single one is a transaction by itself.
        if (batch.size() > 1) connection.run(Query{begin_snapshot, {}}, none);
        for (const Query& query : batch) {
            statement = query.statement.name;
            connection.run(query, answers.emplace_back());
        }
        if (batch.size() > 1) connection.run(Query{end_snapshot, {}}, none);
    } catch (...) {
        if (!connection.idle()) {
            try {
                connection.execute("ROLLBACK");
            } catch (const SqliteFailure&) {  // it had ended by itself
            }
        }
        throw;
    }
    return answers;
}

ShortReads::ShortReads(std::filesystem::path file, SqliteConnection::Options options)
    : file_(std::move(file)), options_(never_waiting(options)) {}

std::optional<std::vector<Rows>> ShortReads::try_read(const std::vector<Query>& batch) {
    try {
        std::unique_ptr<SqliteConnection> connection = take();
        const bool short_ones =
            std::none_of(batch.begin(), batch.end(), [&](const Query& query) { return connection->is_search(query); });
        std::optional<std::vector<Rows>> answers;
        if (short_ones) {
            std::string_view statement;
            connection->limit(steps_max, bytes_max);
            try {
                answers = read_snapshot(*connection, batch, statement);
            } catch (const SqliteFailure&) {
            }
        }
        put_back(std::move(connection));
        return answers;
    } catch (const SqliteFailure&) {
        return std::nullopt;
    }
}

std::unique_ptr<SqliteConnection> ShortReads::take() {
    {
        const std::lock_guard lock(mutex_);
        if (!idle_.empty()) {
            std::unique_ptr<SqliteConnection> connection = std::move(idle_.back());
            idle_.pop_back();
            return connection;
        }
    }
    return std::make_unique<SqliteConnection>(file_, options_);
}

void ShortReads::put_back(std::unique_ptr<SqliteConnection> connection) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(connection));
}

}  // namespace stele::storage
