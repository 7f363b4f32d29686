#include "runtime/group_service.hpp"

#include "base/contains.hpp"
#include "base/ids.hpp"

#include <algorithm>

namespace stele::runtime {
namespace {

using boost::asio::awaitable;

}  // namespace

std::vector<std::string> agents_of(const Group& group) {
    std::vector<std::string> ids = group.agent_ids;
    if (group.manager_agent_id && !contains(ids, *group.manager_agent_id)) ids.push_back(*group.manager_agent_id);
    return ids;
}

awaitable<void> GroupService::demand_agents(std::string organization_id, std::vector<std::string> ids) const {
    const std::vector<Agent> found = co_await parts_.agents.find_all(std::move(organization_id), ids);
    for (const std::string& id : ids)
        if (std::none_of(found.begin(), found.end(), [&](const Agent& agent) { return agent.id == id; }))
            throw not_found("Agent", id);
}

awaitable<std::vector<Block>> GroupService::blocks_of(std::string organization_id, std::vector<std::string> ids) const {
    std::vector<Block> found = co_await parts_.blocks.find_all(std::move(organization_id), ids);
    for (const std::string& id : ids)
        if (std::none_of(found.begin(), found.end(), [&](const Block& block) { return block.id == id; }))
            throw not_found("Block", id);
    co_return found;
}

awaitable<Group> GroupService::create(std::string organization_id, std::string actor, GroupCreate request,
                                      std::optional<std::string> idempotency_key, GroupOrigin origin) const {
    Group group = make_group(request);
    group.template_id = std::move(origin.template_id);
    group.base_template_id = std::move(origin.base_template_id);
    group.deployment_id = std::move(origin.deployment_id);
    group.id = new_id("group");
    group.created_by_id = group.last_updated_by_id = actor;
    group.created_at = group.updated_at = now();
    co_await demand_agents(organization_id, agents_of(group));
    const std::vector<Block> shared = co_await blocks_of(organization_id, group.shared_block_ids);
    storage::Transaction transaction;
    parts_.groups.insert(transaction, organization_id, group);
    for (const std::string& agent_id : agents_of(group))
        for (const Block& block : shared) parts_.blocks.attach(transaction, agent_id, block);
    if (works_asleep(group)) {
        auto manager = co_await parts_.agents.find(organization_id, *group.manager_agent_id);
        if (!manager) throw not_found("Agent", *group.manager_agent_id);
        manager->enable_sleeptime = true;
        parts_.agents.update(transaction, *manager);
    }
    if (idempotency_key) parts_.idempotency.keep_made(transaction, organization_id, *idempotency_key, group.id);
    co_await parts_.database.commit(std::move(transaction));
    co_return group;
}

awaitable<Group> GroupService::get(std::string organization_id, std::string id) const {
    auto found = co_await parts_.groups.find(std::move(organization_id), id);
    if (!found) throw not_found("Group", id);
    co_return std::move(*found);
}

// Agents that left lose the shared blocks, and all lose those that are not shared any more.
awaitable<void> GroupService::save(std::string organization_id, std::string actor, Group before, Group group) const {
    co_await demand_agents(organization_id, agents_of(group));
    const std::vector<Block> shared = co_await blocks_of(organization_id, group.shared_block_ids);
    group.updated_at = now();
    group.last_updated_by_id = std::move(actor);
    storage::Transaction transaction;
    parts_.groups.update(transaction, organization_id, group);
    for (const std::string& agent_id : agents_of(before))
        for (const std::string& block_id : before.shared_block_ids)
            if (!contains(agents_of(group), agent_id) || !contains(group.shared_block_ids, block_id))
                parts_.blocks.detach_if_held(transaction, agent_id, block_id);
    for (const std::string& agent_id : agents_of(group))
        for (const Block& block : shared) parts_.blocks.attach(transaction, agent_id, block);
    co_await parts_.database.commit(std::move(transaction));
}

awaitable<Group> GroupService::update(std::string organization_id, std::string actor, std::string id,
                                      GroupUpdate request) const {
    const Group before = co_await get(organization_id, id);
    Group group = before;
    if (apply(request, group)) co_await save(std::move(organization_id), std::move(actor), before, group);
    co_return group;
}

awaitable<void> GroupService::remove(std::string organization_id, std::string id) const {
    const Group group = co_await get(organization_id, id);
    storage::Transaction transaction;
    parts_.groups.remove(transaction, organization_id, group);
    co_await parts_.database.commit(std::move(transaction));
}

awaitable<void> GroupService::share_block(std::string organization_id, std::string actor, std::string id,
                                          std::string block_id, bool shared) const {
    const Group before = co_await get(organization_id, id);
    const std::optional<Block> block = co_await parts_.blocks.find(organization_id, block_id);
    if (!block) throw not_found("Block", block_id);
    Group group = before;
    std::erase(group.shared_block_ids, block_id);
    if (shared) group.shared_block_ids.push_back(block_id);
    co_await save(std::move(organization_id), std::move(actor), before, group);
}

// One agent after another, each while no run is at work on it.
awaitable<void> GroupService::reset_messages(std::string organization_id, std::string id) const {
    const Group group = co_await get(std::move(organization_id), id);
    const Lease talk = co_await parts_.runtime.lease(id, std::string());
    for (const std::string& agent_id : agents_of(group)) {
        const Lease lease = co_await parts_.runtime.lease(agent_id, std::string());
        storage::Transaction transaction;
        parts_.groups.evict_messages(transaction, id, agent_id);
        co_await parts_.database.commit(std::move(transaction));
    }
    storage::Transaction transaction;
    parts_.groups.forget_messages(transaction, id);
    co_await parts_.database.commit(std::move(transaction));
}

}  // namespace stele::runtime
