#include "runtime/scheduler.hpp"

#include "base/ids.hpp"
#include "base/log.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

namespace stele::runtime {
namespace {

using boost::asio::awaitable;
using Clock = std::chrono::steady_clock;

// Firings that have not ended. What is due beyond that stays in the store until one has.
constexpr std::size_t firings_max = 256;

// The clock of the machine may be set, so the timer never trusts it for long while something lies ahead.
constexpr std::chrono::seconds sleep_max{30};
constexpr std::chrono::seconds sleep_after_failure{1};
constexpr std::chrono::hours forget_interval{1};

constexpr char missed[] = "The server was not at work when this message was due, nor for a day after";

}  // namespace

Scheduler::Scheduler(Parts parts, std::vector<boost::asio::any_io_executor> executors)
    : parts_(std::move(parts)), executors_(std::move(executors)), alarm_(executors_.front()) {}

awaitable<void> Scheduler::run() {
    const Presence presence = at_work_;
    Alarm::Round round = [this, taken_up = false]() mutable -> awaitable<std::chrono::milliseconds> {
        if (!taken_up) co_await take_up();
        taken_up = true;
        co_return co_await send_due();
    };
    co_await alarm_.go_on("schedules.not_read", sleep_after_failure, std::move(round));
}

awaitable<void> Scheduler::take_up() {
    std::vector<storage::PendingFiring> pending = co_await parts_.schedules.pending();
    for (storage::PendingFiring& firing : pending) begin(std::move(firing));
}

// How long to sleep then.
awaitable<std::chrono::milliseconds> Scheduler::send_due() {
    if (Clock::now() >= forget_at_) {
        storage::Transaction transaction;
        parts_.schedules.forget_old(transaction);
        co_await parts_.database.commit(std::move(transaction));
        forget_at_ = Clock::now() + forget_interval;
    }
    const std::size_t busy = at_work();
    if (busy >= firings_max) co_return sleep_max;  // whoever ends wakes
    std::vector<storage::DueSchedule> due =
        co_await parts_.schedules.due(now(), static_cast<std::int64_t>(firings_max - busy));
    for (storage::DueSchedule& schedule : due) co_await claim(std::move(schedule));
    if (!due.empty()) co_return std::chrono::milliseconds(0);
    const auto next = co_await parts_.schedules.next_due();
    if (!next) co_return forget_interval;
    const auto until = std::chrono::ceil<std::chrono::milliseconds>(*next - now());
    co_return std::clamp<std::chrono::milliseconds>(until, std::chrono::milliseconds(0), sleep_max);
}

// However many times were missed, the next one lies ahead of now: they are one firing.
awaitable<void> Scheduler::claim(storage::DueSchedule schedule) {
    const auto agent = co_await parts_.agents.find(schedule.organization_id, schedule.agent_id);
    if (!agent) co_return;
    const Timestamp time = now();
    const auto next = next_time(schedule.plan, time, agent->timezone.value_or("UTC"));
    storage::PendingFiring firing;
    firing.id = new_id("firing");
    firing.schedule_id = schedule.id;
    firing.run_id = new_id("run");
    firing.organization_id = schedule.organization_id;
    const bool late = is_missed(schedule.plan, schedule.due, time);

    storage::Transaction transaction;
    parts_.schedules.claim(transaction, schedule, next, firing);
    if (late) parts_.schedules.finish(transaction, firing, missed);
    try {
        co_await parts_.database.commit(std::move(transaction));
    } catch (const Error& error) {
        if (error.code != ErrorCode::conflict) throw;
        co_return;  // deleted, or moved to another time meanwhile
    }
    if (!late) begin(std::move(firing));
}

void Scheduler::begin(storage::PendingFiring firing) {
    const auto& executor = executors_[next_executor_++ % executors_.size()];
    boost::asio::co_spawn(executor, carry_out(std::move(firing), at_work_), boost::asio::detached);
}

awaitable<void> Scheduler::carry_out(storage::PendingFiring firing, Presence presence) {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    bool done = false;
    while (!done && !alarm_.stopped()) {  // else it stays pending, for the next start
        try {
            auto end = co_await send(firing);
            if (end) co_await finish(firing, std::move(*end));
            done = true;
        } catch (const std::exception& error) {
            log::warn("schedule.firing_broke", {{"firing_id", firing.id}, {"why", error.what()}});
        }
        if (done) break;
        timer.expires_after(sleep_after_failure);
        co_await timer.async_wait(boost::asio::use_awaitable);
    }
    presence.reset();
    if (at_work() + 1 >= firings_max) alarm_.wake();
}

awaitable<std::optional<UnattendedEnd>> Scheduler::send(storage::PendingFiring firing) {
    const auto before = co_await parts_.runs.find(firing.organization_id, firing.run_id);
    if (before && !before->completed_at) throw Error(ErrorCode::unavailable, "The end of its run is not on record yet");
    if (before) co_return unattended_end(*before);
    auto schedule = co_await parts_.schedules.find_any(firing.schedule_id);
    if (!schedule) co_return std::nullopt;

    TurnRequest request;
    request.organization_id = schedule->organization_id;
    request.user_id = schedule->created_by_id;
    request.agent_id = schedule->agent_id;
    request.conversation_id = schedule->conversation_id.value_or("");
    request.body = message_request(schedule->message);
    request.run_type = scheduled_run_type;
    request.run_id = firing.run_id;
    request.request_id = firing.id;
    const Run run = new_run(request);
    co_return co_await run_unattended(parts_.runtime, std::move(request), parts_.busy_patience,
                                      [&] { parts_.on_begun(firing.organization_id, run); });
}

awaitable<void> Scheduler::finish(storage::PendingFiring firing, UnattendedEnd end) {
    const bool failed = end.status != RunStatus::completed;
    storage::Transaction transaction;
    parts_.schedules.finish(transaction, firing, failed ? std::optional(end.failure) : std::nullopt);
    try {
        co_await parts_.database.commit(std::move(transaction));
    } catch (const Error& error) {
        if (error.code != ErrorCode::conflict) throw;  // its schedule was deleted meanwhile
    }
    log::info(
        "schedule.fired",
        {{"schedule_id", firing.schedule_id}, {"run_id", firing.run_id}, {"status", failed ? "failed" : "success"}});
}

}  // namespace stele::runtime
