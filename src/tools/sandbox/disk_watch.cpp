#include "tools/sandbox/disk_watch.hpp"

#include "base/log.hpp"
#include "base/worker_threads.hpp"
#include "tools/sandbox/package_folders.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace stele::tools {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds look_interval{500};

}  // namespace

struct DiskWatch::State {
    State(const asio::any_io_executor& executor, WorkerThreads& workers_, Child& child_, std::filesystem::path folder_,
          std::uintmax_t bytes_max_)
        : timer(executor), workers(workers_), child(&child_), folder(std::move(folder_)), bytes_max(bytes_max_) {}

    asio::awaitable<void> look() {
        std::function<std::uintmax_t()> measure = [path = folder] { return bytes_in(path); };
        const std::uintmax_t bytes = co_await workers.run(std::move(measure));
        exceeded |= bytes > bytes_max;
    }

    static asio::awaitable<void> watch(std::shared_ptr<State> state) {
        boost::system::error_code woken;
        while (state->child != nullptr && !state->exceeded) {
            state->timer.expires_after(look_interval);
            co_await state->timer.async_wait(asio::redirect_error(asio::use_awaitable, woken));
            if (state->child != nullptr) co_await state->look();
        }
        if (state->child != nullptr) state->child->kill();
    }

    asio::steady_timer timer;
    WorkerThreads& workers;
    Child* child;  ///< null when the owner has gone
    const std::filesystem::path folder;
    const std::uintmax_t bytes_max;
    bool exceeded = false;
};

DiskWatch::DiskWatch(const asio::any_io_executor& executor, WorkerThreads& workers, Child& child,
                     std::filesystem::path folder, std::uintmax_t bytes_max)
    : state_(std::make_shared<State>(executor, workers, child, std::move(folder), bytes_max)) {
    asio::co_spawn(executor, State::watch(state_), [](const std::exception_ptr& failure) {
        if (failure) log::warn("packages.unwatched", {});
    });
}

DiskWatch::~DiskWatch() {
    state_->child = nullptr;
    state_->timer.cancel();
}

asio::awaitable<bool> DiskWatch::exceeded() {
    const auto kept = state_;
    if (!kept->exceeded) co_await kept->look();
    co_return kept->exceeded;
}

}  // namespace stele::tools
