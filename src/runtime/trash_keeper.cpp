#include "runtime/trash_keeper.hpp"

#include "base/log.hpp"
#include "storage/agent_repository.hpp"

namespace stele::runtime {
namespace {

using boost::asio::awaitable;

constexpr std::chrono::hours look_interval{1};
constexpr std::int64_t items_at_once = 100;

}  // namespace

awaitable<void> TrashKeeper::run() {
    const std::shared_ptr<void> presence = at_work_;
    Alarm::Round round = [this]() -> awaitable<std::chrono::milliseconds> {
        co_await purge_expired();
        co_return look_interval;
    };
    co_await alarm_.go_on("trash.not_purged", look_interval, std::move(round));
}

awaitable<void> TrashKeeper::purge_expired() {
    for (;;) {
        const std::vector<TrashItem> items = co_await trash_.expired(items_at_once);
        if (items.empty()) co_return;
        for (const TrashItem& item : items) {
            bool gone = false;
            while (!gone && !alarm_.stopped()) gone = co_await trash_.purge_some(item);
            if (alarm_.stopped()) co_return;
            log::info("trash.purged", {{"kind", item.kind}, {"object_id", item.object_id}});
        }
    }
}

// Whoever looked after its memory is gone, or comes back by itself: nobody does any more.
awaitable<void> TrashKeeper::restore(TrashItem item) const {
    storage::Transaction transaction;
    if (item.kind == "agent") {
        auto agent = co_await agents_.find(storage::trash_organization_id, item.object_id);
        if (agent && agent->enable_sleeptime.value_or(false)) {
            agent->enable_sleeptime.reset();
            agents_.update(transaction, *agent);
        }
    }
    trash_.restore(transaction, item);
    co_await database_.commit(std::move(transaction));
}

}  // namespace stele::runtime
