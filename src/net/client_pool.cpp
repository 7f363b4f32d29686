#include "net/client_pool.hpp"

#include <sys/socket.h>

namespace stele::net {
namespace {

constexpr auto sweep_interval = std::chrono::milliseconds(50);

// An idle connection must be silent; a byte or an end of file means that its server is done with it.
bool is_stale(ClientConnection& connection) {
    char byte = 0;
    const auto result = ::recv(connection.lowest().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return result >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

}  // namespace

boost::asio::execution_context::id ClientPool::id;

std::unique_ptr<ClientConnection> ClientPool::take(const std::string& server, std::chrono::milliseconds ttl) {
    const auto found = idle_.find(server);
    if (found == idle_.end()) return nullptr;
    const auto oldest = ClientConnection::Clock::now() - ttl;
    auto& idle = found->second;
    while (!idle.empty()) {
        std::unique_ptr<ClientConnection> connection = std::move(idle.back());   // the warmest first
        idle.pop_back();
        if (connection->idle_since < oldest || is_stale(*connection)) continue;
        connection->reused = true;
        return connection;
    }
    idle_.erase(found);
    return nullptr;
}

void ClientPool::give(const std::string& server, std::unique_ptr<ClientConnection> connection, std::size_t idle_max) {
    auto& idle = idle_[server];
    connection->idle_since = ClientConnection::Clock::now();
    connection->deadline = connection->total_deadline = ClientConnection::Clock::time_point::max();
    if (connection->buffer.capacity() > (256u << 10)) std::vector<char>().swap(connection->buffer);
    idle.push_back(std::move(connection));
    if (idle.size() > idle_max) idle.pop_front();
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
    idle_.clear();
    watched_.clear();
}

}  // namespace stele::net
