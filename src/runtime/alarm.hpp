#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>

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

    /// By the worker, on its executor.
    boost::asio::awaitable<void> sleep(std::chrono::milliseconds time);

private:
    boost::asio::steady_timer timer_;
    std::atomic<bool> called_ = false, stopped_ = false;
};

}  // namespace stele::runtime
