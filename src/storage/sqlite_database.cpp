#include "storage/sqlite_database.hpp"

#include "base/let_others_run.hpp"
#include "base/log.hpp"
#include "base/time.hpp"
#include "storage/data_lock.hpp"
#include "storage/migration_runner.hpp"
#include "storage/search_queue.hpp"
#include "storage/short_reads.hpp"
#include "storage/sqlite_writer.hpp"
#include "storage/work_queue.hpp"

#include <sqlite3.h>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <thread>

namespace stele::storage {
namespace {

namespace asio = boost::asio;

constexpr std::size_t queued_jobs_max = 16'384;
constexpr std::size_t group_jobs_max = 256;
constexpr int writer_cache_kib = 16'384;
constexpr int reader_cache_kib = 4'096;
constexpr int application_id = 0x5374656C;  // "Stel", in the header of the file
constexpr auto checkpoint_interval = std::chrono::milliseconds(50);
// Messages are entered into the full-text index when nothing was committed for a while, and under constant load in
// between: many at once cost a fraction of what each would.
constexpr auto index_when_idle_for = std::chrono::milliseconds(200);
constexpr auto index_at_least_every = std::chrono::milliseconds(2'000);
// More than that takes at once commits would wait for; then it has its turn sooner again.
constexpr auto index_at_once = std::chrono::milliseconds(50), index_again_after = std::chrono::milliseconds(250);

struct ReadJob {
    ReadBatch batch;
    std::unique_ptr<Completion> waiter;
};

/// Resumes a coroutine on its own executor, which is kept alive until this is destroyed: its loop may end, and go, as
/// soon as the coroutine has run, while the thread that posts it is still about to wake that loop.
template <class Handler>
class HandlerCompletion final : public Completion {
public:
    explicit HandlerCompletion(Handler handler)
        : work_(asio::make_work_guard(asio::get_associated_executor(handler))), handler_(std::move(handler)) {}

    void complete(std::exception_ptr failure, std::vector<Rows> rows) override {
        asio::post(work_.get_executor(),
                   [handler = std::move(handler_), failure = std::move(failure), rows = std::move(rows)]() mutable {
                       std::move(handler)(std::move(failure), std::move(rows));
                   });
    }

private:
    asio::executor_work_guard<asio::associated_executor_t<Handler>> work_;
    Handler handler_;
};

/// Suspends the calling coroutine until `submit(waiter)`'s waiter is completed. The job is carried out even if the
/// coroutine is cancelled meanwhile: a commit is never left half done, and its result is known.
template <class Submit>
asio::awaitable<std::vector<Rows>> completed(Submit& submit) {
    return asio::async_initiate<const asio::use_awaitable_t<>, void(std::exception_ptr, std::vector<Rows>)>(
        [](auto handler, Submit* submitter) {
            (*submitter)(std::make_unique<HandlerCompletion<decltype(handler)>>(std::move(handler)));
        },
        asio::use_awaitable, &submit);
}

std::exception_ptr overloaded() {
    Error error(ErrorCode::unavailable, "The store has too much to do, or is closing");
    error.retry_after = std::chrono::seconds(1);
    return std::make_exception_ptr(error);
}

class SqliteDatabase final : public Database {
public:
    explicit SqliteDatabase(const SqliteOptions& options);
    ~SqliteDatabase() override;

    asio::awaitable<Rows> query_packed(Query query) override;
    asio::awaitable<std::vector<Rows>> read(ReadBatch batch) override;
    asio::awaitable<std::vector<Rows>> commit(Transaction transaction) override;
    asio::awaitable<void> settle() override;
    DatabaseCounters counters() const override { return {statements_, transactions_, commits_}; }

private:
    void migrate();
    asio::awaitable<std::vector<Rows>> write(WriteJob job);
    void write_loop();
    /// `behind`: becomes true if there is more to be entered.
    std::exception_ptr index_messages(bool& behind);
    void read_loop();
    void checkpoint_loop();
    void run_reads(std::optional<SqliteConnection>& connection, ReadJob& job);

    SqliteOptions options_;
    DataLock lock_;
    SqliteConnection writer_;
    SqliteConnection checkpointer_;
    ShortReads short_reads_;

    WorkQueue<WriteJob> writes_{queued_jobs_max};
    WorkQueue<ReadJob> reads_{queued_jobs_max};
    std::atomic<std::uint64_t> statements_ = 0, transactions_ = 0, commits_ = 0;

    std::atomic<int> wal_pages_ = 0;
    std::mutex checkpoint_mutex_;
    std::condition_variable checkpoint_wake_;
    bool closing_ = false;
    std::vector<std::thread> threads_;
};

SqliteConnection::Options connection_options(const SqliteOptions& options, int cache_kib) {
    SqliteConnection::Options made;
    made.synchronous_full = options.synchronous_full;
    made.cache_kib = cache_kib;
    return made;
}

SqliteDatabase::SqliteDatabase(const SqliteOptions& options)
    : options_(options),
      lock_(options.file),
      writer_(options.file, connection_options(options, writer_cache_kib)),
      checkpointer_(options.file, connection_options(options, reader_cache_kib)),
      short_reads_(options.file, connection_options(options, reader_cache_kib)) {
    ::chmod(options.file.c_str(), S_IRUSR | S_IWUSR);  // the WAL beside it takes the same rights
    migrate();
    sqlite3_wal_hook(
        writer_.handle(),
        [](void* self, sqlite3*, const char*, int pages) {
            auto& database = *static_cast<SqliteDatabase*>(self);
            database.wal_pages_ = pages;
            if (pages >= database.options_.checkpoint_pages_soft) database.checkpoint_wake_.notify_one();
            return SQLITE_OK;
        },
        this);
    threads_.emplace_back([this] { write_loop(); });
    threads_.emplace_back([this] { checkpoint_loop(); });
    for (int i = 0; i < options.readers; ++i) threads_.emplace_back([this] { read_loop(); });
}

SqliteDatabase::~SqliteDatabase() {
    writes_.close();
    reads_.close();
    {
        const std::lock_guard lock(checkpoint_mutex_);
        closing_ = true;
    }
    checkpoint_wake_.notify_one();
    for (std::thread& thread : threads_) thread.join();
}

void SqliteDatabase::migrate() {
    const auto integer = [&](const char* sql) {
        Rows rows;
        writer_.run(Query{Statement{sql, sql}, {}}, rows);
        return rows.empty() ? 0 : rows.front().integer(0);
    };
    const bool empty = integer("SELECT COUNT(*) FROM sqlite_schema") == 0;
    if (!empty && integer("PRAGMA application_id") != application_id)
        throw Error(ErrorCode::unavailable,
                    "The file " + options_.file.string() + " holds a database of another program");

    writer_.execute("BEGIN IMMEDIATE");
    writer_.execute(create_migration_table);
    if (empty) writer_.execute("PRAGMA application_id=" + std::to_string(application_id));
    constexpr Statement select_applied{"migration.applied",
                                       "SELECT number, name, checksum FROM schema_migration ORDER BY number"};
    constexpr Statement insert_applied{
        "migration.insert",
        "INSERT INTO schema_migration (number, name, checksum, applied_at) VALUES ($1, $2, $3, $4)"};
    Rows rows;
    writer_.run(Query{select_applied, {}}, rows);
    std::vector<AppliedMigration> applied;
    for (Row& row : rows) applied.push_back(AppliedMigration{row.integer(0), row.take_text(1), row.take_text(2)});
    for (const PendingMigration& migration : pending_migrations(migration_files(), "sqlite", applied)) {
        writer_.execute(std::string(migration.sql));
        Rows none;
        writer_.run(Query{insert_applied, pack(migration.record.number, migration.record.name,
                                               migration.record.checksum, to_micros(now()))},
                    none);
        log::info("storage.migrated", {{"migration", migration.record.name}});
    }
    writer_.execute("COMMIT");
}

asio::awaitable<Rows> SqliteDatabase::query_packed(Query query) {
    ReadBatch batch;
    batch.queries().push_back(std::move(query));
    std::vector<Rows> answers = co_await read(std::move(batch));
    co_return std::move(answers.front());
}

asio::awaitable<std::vector<Rows>> SqliteDatabase::read(ReadBatch batch) {
    if (auto answers = short_reads_.try_read(batch.queries())) {
        statements_ += answers->size();
        co_await let_others_run();  // as if it had been on another thread: who starts a coroutine may hold a lock
        co_return std::move(*answers);
    }
    auto submit = [&](std::unique_ptr<Completion> waiter) {
        ReadJob job;
        job.batch = std::move(batch);
        job.waiter = std::move(waiter);
        if (!reads_.push(std::move(job))) job.waiter->complete(overloaded(), {});
    };
    co_return co_await completed(submit);
}

asio::awaitable<std::vector<Rows>> SqliteDatabase::commit(Transaction transaction) {
    if (transaction.empty()) co_return std::vector<Rows>();
    WriteJob job;
    job.transaction = std::move(transaction);
    co_return co_await write(std::move(job));
}

asio::awaitable<void> SqliteDatabase::settle() {
    WriteJob job;
    job.settles = true;
    co_await write(std::move(job));
}

asio::awaitable<std::vector<Rows>> SqliteDatabase::write(WriteJob job) {
    auto submit = [&](std::unique_ptr<Completion> waiter) {
        job.waiter = std::move(waiter);
        if (!writes_.push(std::move(job))) job.waiter->complete(overloaded(), {});
    };
    co_return co_await completed(submit);
}

void SqliteDatabase::write_loop() {
    std::vector<WriteJob> group, asking;  // for commits, and for all that is there to be in the index
    bool unindexed = true;                // a server before us may have left some
    std::chrono::milliseconds patience = index_when_idle_for, pause = index_at_least_every;
    auto indexed_at = std::chrono::steady_clock::now();
    while (writes_.take(group, group_jobs_max, unindexed ? std::optional(patience) : std::nullopt)) {
        const auto settling =
            std::stable_partition(group.begin(), group.end(), [](const WriteJob& job) { return !job.settles; });
        asking.insert(asking.end(), std::make_move_iterator(settling), std::make_move_iterator(group.end()));
        group.erase(settling, group.end());
        if (!group.empty()) {
            commit_group(writer_, group);
            ++commits_;
            unindexed = true;
        }
        for (WriteJob& job : group) {
            statements_ += job.transaction.size();
            if (!job.failure) ++transactions_;
            job.waiter->complete(std::move(job.failure), std::move(job.rows));
        }
        const auto since = std::chrono::steady_clock::now() - indexed_at;
        std::exception_ptr failure;
        bool behind = false;
        if (unindexed && (group.empty() || !asking.empty() || since > pause)) {
            failure = index_messages(behind);
            unindexed = failure != nullptr || behind;
            patience = failure ? index_at_least_every : behind ? std::chrono::milliseconds(0) : index_when_idle_for;
            pause = behind ? index_again_after : index_at_least_every;
            indexed_at = std::chrono::steady_clock::now();
        }
        if (!behind) {
            for (WriteJob& job : asking) job.waiter->complete(failure, {});
            asking.clear();
        }
        group.clear();
    }
    for (WriteJob& job : asking) job.waiter->complete(overloaded(), {});
}

// A failure is one that commits meet too, so it is not worth a line of its own; it is tried again.
std::exception_ptr SqliteDatabase::index_messages(bool& behind) {
    try {
        behind = !drain_search_queue(writer_, index_at_once);
        return nullptr;
    } catch (const SqliteFailure& failure) {
        return std::make_exception_ptr(to_error(failure, "search_queue"));
    }
}

void SqliteDatabase::read_loop() {
    std::optional<SqliteConnection> connection;
    std::vector<ReadJob> taken;
    while (reads_.take(taken, 1)) {
        run_reads(connection, taken.front());
        taken.clear();
    }
}

// Opens the connection at its first job: many servers never need it.
void SqliteDatabase::run_reads(std::optional<SqliteConnection>& connection, ReadJob& job) {
    std::vector<Rows> answers;
    std::exception_ptr failure;
    std::string_view statement = "read";
    try {
        if (!connection) connection.emplace(options_.file, connection_options(options_, reader_cache_kib));
        answers = read_snapshot(*connection, job.batch.queries(), statement);
        statements_ += answers.size();
    } catch (const SqliteFailure& error) {
        failure = std::make_exception_ptr(to_error(error, statement));
    } catch (const std::exception&) {
        failure = std::current_exception();
    }
    job.waiter->complete(std::move(failure), std::move(answers));
}

// PASSIVE never makes a writer wait, but lets the WAL grow for ever under constant readers; beyond the hard limit
// RESTART waits for the readers of the moment, which are short, so that the next commit begins the file anew.
void SqliteDatabase::checkpoint_loop() {
    std::unique_lock lock(checkpoint_mutex_);
    while (!closing_) {
        if (wal_pages_ < options_.checkpoint_pages_soft)
            checkpoint_wake_.wait(lock);  // a call that comes just before is repeated by the next commit
        else
            checkpoint_wake_.wait_for(lock, checkpoint_interval);
        const int pages = wal_pages_;
        if (closing_ || pages < options_.checkpoint_pages_soft) continue;
        lock.unlock();
        int in_wal = 0, moved = 0;
        const int mode =
            pages >= options_.checkpoint_pages_hard ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE;
        const int result = sqlite3_wal_checkpoint_v2(checkpointer_.handle(), nullptr, mode, &in_wal, &moved);
        if (result == SQLITE_OK && in_wal == moved)
            wal_pages_ = 0;  // the next commit reports the true number again
        else if (result != SQLITE_OK && result != SQLITE_BUSY)
            log::warn("storage.checkpoint_failed", {{"code", result}, {"why", sqlite3_errmsg(checkpointer_.handle())}});
        lock.lock();
    }
}

}  // namespace

std::unique_ptr<Database> open_sqlite(SqliteOptions options) {
    options.file = std::filesystem::absolute(options.file);
    try {
        return std::make_unique<SqliteDatabase>(options);
    } catch (const SqliteFailure& failure) {
        const char* why = (failure.code & 0xFF) == SQLITE_NOTADB ? "it holds no database" : failure.what();
        throw Error(ErrorCode::unavailable, "The database " + options.file.string() + " cannot be opened: " + why);
    }
}

}  // namespace stele::storage
