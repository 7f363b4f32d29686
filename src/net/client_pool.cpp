#include "net/client_pool.hpp"

#include <sys/socket.h>

namespace stele::net {
namespace {

constexpr auto sweep_interval = std::chrono::milliseconds(50);
constexpr auto prune_interval = std::chrono::seconds(1);
constexpr std::size_t kept_buffer_bytes_max = 64u << 10;

// An idle connection must be silent; a byte or an end of file means that its server is done with it.
bool is_stale(ClientConnection& connection) {
    char byte = 0;
    const auto result = ::recv(connection.lowest().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return result >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

}  // namespace

boost::asio::execution_context::id ClientPool::id;

std::unique_ptr<ClientConnection> ClientPool::take(const std::string& server) {
    const auto found = idle_.find(server);
    if (found == idle_.end()) return nullptr;
    const auto now = ClientConnection::Clock::now();
    auto& idle = found->second;
    while (!idle.empty()) {
        std::unique_ptr<ClientConnection> connection = std::move(idle.back());  // the warmest first
        idle.pop_back();
        if (now >= connection->idle_until || is_stale(*connection)) continue;
        connection->reused = true;
        return connection;
    }
    idle_.erase(found);
    return nullptr;
}

void ClientPool::give(const std::string& server, std::unique_ptr<ClientConnection> connection, std::size_t idle_max,
                      std::chrono::milliseconds ttl) {
    if (shut_) return;
    const auto now = ClientConnection::Clock::now();
    connection->idle_until = now + ttl;
    connection->deadline = connection->total_deadline = ClientConnection::Clock::time_point::max();
    if (connection->buffer.capacity() > kept_buffer_bytes_max) std::vector<char>().swap(connection->buffer);
    auto& idle = idle_[server];
    idle.push_back(std::move(connection));
    if (idle.size() > idle_max) idle.pop_front();
    if (now - pruned_at_ > prune_interval) prune(now);
}

// On occasion of a request rather than by a timer: a pending timer would keep an io_context from running out of work.
void ClientPool::prune(ClientConnection::Clock::time_point now) {
    pruned_at_ = now;
    for (auto& [server, idle] : idle_)
        while (!idle.empty() && now >= idle.front()->idle_until) idle.pop_front();
    std::erase_if(idle_, [](const auto& entry) { return entry.second.empty(); });
}

void ClientPool::watch(ClientConnection& connection) {
    watched_.insert(&connection);
    if (!armed_) arm();
}

void ClientPool::arm() {
    armed_ = true;
    clock_.expires_after(sweep_interval);
    clock_.async_wait([this](const boost::system::error_code& failure) {
        armed_ = false;
        if (failure) return;
        const auto now = ClientConnection::Clock::now();
        for (ClientConnection* connection : watched_) {
            if (now < connection->deadline && now < connection->total_deadline) continue;
            connection->timed_out = true;
            connection->abort();
        }
        if (!watched_.empty()) arm();
    });
}

void ClientPool::shutdown() noexcept {
    shut_ = true;  // frames that die with the context may still hand connections back
    idle_.clear();
    watched_.clear();
}

}  // namespace stele::net
