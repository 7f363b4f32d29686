#include "runtime/alarm.hpp"

#include "base/log.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace stele::runtime {

namespace asio = boost::asio;

void Alarm::wake() {
    called_ = true;
    asio::post(timer_.get_executor(), [this] { timer_.cancel(); });
}

void Alarm::stop() {
    stopped_ = true;
    wake();
}

asio::awaitable<void> Alarm::go_on(std::string_view event, std::chrono::milliseconds after_failure, Round round) {
    while (!stopped_) {
        std::chrono::milliseconds pause = after_failure;
        try {
            pause = co_await round();
        } catch (const std::exception& error) {
            log::warn(event, {{"why", error.what()}});
        }
        co_await sleep(pause);
    }
}

// A call between the look at `called_` and the wait is carried out behind them: both are on one thread.
asio::awaitable<void> Alarm::sleep(std::chrono::milliseconds time) {
    if (stopped_ || called_.exchange(false)) co_return;
    timer_.expires_after(time);
    co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
    called_ = false;
}

}  // namespace stele::runtime
