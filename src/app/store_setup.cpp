#include "app/store_setup.hpp"

#include "runtime/base_tools.hpp"
#include "runtime/window_repair.hpp"
#include "storage/feed_subscription_repository.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

namespace stele::app {
namespace {

using boost::asio::awaitable;

constexpr auto idempotency_keys_kept = std::chrono::hours(24);

awaitable<void> seed_tools(StoreParts parts, storage::Transaction& transaction) {
    const std::vector<std::string> organizations = co_await parts.accounts.all_organization_ids();
    for (const std::string& id : organizations) co_await runtime::seed_base_tools(parts.tools, transaction, id);
}

// A call that may or may not have been made is never made again unasked: model and people read what is known of it.
awaitable<void> close_cut_off_calls(StoreParts parts, storage::Transaction& transaction) {
    const std::vector<storage::CutOffConversation> conversations = co_await parts.runs.cut_off();
    for (const storage::CutOffConversation& each : conversations) {
        std::vector<Message> context = co_await parts.messages.in_context(each.agent_id, each.conversation_id);
        const runtime::Repair repair =
            co_await runtime::repair_window(parts.messages, each.organization_id, each.agent_id, context);
        if (repair.returns.empty()) continue;
        for (const Message& message : repair.moved) parts.messages.move_in_context(transaction, message);
        parts.messages.insert(transaction, each.organization_id, repair.returns);
        parts.agents.count_messages(transaction, each.agent_id, static_cast<std::int64_t>(repair.returns.size()));
    }
}

awaitable<void> set_up(StoreParts parts) {
    storage::Transaction transaction;
    co_await seed_tools(parts, transaction);
    parts.batches.forget_unsent(transaction);
    parts.schedules.forget_unsent(transaction);
    storage::FeedSubscriptionRepository::forget_unsent(transaction);
    co_await close_cut_off_calls(parts, transaction);
    parts.runs.fail_unfinished(transaction);
    parts.idempotency.forget(transaction, now() - idempotency_keys_kept);
    co_await parts.database.commit(std::move(transaction));
    co_await parts.providers.load();
    co_await parts.credentials.read_origins();
}

}  // namespace

void set_up_store(StoreParts parts) {
    boost::asio::io_context context(1);
    std::exception_ptr failure;
    boost::asio::co_spawn(context, set_up(parts), [&](std::exception_ptr thrown) { failure = std::move(thrown); });
    context.run();
    if (failure) std::rethrow_exception(failure);
}

}  // namespace stele::app
