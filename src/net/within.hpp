#pragma once

#include "base/error.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace stele::net {

/// Runs `work`, cancels it after `limit` and throws Error{timed_out}. An error of `work`, and a cancellation of the
/// caller, come through at once. T must be default-constructible. Included by few .cpp files: parallel_group is heavy.
template <class T>
boost::asio::awaitable<T> within(std::chrono::milliseconds limit, boost::asio::awaitable<T> work) {
    namespace asio = boost::asio;
    const auto executor = co_await asio::this_coro::executor;
    asio::steady_timer timer(executor, limit);
    auto both = asio::experimental::make_parallel_group(asio::co_spawn(executor, std::move(work), asio::deferred),
                                                        timer.async_wait(asio::deferred));
    auto [order, failure, value, timer_error] =
        co_await both.async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
    if (order[0] == 1 && !timer_error) throw Error(ErrorCode::timed_out, "no answer within the time allowed");
    if (failure) std::rethrow_exception(failure);
    co_return std::move(value);
}

}  // namespace stele::net
