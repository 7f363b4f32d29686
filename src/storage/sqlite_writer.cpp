#include "storage/sqlite_writer.hpp"

namespace stele::storage {
namespace {

void fail_all(std::vector<WriteJob>& jobs, const Error& error) {
    for (WriteJob& job : jobs) {
        job.rows.clear();
        if (!job.failure) job.failure = std::make_exception_ptr(error);
    }
}

void roll_back(SqliteConnection& connection) noexcept {
    if (connection.idle()) return;  // some failures roll back by themselves
    try {
        connection.execute("ROLLBACK");
    } catch (const SqliteFailure&) {  // nothing is left to roll back
    }
}

// Throws what stops this job alone; SqliteFailure that breaks the transaction is for the whole group.
void run_statements(SqliteConnection& connection, WriteJob& job) {
    for (Transaction::Item& item : job.transaction.items()) {
        Rows rows;
        std::int64_t changed = 0;
        try {
            changed = connection.run(item.query, rows);
        } catch (const SqliteFailure& failure) {
            if (failure.breaks_transaction()) throw;
            if (item.if_taken && failure.is_taken_key()) throw *item.if_taken;
            throw to_error(failure, item.query.statement.name);
        }
        if (item.unless_changed && changed == 0) throw *item.unless_changed;
        job.rows.push_back(std::move(rows));
    }
}

void run_job(SqliteConnection& connection, WriteJob& job, bool alone) {
    // A job that is alone needs no savepoint: the transaction's own roll-back is enough.
    if (!alone) connection.execute("SAVEPOINT job");
    try {
        run_statements(connection, job);
    } catch (const Error& error) {
        job.rows.clear();
        job.failure = std::make_exception_ptr(error);
        if (alone)
            roll_back(connection);
        else
            connection.execute("ROLLBACK TO job");
    }
    if (!alone) connection.execute("RELEASE job");
}

}  // namespace

void commit_group(SqliteConnection& connection, std::vector<WriteJob>& jobs) {
    try {
        connection.execute("BEGIN IMMEDIATE");
        for (WriteJob& job : jobs) run_job(connection, job, jobs.size() == 1);
        if (!connection.idle()) connection.execute("COMMIT");
    } catch (const SqliteFailure& failure) {
        roll_back(connection);
        fail_all(jobs, to_error(failure, "transaction"));
    } catch (const std::exception& failure) {  // e.g. an assertion about a statement
        roll_back(connection);
        fail_all(jobs, Error(ErrorCode::internal, failure.what()));
    }
}

}  // namespace stele::storage
