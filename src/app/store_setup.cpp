#include "app/store_setup.hpp"

#include "base/ids.hpp"
#include "domain/audit.hpp"
#include "runtime/open_calls.hpp"
#include "storage/feed_subscription_repository.hpp"
#include "tools/builtin/builtin.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <algorithm>

namespace stele::app {
namespace {

using boost::asio::awaitable;

constexpr auto idempotency_keys_kept = std::chrono::hours(24);

awaitable<void> seed_tools(StoreParts parts, storage::Transaction& transaction) {
    std::vector<std::string> names;
    for (const tools::BuiltinTool& builtin : tools::builtin_tools()) names.emplace_back(builtin.name);
    const std::vector<Tool> stored = co_await parts.tools.find_by_names(default_organization_id, std::move(names));
    for (const tools::BuiltinTool& builtin : tools::builtin_tools()) {
        const auto known =
            std::find_if(stored.begin(), stored.end(), [&](const Tool& tool) { return tool.name == builtin.name; });
        Tool tool =
            tools::describe_builtin(builtin, known == stored.end() ? new_id("tool") : known->id, default_user_id);
        if (known != stored.end()) {  // what users may change of it stays
            tool.created_at = known->created_at;
            tool.tags = known->tags;
            tool.return_char_limit = known->return_char_limit;
            tool.default_requires_approval = known->default_requires_approval;
            tool.metadata_ = known->metadata_;
        }
        if (known == stored.end() || to_json(*known) != to_json(tool))
            parts.tools.upsert(transaction, default_organization_id, tool);
    }
}

// A call that may or may not have been made is never made again unasked: model and people read what is known of it.
awaitable<void> close_cut_off_calls(StoreParts parts, storage::Transaction& transaction) {
    const std::vector<storage::CutOffConversation> conversations = co_await parts.runs.cut_off();
    for (const storage::CutOffConversation& each : conversations) {
        std::vector<Message> context = co_await parts.messages.in_context(each.agent_id, each.conversation_id);
        const runtime::Repair repair = runtime::close_open_calls(context);
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
