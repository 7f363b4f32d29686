#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <functional>

namespace stele {

/// A few threads for what blocks, or takes longer than an event loop can wait: walks of the file system, the parsing of
/// a large page. One per server; outlives whoever waits for it. Thread-safe.
class WorkerThreads {
public:
    explicit WorkerThreads(std::size_t threads = 2) : threads_(threads) {}

    /// Carries out `work` on one of the threads and comes back to the caller's executor with what it gave, or threw.
    /// `work` owns what it works on: it goes on to its end when the caller is cancelled meanwhile.
    template <class T>
    boost::asio::awaitable<T> run(std::function<T()> work) {
        // A strand, since a cancellation of the caller is posted there while the work is at it.
        co_return co_await boost::asio::co_spawn(boost::asio::make_strand(threads_), carry_out(std::move(work)),
                                                 boost::asio::use_awaitable);
    }

private:
    template <class T>
    static boost::asio::awaitable<T> carry_out(std::function<T()> work) {
        co_return work();
    }

    boost::asio::thread_pool threads_;
};

}  // namespace stele
