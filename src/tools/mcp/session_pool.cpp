#include "tools/mcp/session_pool.hpp"

#include <algorithm>

namespace stele::tools::mcp {
namespace {

constexpr auto idle_max = std::chrono::minutes(5);
constexpr std::size_t sessions_max = 256;  // idle ones of a thread

}  // namespace

boost::asio::execution_context::id SessionPool::id;

SessionPool& SessionPool::of(const boost::asio::any_io_executor& executor) {
    return boost::asio::use_service<SessionPool>(static_cast<boost::asio::io_context&>(executor.context()));
}

std::unique_ptr<Session> SessionPool::take(const std::string& wanted) {
    // The one that was used last is the likeliest to live.
    const auto found = std::find_if(idle_.rbegin(), idle_.rend(), [&](const Idle& idle) { return idle.key == wanted; });
    if (found == idle_.rend()) return nullptr;
    auto session = std::move(found->session);
    idle_.erase(std::next(found).base());
    return session;
}

void SessionPool::give(const std::string& of, std::unique_ptr<Session> session) {
    if (shut_) return;
    idle_.push_back({of, std::move(session), std::chrono::steady_clock::now() + idle_max});
    if (idle_.size() > sessions_max) end_oldest();
    arm();
}

void SessionPool::end_oldest() {
    idle_.front().session->leave(clock_.get_executor());
    idle_.pop_front();
}

void SessionPool::arm() {
    if (armed_ || shut_ || idle_.empty()) return;
    armed_ = true;
    clock_.expires_at(idle_.front().until);
    clock_.async_wait([this](const boost::system::error_code& failure) {
        armed_ = false;
        if (failure || shut_) return;
        while (!idle_.empty() && idle_.front().until <= std::chrono::steady_clock::now()) end_oldest();
        arm();
    });
}

void SessionPool::shutdown() noexcept {
    shut_ = true;
    idle_.clear();
    clock_.cancel();
}

}  // namespace stele::tools::mcp
