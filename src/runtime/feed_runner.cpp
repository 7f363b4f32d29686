#include "runtime/feed_runner.hpp"

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

// Deliveries that have not ended. What is due beyond that stays in the store until one has.
constexpr std::size_t deliveries_max = 256;
constexpr std::int64_t texts_read_max = 50;
constexpr std::chrono::seconds sleep_max{30};  // the clock of the machine may be set
constexpr std::chrono::seconds sleep_after_failure{1};
constexpr std::chrono::hours forget_interval{1};

std::string status_of(const UnattendedEnd& end) {
    if (end.status == RunStatus::completed) return "completed";
    if (end.failure == agent_busy) return "timed_out";
    return end.status == RunStatus::cancelled ? "canceled" : "failed";
}

}  // namespace

FeedRunner::FeedRunner(Parts parts, std::vector<boost::asio::any_io_executor> executors)
    : parts_(std::move(parts)), executors_(std::move(executors)), alarm_(executors_.front()) {}

awaitable<void> FeedRunner::run() {
    const Presence presence = at_work_;
    Alarm::Round round = [this, taken_up = false]() mutable -> awaitable<std::chrono::milliseconds> {
        if (!taken_up) co_await take_up();
        taken_up = true;
        co_return co_await deliver_due();
    };
    co_await alarm_.go_on("feeds.not_read", sleep_after_failure, std::move(round));
}

awaitable<void> FeedRunner::take_up() {
    const std::vector<storage::FeedDelivery> running = co_await parts_.subscriptions.all_running();
    for (const storage::FeedDelivery& delivery : running) begin(delivery.id);
}

// How long to sleep then.
awaitable<std::chrono::milliseconds> FeedRunner::deliver_due() {
    if (Clock::now() >= forget_at_) {
        storage::Transaction transaction;
        parts_.feeds.forget_old(transaction);
        parts_.subscriptions.forget_old(transaction);
        co_await parts_.database.commit(std::move(transaction));
        forget_at_ = Clock::now() + forget_interval;
    }
    const std::size_t busy = at_work();
    if (busy >= deliveries_max) co_return sleep_max;  // whoever ends wakes
    std::vector<FeedSubscription> due =
        co_await parts_.subscriptions.due(now(), static_cast<std::int64_t>(deliveries_max - busy));
    for (FeedSubscription& subscription : due) co_await claim(std::move(subscription));
    if (!due.empty()) co_return std::chrono::milliseconds(0);
    const auto next = co_await parts_.subscriptions.next_due();
    if (!next) co_return forget_interval;
    const auto until = std::chrono::ceil<std::chrono::milliseconds>(*next - now());
    co_return std::clamp<std::chrono::milliseconds>(until, std::chrono::milliseconds(0), sleep_max);
}

// However many times were missed, the next one lies ahead of now. One that comes while the last delivery is still on
// its way is left to the next time: what is new waits in the feed.
awaitable<void> FeedRunner::claim(FeedSubscription subscription) {
    const auto agent = co_await parts_.agents.find(subscription.organization_id, subscription.agent_id);
    if (!agent) co_return;
    const Timestamp next = next_cron_time(subscription.cron_schedule, now(), agent->timezone.value_or("UTC"));
    storage::Transaction transaction;
    parts_.subscriptions.move_on(transaction, subscription, next);
    const bool busy = co_await parts_.subscriptions.is_busy(subscription.id);
    std::optional<storage::FeedDelivery> delivery;
    if (!busy) {
        const std::int64_t after = subscription.last_consumed_sequence;
        std::string type = "scheduled";
        auto planned = co_await plan(transaction, std::move(subscription), std::move(type), after, newest_sequence);
        delivery = std::move(planned);
    }
    try {
        co_await parts_.database.commit(std::move(transaction));
    } catch (const Error& error) {
        if (error.code != ErrorCode::conflict) throw;
        co_return;  // deleted, moved to another time, or triggered by hand meanwhile: still due, it is looked at again
    }
    if (delivery) begin(delivery->id);
}

awaitable<std::optional<storage::FeedDelivery>> FeedRunner::plan(storage::Transaction& transaction,
                                                                 FeedSubscription subscription, std::string type,
                                                                 std::int64_t after, std::int64_t to) const {
    const storage::FeedRepository::Range range = co_await parts_.feeds.range(subscription.feed_id, after, to);
    if (range.count == 0) co_return std::nullopt;
    const std::vector<FeedMessage> texts =
        co_await parts_.feeds.messages(subscription.feed_id, after, range.last, texts_read_max);
    if (texts.empty()) co_return std::nullopt;
    storage::FeedDelivery delivery;
    delivery.id = new_id("feed_delivery");
    delivery.subscription_id = subscription.id;
    delivery.type = std::move(type);
    delivery.run_id = new_id("run");
    delivery.done_sequence = after;
    delivery.piece_end = texts[piece_size(texts) - 1].sequence;
    delivery.to_sequence = range.last;
    parts_.subscriptions.begin(transaction, delivery);
    co_return delivery;
}

