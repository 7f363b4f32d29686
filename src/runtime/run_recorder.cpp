#include "runtime/run_recorder.hpp"

#include "base/log.hpp"
#include "runtime/run_failure.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace stele::runtime {
namespace {

using boost::asio::awaitable;

// Events of this long share a commit. What a crash takes of them was told to readers who were there.
constexpr std::chrono::milliseconds batch_time{50};

// How long a store that takes nothing is waited for: 0.1 s, 0.2 s ... about four minutes in all.
constexpr std::chrono::milliseconds retry_first{100}, retry_last{2 * 60'000};

awaitable<void> pause(std::chrono::milliseconds time) {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, time);
    co_await timer.async_wait(boost::asio::use_awaitable);
}

// False if the store will not have it.
awaitable<bool> store(storage::Database& database, storage::Transaction transaction, std::string run_id) {
    for (auto wait = retry_first;; wait *= 2) {
        storage::Transaction attempt = transaction;
        std::optional<Error> failure;
        try {
            co_await database.commit(std::move(attempt));
            co_return true;
        } catch (const Error& error) {
            failure = error;
        }
        if (failure->code != ErrorCode::unavailable || wait > retry_last) {
            log::warn("run.events_not_recorded", {{"run_id", run_id}, {"why", failure->what()}});
            co_return false;  // its agent, and so the run, may have been deleted meanwhile
        }
        co_await pause(wait);
    }
}

}  // namespace

awaitable<void> record_run(const TurnServices& services, std::shared_ptr<RunLog> run_log) {
    RunReader reader(run_log, co_await boost::asio::this_coro::executor);
    EventEncoder encoder;
    while (!reader.at_end()) {
        storage::RunEvents events;
        events.first_seq = reader.next_seq_id();
        const std::vector<RunEvent> fresh = co_await reader.read(std::chrono::hours(1));
        for (const RunEvent& event : fresh) {
            std::string& line = events.lines.emplace_back();
            encoder.encode(event, events.last_seq(), line);
        }
        if (fresh.empty()) continue;
        storage::Transaction transaction;
        services.run_events.add(transaction, run_log->run_id(), events);
        const bool stored = co_await store(services.database, std::move(transaction), run_log->run_id());
        if (!stored) co_return;
        if (!reader.at_end()) co_await pause(batch_time);
    }
    storage::Transaction transaction;
    services.run_events.add_outcome(transaction, run_log->run_id(), reader.next_seq_id(),
                                    outcome_of(*run_log->ended()));
    services.run_events.forget_old(transaction);
    co_await store(services.database, std::move(transaction), run_log->run_id());
}

RunOutcome outcome_of(const RunEnd& end) {
    RunOutcome outcome;
    outcome.stop_reason = end.reason;
    outcome.usage = end.usage;
    if (end.failure) {
        outcome.error_type = failure_type(*end.failure);
        outcome.error_detail = end.failure->what();
    }
    return outcome;
}

RunEnd end_of(RunOutcome outcome) {
    RunEnd end;
    end.reason = outcome.stop_reason;
    end.usage = std::move(outcome.usage);
    if (outcome.error_type) {
        end.failure.emplace(ErrorCode::model_failed, outcome.error_detail.value_or(""));
        end.failure->type = std::move(*outcome.error_type);
    }
    return end;
}

}  // namespace stele::runtime
