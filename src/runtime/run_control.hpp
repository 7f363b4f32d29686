#pragma once

#include "base/error.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>
#include <memory>

namespace stele::runtime {

/// Lets others end a run. What the run waits for outside the store (its turn, the model, tools) goes through
/// interruptible() and is cut off wherever it stands; a commit that has begun is always carried through. Shared by the
/// run and whoever may cancel it.
class RunControl : public std::enable_shared_from_this<RunControl> {
public:
    /// `executor`: the run's.
    explicit RunControl(boost::asio::any_io_executor executor) : executor_(std::move(executor)) {}

    /// Thread-safe; more than once is as good as once.
    void cancel();

    /// Thread-safe.
    bool cancelled() const { return cancelled_; }

    /// The result of `work`. Throws Error{cancelled} as soon as the run is cancelled, and from then on always. By the
    /// run alone, on its thread, one at a time. T must be default-constructible.
    template <class T>
    boost::asio::awaitable<T> interruptible(boost::asio::awaitable<T> work) {
        namespace asio = boost::asio;
        throw_if_cancelled();
        try {
            if constexpr (std::is_void_v<T>) {
                co_await asio::co_spawn(executor_, std::move(work),
                                        asio::bind_cancellation_slot(signal_.slot(), asio::use_awaitable));
                throw_if_cancelled();
                co_return;
            } else {
                T result = co_await asio::co_spawn(executor_, std::move(work),
                                                   asio::bind_cancellation_slot(signal_.slot(), asio::use_awaitable));
                throw_if_cancelled();
                co_return result;
            }
        } catch (const boost::system::system_error&) {  // how Asio ends a coroutine between two operations
            throw_if_cancelled();
            throw;
        }
    }

private:
    void throw_if_cancelled() const;

    boost::asio::any_io_executor executor_;
    boost::asio::cancellation_signal signal_;  ///< the run's thread alone touches it
    std::atomic<bool> cancelled_ = false;
};

}  // namespace stele::runtime
