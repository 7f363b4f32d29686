#include "runtime/conversation_service.hpp"

#include "base/ids.hpp"
#include "runtime/initial_messages.hpp"

#include <algorithm>

namespace stele::runtime {
namespace {

using boost::asio::awaitable;

Conversation new_conversation(const std::string& agent_id, const std::string& actor) {
    Conversation made;
    made.id = new_id("conv");
    made.agent_id = agent_id;
    made.created_by_id = made.last_updated_by_id = actor;
    made.created_at = made.updated_at = now();
    return made;
}

// A private copy for one conversation.
Block copy_of(const Block& block, const std::string& actor) {
    Block copy = block;
    copy.id = new_id("block");
    copy.created_by_id = copy.last_updated_by_id = actor;
    copy.created_at = copy.updated_at = now();
    copy.version = 1;
    return copy;
}

std::int64_t context_place(const Message& message) { return message.context_position.value_or(0); }

// The context position of the last message that a fork has.
std::int64_t last_place(const LoadedAgent& source, const std::optional<std::string>& message_id) {
    if (!message_id) return context_place(source.messages.back());
    const auto last = std::find_if(source.messages.begin(), source.messages.end(),
                                   [&](const Message& message) { return message.id == *message_id; });
    if (last == source.messages.end())
        throw refused("message_id: " + *message_id + " is not in the context window of this conversation");
    const auto next = std::next(last);
    if (!last->tool_calls.empty() && next != source.messages.end() && next->role == MessageRole::tool)
        return context_place(*next);  // a call and its return are never parted
    return context_place(*last);
}

}  // namespace

awaitable<LoadedAgent> ConversationService::load(std::string organization_id, std::string agent_id,
                                                 std::string conversation_id) const {
    auto loaded = co_await load_agent(parts_.database, std::move(organization_id), agent_id, conversation_id);
    if (!loaded) throw not_found("Agent", agent_id);
    co_return std::move(*loaded);
}

awaitable<void> ConversationService::choose_model(const Agent& agent, const ConversationRequest& request,
                                                  Conversation& conversation) const {
    if (request.model_settings.has_value()) conversation.model_settings = request.model_settings.optional();
    if (!request.model.has_value()) co_return;
    AgentModelRequest wanted;
    wanted.model = request.model;
    Agent other = agent;
    co_await change_models(parts_.catalogue, parts_.defaults, wanted, other);
    conversation.model = *request.model;
    conversation.llm_config = other.llm_config;
}

// `fresh`: the agent as it is in the new conversation, whose blocks are stored already or by this transaction.
void ConversationService::add(storage::Transaction& transaction, const LoadedAgent& fresh, const Message& system,
                              const std::optional<std::string>& idempotency_key) const {
    const std::string& organization_id = fresh.agent.organization_id;
    parts_.conversations.insert(transaction, organization_id, *fresh.conversation);
    parts_.messages.insert(transaction, organization_id, {system});
    parts_.agents.count_messages(transaction, fresh.agent.id, 1);
    if (idempotency_key)
        parts_.idempotency.keep_made(transaction, organization_id, *idempotency_key, fresh.conversation_id);
}

awaitable<Conversation> ConversationService::create(std::string organization_id, std::string actor,
                                                    std::string agent_id, CreateConversation request,
                                                    std::optional<std::string> idempotency_key) const {
    LoadedAgent fresh = co_await load(organization_id, agent_id, std::string());
    fresh.messages.clear();
    Conversation made = new_conversation(agent_id, actor);
    made.summary = request.summary.optional();
    made.description = request.description.optional();
    made.context_window_limit = request.context_window_limit.optional();
    made.hidden = request.hidden.value_or(false);
    co_await choose_model(fresh.agent, request, made);
    fresh.conversation_id = made.id;

    std::vector<std::string> labels = request.isolated_block_labels.value_or({});
    std::sort(labels.begin(), labels.end());
    labels.erase(std::unique(labels.begin(), labels.end()), labels.end());
    storage::Transaction copies;
    std::vector<storage::IsolatedBlock> isolated;
    for (const std::string& label : labels) {
        const auto block = std::find_if(fresh.blocks.begin(), fresh.blocks.end(),
                                        [&](const Block& each) { return each.label == label; });
        if (block == fresh.blocks.end())
            throw refused("isolated_block_labels: the agent has no block labelled '" + label + "'");
        *block = copy_of(*block, actor);
        isolated.push_back(storage::IsolatedBlock{label, block->id});
        made.isolated_block_ids.push_back(block->id);
    }
    co_await load_archive_facts(parts_.database, fresh);
    const Message system = new_system_message(prompt_input(fresh, now()));
    made.in_context_message_ids = {system.id};
    fresh.conversation = made;

    storage::Transaction transaction;
    add(transaction, fresh, system, idempotency_key);
    for (const Block& block : fresh.blocks)
        if (std::find(made.isolated_block_ids.begin(), made.isolated_block_ids.end(), block.id) !=
            made.isolated_block_ids.end())
            parts_.blocks.insert(transaction, organization_id, block);
    for (const storage::IsolatedBlock& each : isolated) parts_.conversations.isolate(transaction, made, each);
    co_await parts_.database.commit(std::move(transaction));
    co_return made;
}

awaitable<Conversation> ConversationService::get(std::string organization_id, std::string id) const {
    auto found = co_await parts_.conversations.find(std::move(organization_id), id);
    if (!found) throw not_found("Conversation", id);
    co_return std::move(*found);
}

awaitable<Conversation> ConversationService::update(std::string organization_id, std::string actor, std::string id,
                                                    UpdateConversation request) const {
    Conversation changed = co_await get(organization_id, id);
    bool differs = apply(request, changed);
    if (request.model.has_value() || request.model_settings.has_value()) {
        const auto agent = co_await parts_.agents.find(organization_id, changed.agent_id);
        if (!agent) throw not_found("Agent", changed.agent_id);
        co_await choose_model(*agent, request, changed);
        differs = true;
    }
    if (!differs) co_return changed;
    changed.updated_at = now();
    changed.last_updated_by_id = actor;
    storage::Transaction transaction;
    parts_.conversations.update(transaction, organization_id, changed, request.last_message_at.optional());
    co_await parts_.database.commit(std::move(transaction));
    co_return changed;
}

awaitable<Conversation> ConversationService::fork(std::string organization_id, std::string actor, ForkRequest request,
                                                  std::optional<std::string> idempotency_key) const {
    const LoadedAgent source = co_await load(organization_id, request.agent_id, request.source);
    if (source.messages.empty() || source.messages.front().role != MessageRole::system)
        throw refused("The conversation has no system message; recompile or reset it first");
    const std::int64_t first = context_place(source.messages.front());
    const std::int64_t last = last_place(source, request.message_id);

    LoadedAgent fresh = co_await load(organization_id, request.agent_id, std::string());
    Conversation made = new_conversation(request.agent_id, actor);
    made.hidden = request.hidden;
    if (source.conversation) {
        made.model = source.conversation->model;
        made.model_settings = source.conversation->model_settings;
        made.llm_config = source.conversation->llm_config;
        made.context_window_limit = source.conversation->context_window_limit;
    }
    fresh.conversation_id = made.id;
    fresh.messages.clear();
    for (const Message& message : source.messages)
        if (context_place(message) <= last) fresh.messages.push_back(message);
    co_await load_archive_facts(parts_.database, fresh);
    Message system = new_system_message(prompt_input(fresh, now()));
    // It stands before what the fork has from its source, in its window and in lists, and nowhere twice.
    system.position = -system.position;
    system.context_position = system.position;
    made.in_context_message_ids = {system.id};
    for (std::size_t i = 1; i < fresh.messages.size(); ++i) made.in_context_message_ids.push_back(fresh.messages[i].id);
    fresh.conversation = made;

    storage::Transaction transaction;
    add(transaction, fresh, system, idempotency_key);
    parts_.conversations.share_messages(transaction, made, request.source, first, last);
    co_await parts_.database.commit(std::move(transaction));
    co_return made;
}

awaitable<void> ConversationService::remove(std::string organization_id, std::string id) const {
    const Conversation gone = co_await get(organization_id, id);
    const Lease lease = co_await parts_.runtime.lease(gone.agent_id, id);
    storage::Transaction transaction;
    parts_.conversations.remove(transaction, organization_id, gone);
    co_await parts_.database.commit(std::move(transaction));
}

}  // namespace stele::runtime
