#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <string_view>

namespace stele::runtime {

/// What a worker sleeps on: for a time, or until somebody wakes it. A call that comes while it works is not lost: the
/// next sleep ends at once then.
class Alarm {
public:
    /// `executor`: the worker's, of one thread.
    explicit Alarm(boost::asio::any_io_executor executor) : timer_(std::move(executor)) {}

    /// Thread-safe.
    void wake();

    /// Lets no sleep last from now on. Thread-safe.
    void stop();
    bool stopped() const { return stopped_; }

    /// What a worker does between two sleeps. Gives how long the next one is to be.
    using Round = std::function<boost::asio::awaitable<std::chrono::milliseconds>()>;

    /// Round after round until stop(). One that throws is logged as `event`; the next comes `after_failure` then. By
    /// the worker, on its executor.
    boost::asio::awaitable<void> go_on(std::string_view event, std::chrono::milliseconds after_failure, Round round);

    /// By the worker, on its executor.
    boost::asio::awaitable<void> sleep(std::chrono::milliseconds time);

private:
    boost::asio::steady_timer timer_;
    std::atomic<bool> called_ = false, stopped_ = false;
};

}  // namespace stele::runtime
