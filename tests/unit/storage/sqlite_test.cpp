// The SQLite engine through the Database interface: commits, conflicts, snapshots, migrations, locks.
#include "storage/sqlite_database.hpp"

#include "storage/migration_runner.hpp"
#include "storage/page.hpp"

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <filesystem>
#include <fstream>
#include <thread>

namespace stele::storage {
namespace {

using boost::asio::awaitable;
namespace fs = std::filesystem;

constexpr Statement insert{
    "test.insert",
    "INSERT INTO idempotency (request_key, organization_id, request_digest, status, answer, created_at)"
    " VALUES ($2, $1, $3, $4, '', 0)"};
constexpr Statement update{"test.update", "UPDATE idempotency SET status = $2 WHERE request_key = $1"};
constexpr Statement count_rows{"test.count", "SELECT COUNT(*) FROM idempotency"};
constexpr Statement select_row{
    "test.select", "SELECT request_key, request_digest, status, NULL FROM idempotency WHERE request_key = $1"};

class Sqlite : public testing::Test {
protected:
    Sqlite()
        : folder_(fs::temp_directory_path() / ("stele-" + std::to_string(::getpid()) + "-" +
                                               testing::UnitTest::GetInstance()->current_test_info()->name())) {
        fs::remove_all(folder_);
        open();
    }
    ~Sqlite() override {
        database_.reset();
        fs::remove_all(folder_);
    }

    void open() {
        SqliteOptions options;
        options.file = folder_ / "stele.db";
        database_ = open_sqlite(options);
    }

    template <class Work>
    void run(Work work) {
        boost::asio::io_context context(1);
        std::exception_ptr failure;
        boost::asio::co_spawn(context, work(), [&](std::exception_ptr thrown) { failure = std::move(thrown); });
        context.run();
        if (failure) std::rethrow_exception(failure);
    }

    std::int64_t rows() {
        std::int64_t number = -1;
        run([&]() -> awaitable<void> {
            const Rows found = co_await database_->query(count_rows);
            number = found.front().integer(0);
        });
        return number;
    }

    ErrorCode commit_fails(Transaction transaction) {
        try {
            run([&]() -> awaitable<void> { co_await database_->commit(std::move(transaction)); });
        } catch (const Error& error) {
            return error.code;
        }
        ADD_FAILURE() << "the commit succeeded";
        return ErrorCode::internal;
    }

    fs::path folder_;
    std::unique_ptr<Database> database_;
};

Transaction one(const std::string& key) {
    Transaction transaction;
    transaction.add(insert, "o", key, "digest", 7);
    return transaction;
}

TEST_F(Sqlite, BindsParametersByNumberWhateverTheirOrderInTheText) {
    run([&]() -> awaitable<void> {
        co_await database_->commit(one("k"));
        const Rows found = co_await database_->query(select_row, "k");
        EXPECT_EQ(found.at(0).text(0), "k");
        EXPECT_EQ(found.at(0).text(1), "digest");
        EXPECT_EQ(found.at(0).integer(2), 7);
        EXPECT_TRUE(found.at(0).is_null(3));
    });
}

TEST_F(Sqlite, TakesMoreDifferentTextsThanItKeeps) {
    run([&]() -> awaitable<void> {
        co_await database_->commit(one("k"));
        for (int round = 0; round < 2; ++round)
            for (int i = 0; i < 2'500; ++i) {
                Select select("SELECT request_key FROM idempotency WHERE organization_id = ?", to_value("o"));
                select.where("status <> " + std::to_string(1'000 + i));
                select.where("request_key = ?", "k");
                Query query = select.query();
                const Rows found = co_await database_->query_packed(std::move(query));
                EXPECT_EQ(found.size(), 1u) << i;
            }
    });
}

TEST_F(Sqlite, RollsBackAllOfATransactionThatFails) {
    Transaction missing = one("a");
    missing.add(update, "nobody", 1).expect_row(Error(ErrorCode::not_found, "gone"));
    EXPECT_EQ(commit_fails(std::move(missing)), ErrorCode::not_found);

    Transaction twice = one("a");
    twice.add(insert, "o", "a", "d", 0);
    EXPECT_EQ(commit_fails(std::move(twice)), ErrorCode::conflict);
    EXPECT_EQ(rows(), 0);
}

TEST_F(Sqlite, OneFailureInAGroupLeavesTheOthers) {
    boost::asio::io_context context(1);
    int succeeded = 0, failed = 0;
    for (int i = 0; i < 200; ++i)
        boost::asio::co_spawn(
            context,
            [](Database& database, int number) -> awaitable<void> {
                co_await database.commit(one("key " + std::to_string(number % 150)));  // 50 of them are there already
            }(*database_, i),
            [&](std::exception_ptr failure) { ++(failure ? failed : succeeded); });
    context.run();

    EXPECT_EQ(succeeded, 150);
    EXPECT_EQ(failed, 50);
    EXPECT_EQ(rows(), 150);
    EXPECT_LT(database_->counters().commits, 200u) << "nothing was committed together";
}

TEST_F(Sqlite, EveryThreadReadsItsOwnWrites) {
    std::vector<std::thread> threads;
    std::atomic<int> seen = 0;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&, t] {
            boost::asio::io_context context(1);
            boost::asio::co_spawn(
                context,
                [](Database& database, int thread, std::atomic<int>& found) -> awaitable<void> {
                    for (int i = 0; i < 50; ++i) {
                        const std::string key = std::to_string(thread) + "-" + std::to_string(i);
                        co_await database.commit(one(key));
                        const Rows mine = co_await database.query(select_row, key);
                        found += static_cast<int>(mine.size());
                    }
                }(*database_, t, seen),
                boost::asio::detached);
            context.run();
        });
    for (std::thread& thread : threads) thread.join();

    EXPECT_EQ(seen, 200);
}

TEST_F(Sqlite, KeepsWhatItAcknowledgedAndRefusesASecondServer) {
    run([&]() -> awaitable<void> { co_await database_->commit(one("k")); });
    EXPECT_THROW(open(), Error);

    database_.reset();
    open();
    EXPECT_EQ(rows(), 1);
    EXPECT_EQ(fs::status(folder_ / "stele.db").permissions() & fs::perms::all,
              fs::perms::owner_read | fs::perms::owner_write);
}

TEST(PendingMigrations, AreThoseOfTheEngineThatAreNotApplied) {
    const MigrationFile files[] = {{"0001_a.sql", "A"}, {"0002_b.postgres.sql", "P"}, {"0002_b.sqlite.sql", "S"}};
    const auto fresh = pending_migrations(files, "sqlite", {});

    ASSERT_EQ(fresh.size(), 2u);
    EXPECT_EQ(fresh[1].sql, "S");
    EXPECT_EQ(pending_migrations(files, "sqlite", {fresh[0].record}).size(), 1u);
    EXPECT_THROW(pending_migrations(files, "sqlite", {{1, "0001_a.sql", "another text"}}), Error);
    EXPECT_THROW(pending_migrations(files, "sqlite", {{9, "0009_future.sql", "x"}}), Error);
}

}  // namespace
}  // namespace stele::storage
