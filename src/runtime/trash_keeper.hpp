#pragma once

#include "domain/trash.hpp"
#include "runtime/alarm.hpp"
#include "storage/trash.hpp"

#include <memory>

namespace stele::storage {
class AgentRepository;
}

namespace stele::runtime {

/// Brings deleted things back, and takes away for good those whose time is over: one loop, a few rows at a time, so
/// that nobody's commit waits for it long. What it has begun to take away can't come back, whatever happens meanwhile.
class TrashKeeper {
public:
    TrashKeeper(storage::Database& database, const storage::TrashRepository& trash,
                const storage::AgentRepository& agents, boost::asio::any_io_executor executor)
        : database_(database), trash_(trash), agents_(agents), alarm_(std::move(executor)) {}

    /// Until stop(). Throws nothing.
    boost::asio::awaitable<void> run();

    /// Looks at once. Thread-safe.
    void wake() { alarm_.wake(); }

    /// Thread-safe.
    void stop() { alarm_.stop(); }

    /// Thread-safe.
    std::size_t at_work() const { return static_cast<std::size_t>(at_work_.use_count() - 1); }

    /// Throws Error{not_found} if it is no longer in the trash.
    boost::asio::awaitable<void> restore(TrashItem item) const;

private:
    boost::asio::awaitable<void> purge_expired();

    storage::Database& database_;
    const storage::TrashRepository& trash_;
    const storage::AgentRepository& agents_;
    Alarm alarm_;
    std::shared_ptr<void> at_work_ = std::make_shared<int>();
};

}  // namespace stele::runtime
