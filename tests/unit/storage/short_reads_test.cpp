// Reads on the asking thread: what is short is answered, and what is not is left to a thread that may wait.
#include "storage/short_reads.hpp"

#include "storage/sqlite_database.hpp"

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <atomic>
#include <filesystem>
#include <thread>

namespace stele::storage {
namespace {

namespace fs = std::filesystem;

constexpr Statement schema{"test.schema", "SELECT COUNT(*) FROM sqlite_schema"};
constexpr Statement one_row{"test.one", "SELECT $1"};
constexpr Statement many_rows{"test.many",
                              "SELECT COUNT(*) FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
                              "WHERE i < $1) SELECT i FROM n)"};
constexpr Statement search{"test.search", "SELECT COUNT(*) FROM message_search WHERE message_search MATCH $1"};
constexpr Statement wrong{"test.wrong", "SELECT nothing FROM nowhere"};
constexpr std::int64_t few = 10, many = 100'000;

template <class... Args>
Query query(const Statement& statement, Args... args) {
    return Query{statement, pack(args...)};
}

class ShortReadsTest : public testing::Test {
protected:
    ShortReadsTest()
        : folder_(fs::temp_directory_path() / ("stele-short-" + std::to_string(::getpid()) + "-" +
                                               testing::UnitTest::GetInstance()->current_test_info()->name())) {
        SqliteOptions options;
        options.file = folder_ / "stele.db";
        database_ = open_sqlite(options);
        reads_.emplace(options.file, SqliteConnection::Options());
    }
    ~ShortReadsTest() override {
        reads_.reset();
        database_.reset();
        fs::remove_all(folder_);
    }

    std::int64_t through_the_store(Query asked) {
        boost::asio::io_context context(1);
        std::int64_t number = -1;
        std::exception_ptr failure;
        boost::asio::co_spawn(
            context,
            [&]() -> boost::asio::awaitable<void> {
                const Rows rows = co_await database_->query_packed(std::move(asked));
                number = rows.front().integer(0);
            },
            [&](std::exception_ptr thrown) { failure = std::move(thrown); });
        context.run();  // to its end, even then: who has answered may still be about to wake it
        if (failure) std::rethrow_exception(failure);
        return number;
    }

    fs::path folder_;
    std::unique_ptr<Database> database_;
    std::optional<ShortReads> reads_;
};

TEST_F(ShortReadsTest, AnswersInOrder) {
    const auto answers = reads_->try_read({query(one_row, "a"), query(many_rows, few), query(one_row, "b")});
    ASSERT_TRUE(answers);
    EXPECT_EQ((*answers)[0].front().text(0), "a");
    EXPECT_EQ((*answers)[1].front().integer(0), few);
    EXPECT_EQ((*answers)[2].front().text(0), "b");
}

TEST_F(ShortReadsTest, GivesUpWhatTakesLongAndForgetsIt) {
    EXPECT_FALSE(reads_->try_read({query(one_row, "a"), query(many_rows, many)}));
    EXPECT_TRUE(reads_->try_read({query(one_row, "a")})) << "the next read has steps of its own, and no open snapshot";
    EXPECT_TRUE(reads_->try_read({query(schema), query(many_rows, few)}));
    EXPECT_EQ(through_the_store(query(many_rows, many)), many) << "a thread that may wait does it";
}

TEST_F(ShortReadsTest, GivesUpWhatIsLarge) {
    const std::string large(1 << 20, 'x');
    EXPECT_TRUE(reads_->try_read({query(one_row, large)}));
    EXPECT_FALSE(reads_->try_read({query(one_row, large), query(one_row, "a")}));
    EXPECT_TRUE(reads_->try_read({query(one_row, "a")}));
}

TEST_F(ShortReadsTest, LeavesSearchesAndFailuresToOthers) {
    EXPECT_FALSE(reads_->try_read({query(search, "word")}));
    EXPECT_FALSE(reads_->try_read({query(one_row, "a"), query(wrong)}));
    EXPECT_TRUE(reads_->try_read({query(one_row, "a")}));
    EXPECT_EQ(through_the_store(query(search, "word")), 0);
    EXPECT_THROW(through_the_store(query(wrong)), Error);
}

TEST_F(ShortReadsTest, SeesWhatWasCommittedBefore) {
    constexpr Statement insert{"test.insert",
                               "INSERT INTO idempotency (request_key, organization_id, request_digest, status, answer, "
                               "created_at) VALUES ($1, 'o', 'd', 7, '', 0)"};
    constexpr Statement count{"test.count", "SELECT COUNT(*) FROM idempotency"};
    std::atomic<int> answered = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&, t] {
            boost::asio::io_context context(1);
            boost::asio::co_spawn(
                context,
                [&, t]() -> boost::asio::awaitable<void> {
                    for (int i = 1; i <= 20; ++i) {
                        Transaction transaction;
                        transaction.add(insert, std::to_string(t) + " " + std::to_string(i));
                        co_await database_->commit(std::move(transaction));
                        const auto answers = reads_->try_read({query(count), query(count)});
                        if (!answers) continue;
                        ++answered;
                        EXPECT_GE((*answers)[0].front().integer(0), i);
                        EXPECT_EQ((*answers)[0].front().integer(0), (*answers)[1].front().integer(0)) << "one snapshot";
                    }
                },
                [](std::exception_ptr failure) {
                    if (failure) std::rethrow_exception(failure);
                });
            context.run();
        });
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(answered, 4 * 20);
}

}  // namespace
}  // namespace stele::storage
