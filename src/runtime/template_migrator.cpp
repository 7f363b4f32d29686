#include "runtime/template_migrator.hpp"

#include "base/log.hpp"
#include "domain/audit.hpp"

namespace stele::runtime {
namespace {

using boost::asio::awaitable;

constexpr std::chrono::hours look_interval{1};
constexpr std::chrono::seconds look_again{5};

}  // namespace

awaitable<void> TemplateMigrator::run() {
    const std::shared_ptr<void> presence = at_work_;
    Alarm::Round round = [this]() -> awaitable<std::chrono::milliseconds> {
        std::chrono::milliseconds sleep = look_interval;
        std::vector<storage::PendingMigration> pending = co_await templates_.pending_migrations();
        for (storage::PendingMigration& each : pending) {
            if (alarm_.stopped()) break;
            const bool done = co_await carry_out(std::move(each));
            if (!done) sleep = look_again;
        }
        co_return sleep;
    };
    co_await alarm_.go_on("template.migrations_not_read", look_again, std::move(round));
}

// False: it is to be tried again. What can't be carried out is given up and said.
awaitable<bool> TemplateMigrator::carry_out(storage::PendingMigration pending) {
    std::string failure;
    try {
        Deployment deployment = co_await service_.find_deployment(pending.organization_id, pending.deployment_id);
        const std::string actor = deployment.created_by_id.value_or(default_user_id);
        FoundTemplate to =
            co_await service_.find(pending.organization_id, deployment.project_id, pending.planned.template_id);
        TextMap nothing_new;
        co_await service_.migrate(std::move(deployment), std::move(to), actor, pending.planned.flags,
                                  std::move(nothing_new));
        log::info("template.migrated",
                  {{"deployment_id", pending.deployment_id}, {"template_id", pending.planned.template_id}});
        co_return true;
    } catch (const Error& error) {
        if (error.code == ErrorCode::conflict || error.code == ErrorCode::unavailable) co_return false;
        failure = error.what();
    }
    log::warn("template.migration_failed", {{"deployment_id", pending.deployment_id}, {"why", failure}});
    storage::Transaction transaction;
    templates_.end_migration(transaction, pending.organization_id, pending.deployment_id);
    co_await database_.commit(std::move(transaction));
    co_return true;
}

}  // namespace stele::runtime
