#include "runtime/batch_runner.hpp"

#include "base/log.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace stele::runtime {
namespace {

using boost::asio::awaitable;

constexpr std::chrono::hours time_max{24};         ///< of a batch
constexpr std::chrono::seconds look_interval{30};  ///< for batches that expire, while there are any
constexpr std::chrono::hours idle_interval{1};
constexpr std::chrono::seconds pause_after_failure{1};

constexpr char expired[] = "expired";

}  // namespace

TurnRequest turn_of_item(const storage::BatchItem& item) {
    TurnRequest request;
    request.organization_id = item.organization_id;
    request.user_id = item.user_id;
    request.agent_id = item.agent_id;
    request.body = item.request;
    request.run_type = batch_run_type;
    request.request_id = item.id;
    return request;
}

BatchRunner::BatchRunner(Parts parts, std::vector<boost::asio::any_io_executor> executors)
    : parts_(std::move(parts)), executors_(std::move(executors)), alarm_(executors_.front()) {}

awaitable<void> BatchRunner::run() {
    const Presence presence = at_work_;
    Alarm::Round round = [this]() -> awaitable<std::chrono::milliseconds> {
        const std::chrono::milliseconds sleep = co_await expire_old();
        co_await begin_waiting();
        co_return sleep;
    };
    co_await alarm_.go_on("batches.not_read", pause_after_failure, std::move(round));
}

// Nothing: as many are at work as may be.
std::optional<std::vector<std::string>> BatchRunner::busy_agents() const {
    const std::lock_guard lock(mutex_);
    if (items_.size() >= parts_.at_once) return std::nullopt;
    std::vector<std::string> agents;
    for (const auto& [agent_id, item] : items_) agents.push_back(agent_id);
    return agents;
}

awaitable<void> BatchRunner::begin_waiting() {
    for (auto busy = busy_agents(); busy && !alarm_.stopped(); busy = busy_agents()) {
        auto item = co_await parts_.batches.next_waiting(std::move(*busy));
        if (!item) co_return;
        begin(std::move(*item));
    }
}

void BatchRunner::begin(storage::BatchItem item) {
    {
        const std::lock_guard lock(mutex_);
        AtWork& entry = items_[item.agent_id];
        entry.batch_id = item.batch_id;
        entry.run_id = item.run_id;
    }
    const auto& executor = executors_[next_executor_++ % executors_.size()];
    boost::asio::co_spawn(executor, carry_out(std::move(item), at_work_), boost::asio::detached);
}

awaitable<void> BatchRunner::carry_out(storage::BatchItem item, Presence presence) {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, pause_after_failure);
    bool broke = false;
    try {
        auto end = co_await end_of(item);
        if (end) co_await finish(item, std::move(*end));
    } catch (const std::exception& error) {  // it waits still, and is looked at again
        log::warn("batch.item_broke", {{"batch_id", item.batch_id}, {"item_id", item.id}, {"why", error.what()}});
        broke = true;
    }
    if (broke) co_await timer.async_wait(boost::asio::use_awaitable);
    {
        const std::lock_guard lock(mutex_);
        items_.erase(item.agent_id);
    }
    alarm_.wake();
    presence.reset();
}

// A batch may be closed at any moment. Either the look at the store sees it; or this item is among `items_` already
// when withdraw() looks there: then that ends its run, or finds none yet, and the run is ended as soon as it is begun.
awaitable<std::optional<storage::BatchItemEnd>> BatchRunner::end_of(storage::BatchItem item) {
    const bool waits = co_await parts_.batches.waits(item.id);
    if (!waits) co_return std::nullopt;
    storage::BatchItemEnd end;
    const auto before = co_await parts_.runs.find(item.organization_id, item.run_id);
    if (before && !before->completed_at) throw Error(ErrorCode::unavailable, "The end of its run is not on record yet");
    if (before) {
        UnattendedEnd ended = unattended_end(*before);
        end.status = ended.status;
        end.failure = std::move(ended.failure);
        co_return end;
    }
    TurnRequest request = turn_of_item(item);
    request.run_id = item.run_id;
    request.answer = std::move(item.answer);
    request.answered_by = std::move(item.answered_by);
    end.begun = false;
    const auto executor = co_await boost::asio::this_coro::executor;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(item.batch_created_at + time_max - now());
    auto ended = co_await run_unattended(parts_.runtime, std::move(request), left, [&] {
        end.begun = true;
        end_if_withdrawn(item, executor);
    });
    if (!ended) co_return std::nullopt;
    end.status = ended->status;
    end.failure = std::move(ended->failure);
    co_return end;
}

void BatchRunner::end_if_withdrawn(const storage::BatchItem& item, const boost::asio::any_io_executor& executor) {
    {
        const std::lock_guard lock(mutex_);
        if (!items_.at(item.agent_id).withdrawn) return;
    }
    boost::asio::co_spawn(executor, parts_.runtime.cancel(item.run_id), boost::asio::detached);
}

awaitable<void> BatchRunner::finish(storage::BatchItem item, storage::BatchItemEnd end) {
    storage::Transaction transaction;
    parts_.batches.finish(transaction, item, end);
    const auto rows = co_await parts_.database.commit(std::move(transaction));
    log::info("batch.item_ended", {{"batch_id", item.batch_id},
                                   {"item_id", item.id},
                                   {"run_id", item.run_id},
                                   {"status", to_string(end.status)}});
    if (storage::BatchRepository::has_ended(rows)) parts_.on_ended(item.organization_id, item.batch_id);
}

awaitable<void> BatchRunner::withdraw(std::string batch_id) {
    std::vector<std::string> run_ids;
    {
        const std::lock_guard lock(mutex_);
        for (auto& [agent_id, item] : items_) {
            if (item.batch_id != batch_id) continue;
            item.withdrawn = true;
            run_ids.push_back(item.run_id);
        }
    }
    for (const std::string& run_id : run_ids) co_await parts_.runtime.cancel(run_id);
}

// How long to sleep then.
awaitable<std::chrono::milliseconds> BatchRunner::expire_old() {
    for (;;) {
        const auto batch = co_await parts_.batches.oldest();
        if (!batch) co_return idle_interval;
        if (batch->created_at + time_max > now()) co_return look_interval;
        storage::Transaction transaction;
        parts_.batches.close(transaction, batch->id, expired);
        co_await parts_.database.commit(std::move(transaction));
        co_await withdraw(batch->id);
        parts_.on_ended(batch->organization_id, batch->id);
    }
}

}  // namespace stele::runtime
