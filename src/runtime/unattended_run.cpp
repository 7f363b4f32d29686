#include "runtime/unattended_run.hpp"

#include "base/log.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace stele::runtime {
namespace {

using boost::asio::awaitable;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds again_after{500};

awaitable<UnattendedEnd> end_of(Runtime& runtime, std::shared_ptr<RunLog> log, Clock::time_point free_by) {
    RunReader reader(log, co_await boost::asio::this_coro::executor);
    UnattendedEnd end;
    while (!log->ended() && log->run().status == RunStatus::created) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(free_by - Clock::now());
        if (left <= left.zero()) {
            co_await runtime.cancel(log->run_id());
            end.failure = agent_busy;
            co_return end;
        }
        co_await reader.read(left);
    }
    const RunEnd ended = co_await wait_for_end(log);
    end.status = status_of(ended.reason);
    if (ended.failure)
        end.failure = ended.failure->what();
    else if (end.status != RunStatus::completed)
        end.failure = to_string(ended.reason);
    co_return end;
}

}  // namespace

awaitable<std::optional<UnattendedEnd>> run_unattended(Runtime& runtime, TurnRequest request,
                                                       std::chrono::milliseconds patience,
                                                       std::function<void()> on_begun) {
    const Clock::time_point free_by = Clock::now() + patience;
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    request.background = true;
    request.body.double_texting = std::string("queue");  // whatever the agent says of requests that somebody waits for
    for (;;) {
        TurnRequest attempt = request;
        std::shared_ptr<RunLog> log;
        UnattendedEnd refused;
        bool may_try_again = false;
        try {
            log = co_await runtime.start(std::move(attempt));
        } catch (const Error& error) {
            refused.failure = error.what();
            may_try_again = error.code == ErrorCode::unavailable;
        } catch (const std::exception& error) {
            log::error("run.not_begun", {{"run_id", *request.run_id}, {"why", error.what()}});
            refused.failure = "The run could not be begun";
        }
        if (log) {
            on_begun();
            UnattendedEnd end = co_await end_of(runtime, std::move(log), free_by);
            co_return end;
        }
        if (may_try_again && runtime.stopping()) co_return std::nullopt;
        if (!may_try_again || Clock::now() >= free_by) co_return refused;
        timer.expires_after(again_after);
        co_await timer.async_wait(boost::asio::use_awaitable);
    }
}

UnattendedEnd unattended_end(const Run& run) {
    UnattendedEnd end;
    end.status = run.status;
    if (run.status == RunStatus::completed) return end;
    end.failure = json_member_text(run.metadata.text, "error").value_or("");
    if (end.failure.empty() && run.stop_reason) end.failure = to_string(*run.stop_reason);
    return end;
}

}  // namespace stele::runtime
