#pragma once

#include <boost/asio/awaitable.hpp>

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace stele::runtime {

class LeaseTable;

/// The right to write an agent's conversation, until destruction.
class Lease {
public:
    Lease() = default;
    Lease(LeaseTable& table, std::string key) : table_(&table), key_(std::move(key)) {}
    Lease(Lease&& other) noexcept : table_(std::exchange(other.table_, nullptr)), key_(std::move(other.key_)) {}
    Lease& operator=(Lease&& other) noexcept;
    ~Lease() { release(); }

    void release();

private:
    LeaseTable* table_ = nullptr;
    std::string key_;
};

/// One writer a conversation, first come first served; different agents never wait for one another. Thread-safe.
class LeaseTable {
public:
    /// Waits for its turn. Throws Error{unavailable} when `waiting_max` others wait already. `key`: agent and
    /// conversation.
    boost::asio::awaitable<Lease> acquire(std::string key);

    /// All of them (at least one), each but once. While it waits for one it holds none of the others, so that whoever
    /// waits for those is never kept from ending. Throws as acquire does.
    boost::asio::awaitable<std::vector<Lease>> acquire_all(std::vector<std::string> keys);

    /// The lease if nobody holds it now.
    std::optional<Lease> try_acquire(const std::string& key);

    static constexpr std::size_t waiting_max = 256;

private:
    friend class Lease;
    struct Waiter;

    void release(const std::string& key);

    mutable std::mutex mutex_;
    std::unordered_map<std::string, std::deque<std::shared_ptr<Waiter>>> queues_;  ///< an entry: somebody holds it
};

}  // namespace stele::runtime
