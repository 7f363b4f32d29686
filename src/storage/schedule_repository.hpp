#pragma once

#include "domain/schedule.hpp"
#include "storage/page.hpp"

namespace stele::storage {

/// A schedule that has come up.
struct DueSchedule {
    std::string id, organization_id, agent_id;
    SchedulePlan plan;
    Timestamp due{};
};

/// A firing whose end is not on record.
struct PendingFiring {
    std::string id, schedule_id, run_id, organization_id;
};

/// Planned messages of agents, and their firings. What is deleted with an agent goes with its row.
///
/// Exactly one message for each time that comes up, whatever happens to the server:
/// - claim() takes the time out of the schedule (on the condition that it is still there) and enters a pending firing
///   with the id of the run that is to be, in one commit. So a time has one firing at most, and one that has come up is
///   never forgotten.
/// - The message becomes part of the agent's history with the first step of that run, in the step's commit.
/// - A start-up first forgets runs of pending firings that were cut off before such a step (forget_unsent): they never
///   were. Then a pending firing without a run is sent, under the same run id; one with a run has been sent, and what
///   came of it is put on record.
class ScheduleRepository {
public:
    explicit ScheduleRepository(Database& database) : database_(database) {}

    boost::asio::awaitable<std::optional<ScheduledMessage>> find(std::string organization_id, std::string agent_id,
                                                                 std::string id) const;

    /// Those that will be sent and those that recur, in the order of their next time; without one last.
    boost::asio::awaitable<std::vector<ScheduledMessage>> list(std::string organization_id, std::string agent_id,
                                                               Page page) const;

    /// What has been sent, the newest first.
    boost::asio::awaitable<std::vector<ScheduleFiring>> history(std::string schedule_id, std::int64_t limit,
                                                                std::int64_t offset) const;

    void insert(Transaction& transaction, const ScheduledMessage& made) const;

    /// With its history. The commit throws Error{not_found} if it is gone.
    void remove(Transaction& transaction, const ScheduledMessage& gone) const;

    /// Those of an agent that recur and will be sent.
    boost::asio::awaitable<std::vector<DueSchedule>> recurring_of(std::string agent_id) const;

    /// Gives a schedule another next time, unless it was sent meanwhile.
    void retime(Transaction& transaction, const DueSchedule& schedule, std::optional<Timestamp> next) const;

    // For the scheduler.

    /// Those that are due at `time`, the longest due first, at most `limit`.
    boost::asio::awaitable<std::vector<DueSchedule>> due(Timestamp time, std::int64_t limit) const;

    /// When the next one comes up.
    boost::asio::awaitable<std::optional<Timestamp>> next_due() const;

    /// Moves `schedule` on to `next` and enters its firing. The commit throws Error{conflict} if its time is not due
    /// any more, and if it is gone.
    void claim(Transaction& transaction, const DueSchedule& schedule, std::optional<Timestamp> next,
               const PendingFiring& firing) const;

    /// The oldest first.
    boost::asio::awaitable<std::vector<PendingFiring>> pending() const;
    boost::asio::awaitable<std::vector<PendingFiring>> pending_of(std::string schedule_id) const;

    boost::asio::awaitable<std::optional<ScheduledMessage>> find_any(std::string id) const;

    /// Puts on record what came of a firing: nothing, or why it failed. A schedule that fails `failures_max` times in
    /// a row is not sent any more. The commit throws Error{conflict} if the firing has an end already, or is gone.
    void finish(Transaction& transaction, const PendingFiring& firing, const std::optional<std::string>& failure) const;

    static constexpr std::int64_t failures_max = 10;

    /// Forgets firings of long ago, and one-time schedules with them.
    void forget_old(Transaction& transaction) const;

    /// Forgets runs that a crash cut off before their message was stored. At the start of the server, before cut-off
    /// runs are closed, in the same transaction.
    void forget_unsent(Transaction& transaction) const;

    static std::vector<Statement> statements();

private:
    Database& database_;
};

}  // namespace stele::storage
