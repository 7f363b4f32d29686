// How a turn that failed or was cancelled is written down, at once or when the store takes it again.
#include "base/ids.hpp"
#include "base/json_text.hpp"
#include "base/log.hpp"
#include "runtime/approval.hpp"
#include "runtime/run_failure.hpp"
#include "runtime/turn.hpp"
#include "storage/identity_repository.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

namespace stele::runtime {
namespace {

using boost::asio::awaitable;

// How long a failure waits for a store that takes nothing: 0.1 s, 0.2 s ... about an hour in all.
constexpr std::chrono::milliseconds record_late_first{100}, record_late_last{30 * 60'000};

bool says_the_same(const Message& a, const Message& b) {
    return a.role == b.role && a.name == b.name &&
           to_json(static_cast<const MessageBody&>(a)) == to_json(static_cast<const MessageBody&>(b));
}

// A message that no step has taken up: it stands in the history alone.
bool was_never_answered(const Message& message) { return !message.step_id && !message.context_position; }

}  // namespace

// A request whose first step failed keeps its messages in the history, but out of the window: what was said is not
// lost, and the model does not read it twice when its author says it again. Said again and again to a model that is
// down, it is kept once.
awaitable<void> Turn::leave_input_in_history() {
    for (Message& message : input_) {
        message.position = next_position();
        message.context_position.reset();
        message.step_id.reset();
    }
    if (input_.empty()) co_return;
    storage::MessageFilter filter;
    filter.agent_id = request_.agent_id;
    filter.conversation_id = request_.conversation_id;
    storage::Page page;
    page.ascending = false;
    page.limit = static_cast<std::int64_t>(input_.size());
    const std::vector<Message> newest =
        co_await services_.messages.list(request_.organization_id, std::move(filter), std::move(page));
    const bool repeated =
        newest.size() == input_.size() &&
        std::equal(newest.begin(), newest.end(), input_.begin(), [](const Message& kept, const Message& input) {
            return was_never_answered(kept) && says_the_same(kept, input);
        });
    if (repeated) input_.clear();
}

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
    services_.messages.insert(transaction, request_.organization_id, input_);
    tell_group(transaction, input_);
    if (!input_.empty())
        services_.agents.count_messages(transaction, request_.agent_id, static_cast<std::int64_t>(input_.size()));
    services_.runs.save_step(transaction, step, times, {});
    services_.runs.save(transaction, request_.organization_id, run_);
    if (!request_.identity_id.empty()) services_.identities.note_run(transaction, request_.identity_id, run_.id);
    if (request_.idempotency_key)
        services_.idempotency.release(transaction, request_.organization_id, *request_.idempotency_key);
    return transaction;
}

// Cancelled while it carried out what had been decided: nothing of that is kept, and none of the calls waits any more.
std::int64_t Turn::deny_waiting(storage::Transaction& transaction) const {
    const auto pending = pending_approval(loaded_.messages);
    if (!pending) return 0;
    const std::vector<Message> closing = denial(*pending, user_cancelled);
    services_.messages.insert(transaction, request_.organization_id, closing);
    return static_cast<std::int64_t>(closing.size());
}

awaitable<void> Turn::fail(Error error) {
    finish_run(stop_reason_of(error));
    if (error.code != ErrorCode::cancelled)
        run_.metadata.text = run_metadata(request_.run_type, error.what(), request_.identity_id);
    try {
        co_await leave_input_in_history();
        storage::Transaction transaction = end_record(error);
        const auto denied = error.code == ErrorCode::cancelled && decision_ ? deny_waiting(transaction) : 0;
        services_.agents.finish_turn(transaction, request_.agent_id, denied, last_run());
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
