#include "runtime/agent_lease.hpp"

#include "base/error.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

namespace stele::runtime {

namespace asio = boost::asio;

/// A coroutine that waits for its turn. `granted` is set under the table's mutex; the timer belongs to its thread.
struct LeaseTable::Waiter {
    explicit Waiter(asio::any_io_executor executor)
        : timer(std::move(executor), asio::steady_timer::time_point::max()) {}

    asio::steady_timer timer;
    bool granted = false;
};

Lease& Lease::operator=(Lease&& other) noexcept {
    release();
    table_ = std::exchange(other.table_, nullptr);
    key_ = std::move(other.key_);
    return *this;
}

void Lease::release() {
    if (table_ != nullptr) std::exchange(table_, nullptr)->release(key_);
}

asio::awaitable<Lease> LeaseTable::acquire(std::string key) {
    const auto executor = co_await asio::this_coro::executor;
    std::shared_ptr<Waiter> waiter;
    {
        const std::lock_guard lock(mutex_);
        const auto [queue, first] = queues_.try_emplace(key);
        if (first) co_return Lease(*this, std::move(key));
        if (queue->second.size() >= waiting_max) {
            Error busy(ErrorCode::unavailable, "Too many requests wait for this agent");
            busy.retry_after = std::chrono::seconds(1);
            throw busy;
        }
        waiter = std::make_shared<Waiter>(executor);
        queue->second.push_back(waiter);
    }
    co_await waiter->timer.async_wait(asio::as_tuple(asio::use_awaitable));
    {
        const std::lock_guard lock(mutex_);
        if (!waiter->granted) {  // the coroutine was cancelled, it leaves the queue
            std::erase(queues_.at(key), waiter);
            throw Error(ErrorCode::cancelled, "The request was cancelled while it waited for the agent");
        }
    }
    co_return Lease(*this, std::move(key));
}

asio::awaitable<std::vector<Lease>> LeaseTable::acquire_all(std::vector<std::string> keys) {
    for (;;) {
        std::vector<Lease> held;
        Lease first = co_await acquire(keys.front());
        held.push_back(std::move(first));
        auto busy = std::next(keys.begin());
        for (; busy != keys.end(); ++busy) {
            std::optional<Lease> next = try_acquire(*busy);
            if (!next) break;
            held.push_back(std::move(*next));
        }
        if (busy == keys.end()) co_return held;
        std::iter_swap(keys.begin(), busy);
    }
}

std::optional<Lease> LeaseTable::try_acquire(const std::string& key) {
    const std::lock_guard lock(mutex_);
    if (!queues_.try_emplace(key).second) return std::nullopt;
    return Lease(*this, key);
}

void LeaseTable::release(const std::string& key) {
    std::shared_ptr<Waiter> next;
    {
        const std::lock_guard lock(mutex_);
        const auto queue = queues_.find(key);
        if (queue->second.empty()) {
            queues_.erase(queue);
            return;
        }
        next = std::move(queue->second.front());
        queue->second.pop_front();
        next->granted = true;
    }
    const auto executor = next->timer.get_executor();
    asio::dispatch(executor, [next = std::move(next)] { next->timer.cancel(); });
}

}  // namespace stele::runtime
