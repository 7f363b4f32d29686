// How a turn that failed or was cancelled is written down, at once or when the store takes it again.
#include "base/ids.hpp"
#include "base/json_text.hpp"
#include "base/log.hpp"
#include "runtime/run_failure.hpp"
#include "runtime/turn.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace stele::runtime {
namespace {

using boost::asio::awaitable;

// How long a failure waits for a store that takes nothing: 0.1 s, 0.2 s ... about an hour in all.
constexpr std::chrono::milliseconds record_late_first{100}, record_late_last{30 * 60'000};

}  // namespace

// Nothing of the broken step is kept but its record; the steps before it stay.
storage::Transaction Turn::end_record(const Error& error) const {
    const bool cancelled = error.code == ErrorCode::cancelled;
    Step step =
        step_head(present_step_id_.empty() ? new_id("step") : present_step_id_, cancelled ? "cancelled" : "failed");
    step.stop_reason = run_.stop_reason;
    if (!cancelled) {
        step.error_type = failure_type(error);
        step.error_data.text = "{\"message\":" + json_string(error.what()) + "}";
    }
    storage::StepTimes times;
    times.started_ns = to_micros(now()) * 1'000;
    storage::Transaction transaction;
    services_.runs.insert_step(transaction, step, times, {});
    services_.runs.save(transaction, request_.organization_id, run_);
    if (request_.idempotency_key)
        services_.idempotency.release(transaction, request_.organization_id, *request_.idempotency_key);
    return transaction;
}

awaitable<void> Turn::fail(Error error) {
    finish_run(stop_reason_of(error));
    if (error.code != ErrorCode::cancelled) run_.metadata.text = run_metadata(request_.run_type, error.what());
    storage::Transaction transaction = end_record(error);
    services_.agents.finish_turn(transaction, request_.agent_id, 0, last_run());
    try {
        co_await services_.database.commit(std::move(transaction));
    } catch (const Error& unrecorded) {
        log::error("run.failure_not_recorded", {{"run_id", run_.id}, {"why", unrecorded.what()}});
        if (unrecorded.code == ErrorCode::unavailable) unrecorded_ = std::move(error);
    } catch (const std::exception& unrecorded) {
        log::error("run.failure_not_recorded", {{"run_id", run_.id}, {"why", unrecorded.what()}});
    }
    log_->update(run_);
}

// The agent may have gone on meanwhile, so its own row is left alone.
awaitable<void> Turn::record_late() {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    for (auto wait = record_late_first; unrecorded_ && wait <= record_late_last; wait *= 2) {
        timer.expires_after(wait);
        co_await timer.async_wait(boost::asio::use_awaitable);
        storage::Transaction transaction = end_record(*unrecorded_);
        try {
            co_await services_.database.commit(std::move(transaction));
            unrecorded_.reset();
        } catch (const Error& still) {
            if (still.code != ErrorCode::unavailable) co_return;  // its agent was deleted meanwhile
        }
    }
}

}  // namespace stele::runtime
