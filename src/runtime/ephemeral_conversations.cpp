#include "runtime/ephemeral_conversations.hpp"

#include "base/log.hpp"

namespace stele::runtime {
namespace {

using boost::asio::awaitable;

constexpr auto unused_max = std::chrono::hours(24);
constexpr std::int64_t forgotten_at_once = 8;

}  // namespace

awaitable<EphemeralConversation> EphemeralConversations::create(std::string organization_id, std::string actor,
                                                                EphemeralConversationRequest request) const {
    co_await forget_unused(organization_id);
    CreateAgent wanted;
    wanted.name = std::string("ephemeral");
    wanted.hidden = true;
    wanted.system = request.system;
    wanted.model = request.model;
    wanted.model_settings = request.model_settings;
    wanted.context_window_limit = request.context_window_limit;
    wanted.include_base_tools = false;
    wanted.include_base_tool_rules = false;
    NewAgent nothing_given;
    const NewAgent made = co_await parts_.agents.prepare(organization_id, actor, wanted, std::move(nothing_given));
    storage::Transaction transaction;
    parts_.agents.insert(transaction, made, wanted, actor);
    parts_.rows.insert(transaction, organization_id, made.agent.id, now());
    co_await parts_.database.commit(std::move(transaction));
    CreateConversation talk;
    talk.hidden = true;
    const Conversation conversation =
        co_await parts_.conversations.create(organization_id, actor, made.agent.id, std::move(talk), std::nullopt);
    EphemeralConversation shown;
    shown.id = conversation.id;
    shown.model = request.model;
    shown.context_window_limit = request.context_window_limit.optional();
    co_return shown;
}

awaitable<void> EphemeralConversations::remove(std::string organization_id, std::string id) const {
    const Conversation gone = co_await parts_.conversations.get(organization_id, id);
    co_await parts_.conversations.remove(organization_id, id);
    const bool alone = co_await parts_.rows.holds(organization_id, gone.agent_id);
    if (alone) co_await parts_.agents.remove(organization_id, gone.agent_id);
}

// With every new one some old ones go: whoever makes none leaves none behind.
awaitable<void> EphemeralConversations::forget_unused(std::string organization_id) const {
    const std::vector<std::string> unused =
        co_await parts_.rows.unused(organization_id, now() - unused_max, forgotten_at_once);
    for (const std::string& agent_id : unused) {
        try {
            co_await parts_.agents.remove(organization_id, agent_id);
        } catch (const Error& error) {  // somebody else was faster; else the next one tries again
            log::debug("ephemeral.not_removed", {{"agent_id", agent_id}, {"why", error.what()}});
        }
    }
}

}  // namespace stele::runtime
