#pragma once

#include "runtime/alarm.hpp"
#include "storage/agent_import_repository.hpp"

#include <memory>
#include <mutex>
#include <set>

namespace stele::runtime {

/// Takes away what imports have staged and will never finish: those that failed, at once, and those that a crash cut
/// off, at the next start. One loop, a few rows at a time.
class AgentImportKeeper {
public:
    AgentImportKeeper(const storage::AgentImportRepository& imports, boost::asio::any_io_executor executor)
        : imports_(imports), alarm_(std::move(executor)) {}

    /// An import at work: what it has staged is left alone while this is there. To be made before anything is stored.
    class Work {
    public:
        Work(AgentImportKeeper& keeper, std::vector<std::string> object_ids);
        ~Work();
        Work(const Work&) = delete;
        Work& operator=(const Work&) = delete;

    private:
        AgentImportKeeper& keeper_;
        std::vector<std::string> object_ids_;
    };

    /// Until stop(). Throws nothing.
    boost::asio::awaitable<void> run();

    /// Thread-safe.
    void stop() { alarm_.stop(); }
    std::size_t at_work() const { return static_cast<std::size_t>(at_work_.use_count() - 1); }

private:
    boost::asio::awaitable<void> take_away_abandoned();
    bool is_worked_on(const std::string& object_id) const;

    const storage::AgentImportRepository& imports_;
    Alarm alarm_;
    std::shared_ptr<void> at_work_ = std::make_shared<int>();
    mutable std::mutex mutex_;
    std::set<std::string> worked_on_;
};

}  // namespace stele::runtime