// What is planned while the server starts is found by take_up() too.
void FeedRunner::begin(std::string delivery_id) {
    {
        const std::lock_guard lock(mutex_);
        if (!carried_.insert(delivery_id).second) return;
    }
    const auto& executor = executors_[next_executor_++ % executors_.size()];
    boost::asio::co_spawn(executor, carry_out(std::move(delivery_id), at_work_), boost::asio::detached);
}

awaitable<void> FeedRunner::carry_out(std::string delivery_id, Presence presence) {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    bool more = true;
    while (more && !alarm_.stopped()) {  // else it stays on its way, for the next start
        bool broke = false;
        try {
            more = co_await next_piece(delivery_id);
        } catch (const std::exception& error) {
            log::warn("feed.delivery_broke", {{"delivery_id", delivery_id}, {"why", error.what()}});
            broke = true;
        }
        if (!broke) continue;
        timer.expires_after(sleep_after_failure);
        co_await timer.async_wait(boost::asio::use_awaitable);
    }
    {
        const std::lock_guard lock(mutex_);
        carried_.erase(delivery_id);
    }
    presence.reset();
    if (at_work() + 1 >= deliveries_max) alarm_.wake();
}

// False: there is nothing left to do.
awaitable<bool> FeedRunner::next_piece(std::string delivery_id) {
    auto delivery = co_await parts_.subscriptions.running(delivery_id);
    if (!delivery) co_return false;
    auto subscription = co_await parts_.subscriptions.find_any(delivery->subscription_id);
    if (!subscription) co_return false;
    std::vector<FeedMessage> texts = co_await parts_.feeds.messages(subscription->feed_id, delivery->done_sequence,
                                                                    delivery->piece_end, texts_read_max);
    UnattendedEnd end;
    end.status = RunStatus::completed;  // of a piece whose texts are all gone
    const auto before = co_await parts_.runs.find(subscription->organization_id, delivery->run_id);
    if (before || !texts.empty()) {
        auto sent = co_await send(*delivery, *subscription, std::move(texts));
        if (!sent) co_return false;  // the server stops
        end = std::move(*sent);
    }
    co_await record(std::move(*delivery), std::move(*subscription), std::move(end));
    co_return true;
}

awaitable<std::optional<UnattendedEnd>> FeedRunner::send(storage::FeedDelivery delivery, FeedSubscription subscription,
                                                         std::vector<FeedMessage> texts) {
    const auto before = co_await parts_.runs.find(subscription.organization_id, delivery.run_id);
    if (before && !before->completed_at) throw Error(ErrorCode::unavailable, "The end of its run is not on record yet");
    if (before) co_return unattended_end(*before);
    TurnRequest request;
    request.organization_id = subscription.organization_id;
    request.user_id = subscription.created_by_id;
    request.agent_id = subscription.agent_id;
    request.body = feed_request(subscription, texts);
    request.run_type = feed_run_type;
    request.run_id = delivery.run_id;
    request.request_id = delivery.id;
    const Run run = new_run(request);
    co_return co_await run_unattended(parts_.runtime, std::move(request), parts_.busy_patience,
                                      [&] { parts_.on_begun(subscription.organization_id, run); });
}

// A piece is with the agent as soon as its run has stored it, whatever came of the run then. One that never got so far
// ends the delivery, and its texts come again with the next one.
awaitable<void> FeedRunner::record(storage::FeedDelivery delivery, FeedSubscription subscription, UnattendedEnd end) {
    const auto run = co_await parts_.runs.find(subscription.organization_id, delivery.run_id);
    const bool arrived = end.status == RunStatus::completed || (run && run->step_count > 0);
    storage::FeedDelivery next = delivery;
    storage::Transaction transaction;
    if (arrived) {
        next.run_id = new_id("run");
        next.done_sequence = delivery.piece_end;
        const std::vector<FeedMessage> texts = co_await parts_.feeds.messages(subscription.feed_id, next.done_sequence,
                                                                              delivery.to_sequence, texts_read_max);
        next.piece_end = texts.empty() ? delivery.to_sequence : texts[piece_size(texts) - 1].sequence;
        parts_.subscriptions.advance(transaction, delivery, next);
    }
    const bool ends = end.status != RunStatus::completed || next.done_sequence >= delivery.to_sequence;
    const std::string status = status_of(end);
    if (ends) parts_.subscriptions.finish(transaction, next, status, end.failure);
    try {
        co_await parts_.database.commit(std::move(transaction));
    } catch (const Error& error) {
        if (error.code != ErrorCode::conflict) throw;  // its subscription was deleted meanwhile
    }
    if (ends)
        log::info("feed.delivered",
                  {{"delivery_id", delivery.id}, {"subscription_id", subscription.id}, {"status", status}});
}

}  // namespace stele::runtime
