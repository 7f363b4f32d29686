#include "runtime/agent_import_keeper.hpp"

#include "base/log.hpp"

namespace stele::runtime {
namespace {

using boost::asio::awaitable;

constexpr std::chrono::hours look_interval{1};
constexpr std::chrono::minutes after_failure{1};

}  // namespace

AgentImportKeeper::Work::Work(AgentImportKeeper& keeper, std::vector<std::string> object_ids)
    : keeper_(keeper), object_ids_(std::move(object_ids)) {
    const std::lock_guard lock(keeper_.mutex_);
    keeper_.worked_on_.insert(object_ids_.begin(), object_ids_.end());
}

AgentImportKeeper::Work::~Work() {
    {
        const std::lock_guard lock(keeper_.mutex_);
        for (const std::string& id : object_ids_) keeper_.worked_on_.erase(id);
    }
    keeper_.alarm_.wake();
}

bool AgentImportKeeper::is_worked_on(const std::string& object_id) const {
    const std::lock_guard lock(mutex_);
    return worked_on_.contains(object_id);
}

awaitable<void> AgentImportKeeper::run() {
    const std::shared_ptr<void> presence = at_work_;
    Alarm::Round round = [this]() -> awaitable<std::chrono::milliseconds> {
        co_await take_away_abandoned();
        co_return look_interval;
    };
    co_await alarm_.go_on("agent_import.not_removed", after_failure, std::move(round));
}

awaitable<void> AgentImportKeeper::take_away_abandoned() {
    const std::vector<storage::AgentImportRepository::Staged> all = co_await imports_.all();
    for (const storage::AgentImportRepository::Staged& staged : all) {
        if (is_worked_on(staged.object_id)) continue;
        bool gone = false;
        while (!gone && !alarm_.stopped()) gone = co_await imports_.remove_some(staged);
        if (alarm_.stopped()) co_return;
        log::info("agent_import.removed", {{"kind", staged.kind}, {"object_id", staged.object_id}});
    }
}

}  // namespace stele::runtime
