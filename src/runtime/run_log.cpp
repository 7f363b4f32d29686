#include "runtime/run_log.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

namespace stele::runtime {

namespace asio = boost::asio;

/// A timer that is cancelled to wake the reader that waits on it. Its executor's thread alone touches it.
struct RunWaiter {
    explicit RunWaiter(asio::any_io_executor executor) : timer(std::move(executor)) {}

    asio::steady_timer timer;
};

Run RunLog::run() const {
    const std::lock_guard lock(mutex_);
    return run_;
}

void RunLog::update(const Run& run) {
    const std::lock_guard lock(mutex_);
    run_ = run;
}

void RunLog::warn(std::string warning) {
    const std::lock_guard lock(mutex_);
    warning_ = std::move(warning);
}

std::string RunLog::warning() const {
    const std::lock_guard lock(mutex_);
    return warning_;
}

void RunLog::append(RunEvent event) {
    {
        const std::lock_guard lock(mutex_);
        events_.append(std::move(event));
    }
    wake_readers();
}

void RunLog::end(RunEnd end) {
    {
        const std::lock_guard lock(mutex_);
        end_ = std::move(end);
    }
    wake_readers();
}

std::vector<RunLog::Event> RunLog::messages(std::size_t from, std::size_t most) const {
    const std::lock_guard lock(mutex_);
    return events_.range(from, most);
}

std::optional<RunEnd> RunLog::ended() const {
    const std::lock_guard lock(mutex_);
    return end_;
}

void RunLog::wake_readers() {
    std::vector<std::shared_ptr<RunWaiter>> woken;
    {
        const std::lock_guard lock(mutex_);
        for (const auto& waiter : waiters_)
            if (auto alive = waiter.lock()) woken.push_back(std::move(alive));
    }
    for (auto& waiter : woken) {
        const auto executor = waiter->timer.get_executor();
        asio::dispatch(executor, [waiter = std::move(waiter)] { waiter->timer.cancel(); });
    }
}

RunReader::RunReader(std::shared_ptr<RunLog> log, asio::any_io_executor executor, std::size_t from)
    : log_(std::move(log)), waiter_(std::make_shared<RunWaiter>(std::move(executor))), next_(from) {
    const std::lock_guard lock(log_->mutex_);
    log_->waiters_.push_back(waiter_);
}

RunReader::~RunReader() {
    const std::lock_guard lock(log_->mutex_);
    std::erase_if(log_->waiters_, [&](const auto& waiter) {
        const auto alive = waiter.lock();
        return !alive || alive == waiter_;
    });
}

asio::awaitable<std::vector<RunLog::Event>> RunReader::read(std::chrono::milliseconds patience) {
    std::vector<RunLog::Event> fresh = log_->messages(next_, batch_max);
    if (fresh.empty() && !log_->ended()) {
        // Whoever appends from now on dispatches its wake-up to this thread, which is busy here until the wait stands.
        waiter_->timer.expires_after(patience);
        co_await waiter_->timer.async_wait(asio::as_tuple(asio::use_awaitable));
        fresh = log_->messages(next_, batch_max);
    }
    next_ += fresh.size();
    co_return fresh;
}

bool RunReader::at_end() const {
    const std::lock_guard lock(log_->mutex_);
    return log_->end_.has_value() && next_ >= log_->events_.size();
}

void RunReader::wake() { waiter_->timer.cancel(); }

asio::awaitable<RunEnd> wait_for_end(std::shared_ptr<RunLog> log) {
    RunReader reader(log, co_await asio::this_coro::executor);
    for (;;) {
        if (auto end = log->ended()) co_return std::move(*end);
        co_await reader.read(std::chrono::hours(1));
    }
}

}  // namespace stele::runtime
