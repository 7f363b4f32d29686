#pragma once

#include "domain/run.hpp"
#include "runtime/event_list.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <functional>
#include <limits>
#include <memory>
#include <mutex>

namespace stele::runtime {

/// How a run ended.
struct RunEnd {
    StopReason reason = StopReason::end_turn;
    UsageStatistics usage;
    std::optional<Error> failure;  ///< why, if it failed
};

/// What happened in a run, in order: append-only. Any number of readers follow it, at their own pace and from any
/// thread; the run goes on whether anybody reads or not. Blocking answers, streams and token streams are views of it.
/// Thread-safe. Shared by the run and its readers.
class RunLog {
public:
    using Event = RunEvent;

    explicit RunLog(Run run) : id_(run.id), background_(run.background.value_or(false)), run_(std::move(run)) {}

    /// Of the first event; the others follow without a gap. 1 is the ping with which every stream begins.
    static constexpr std::int64_t first_seq_id = 2;

    /// The run as it stands.
    Run run() const;
    const std::string& run_id() const { return id_; }  ///< never changes
    bool background() const { return background_; }    ///< never changes

    // By the run.
    void update(const Run& run);
    void append(RunEvent event);
    void end(RunEnd end);

    /// What the one who asked should know beside the answer; one word, for a header.
    void warn(std::string warning);
    std::string warning() const;

    /// All messages so far, from number `from` on, at most `most`.
    std::vector<Event> messages(std::size_t from, std::size_t most = std::numeric_limits<std::size_t>::max()) const;

    /// How the run ended, once it has.
    std::optional<RunEnd> ended() const;

private:
    friend class RunReader;

    void wake_readers();

    const std::string id_;  ///< read without the lock, like the next
    const bool background_;
    mutable std::mutex mutex_;
    Run run_;
    std::string warning_;
    EventList events_;
    std::optional<RunEnd> end_;
    std::vector<std::weak_ptr<struct RunWaiter>> waiters_;
};

/// Follows a log from one executor. Not thread-safe.
class RunReader {
public:
    /// Reads from message number `from` on.
    RunReader(std::shared_ptr<RunLog> log, boost::asio::any_io_executor executor, std::size_t from = 0);
    ~RunReader();

    RunReader(const RunReader&) = delete;
    RunReader& operator=(const RunReader&) = delete;

    /// What is new, at most `batch_max` at a time: returns at once if anything is, else when something comes, the run
    /// ends, wake() is called or `patience` is over. Empty in the last three cases.
    boost::asio::awaitable<std::vector<RunLog::Event>> read(std::chrono::milliseconds patience);

    /// The seq_id of the next event.
    std::int64_t next_seq_id() const { return RunLog::first_seq_id + static_cast<std::int64_t>(next_); }

    /// True once the run has ended and everything of it has been read.
    bool at_end() const;

    /// Lets a waiting read() return. On the reader's thread.
    void wake();

    const RunLog& log() const { return *log_; }

    static constexpr std::size_t batch_max = 256;  ///< bounds what is encoded for a client that reads slowly

private:
    std::shared_ptr<RunLog> log_;
    std::shared_ptr<struct RunWaiter> waiter_;
    std::size_t next_;
};

/// Waits until the run has ended. The same errors as RunReader::read: none.
boost::asio::awaitable<RunEnd> wait_for_end(std::shared_ptr<RunLog> log);

}  // namespace stele::runtime
