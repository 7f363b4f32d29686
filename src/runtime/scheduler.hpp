#pragma once

#include "runtime/alarm.hpp"
#include "runtime/unattended_run.hpp"
#include "storage/schedule_repository.hpp"

#include <functional>

namespace stele::runtime {

/// Sends planned messages when they come up: one loop with one timer takes what is due (ScheduleRepository::claim), a
/// coroutine for each firing carries it out as a background run. What an earlier life of the server claimed and did
/// not bring to its end goes on at the start.
class Scheduler {
public:
    struct Parts {
        storage::Database& database;
        const storage::ScheduleRepository& schedules;
        const storage::AgentRepository& agents;
        const storage::RunRepository& runs;
        Runtime& runtime;
        /// Told of each run that is begun.
        std::function<void(const std::string& organization_id, const Run& run)> on_begun;
        std::chrono::milliseconds busy_patience = std::chrono::minutes(10);  ///< until a firing's agent is free
    };

    /// `executors`: one a thread; the loop lives on the first, the runs are spread over all.
    Scheduler(Parts parts, std::vector<boost::asio::any_io_executor> executors);

    /// Until stop(). Throws nothing.
    boost::asio::awaitable<void> run();

    /// Looks at the schedules again: one was made or has changed. Thread-safe.
    void wake() { alarm_.wake(); }

    /// Claims nothing from now on. Thread-safe.
    void stop() { alarm_.stop(); }

    /// The loop and the firings that have not ended. Thread-safe.
    std::size_t at_work() const { return static_cast<std::size_t>(at_work_.use_count() - 1); }

private:
    using Presence = std::shared_ptr<void>;  ///< held by what is at work: outlives this

    boost::asio::awaitable<void> take_up();
    boost::asio::awaitable<std::chrono::milliseconds> send_due();
    boost::asio::awaitable<void> claim(storage::DueSchedule schedule);
    boost::asio::awaitable<void> carry_out(storage::PendingFiring firing, Presence presence);
    boost::asio::awaitable<std::optional<UnattendedEnd>> send(storage::PendingFiring firing);
    boost::asio::awaitable<void> finish(storage::PendingFiring firing, UnattendedEnd end);
    void begin(storage::PendingFiring firing);

    Parts parts_;
    std::vector<boost::asio::any_io_executor> executors_;
    std::size_t next_executor_ = 0;
    Alarm alarm_;
    Presence at_work_ = std::make_shared<int>();
    std::chrono::steady_clock::time_point forget_at_{};
};

}  // namespace stele::runtime
