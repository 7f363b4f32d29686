// Agents and those that look after their memory: made together, and gone together.
#include "runtime/agent_service.hpp"
#include "storage/group_repository.hpp"

#include <algorithm>

namespace stele::runtime {

using boost::asio::awaitable;

// A transaction is the caller's: nothing is written before it is committed.
awaitable<void> AgentService::add_partner(storage::Transaction& transaction, Agent main, std::vector<Block> blocks,
                                          std::string actor) const {
    std::vector<Tool> tools =
        co_await parts_.tools.find_by_names(main.organization_id, base_tools_of(partner_type_of(main.agent_type)));
    const NewAgent partner = make_partner(main, blocks, std::move(tools), actor);
    insert(transaction, partner);
    parts_.groups.insert(transaction, main.organization_id, make_pair(main, partner.agent, actor));
}

awaitable<void> AgentService::add_partner_if_missing(storage::Transaction& transaction, Agent main, UpdateAgent request,
                                                     std::string actor) const {
    if (!request.enable_sleeptime.value_or(false)) co_return;
    const std::vector<Group> groups = co_await parts_.groups.managed_by(main.id);
    if (std::any_of(groups.begin(), groups.end(), [](const Group& group) { return works_asleep(group); })) co_return;
    std::vector<Block> blocks;
    if (request.block_ids.has_value())
        blocks = co_await blocks_by_id(main.organization_id, *request.block_ids);
    else
        blocks = co_await parts_.blocks.of_agent(main.id);
    co_await add_partner(transaction, std::move(main), std::move(blocks), std::move(actor));
}

awaitable<void> AgentService::remove(std::string organization_id, std::string id) const {
    const Agent agent = co_await find(organization_id, id);
    const Lease lease = co_await parts_.runtime.lease(id, std::string());  // a run at work ends first
    storage::GroupFilter filter;
    filter.agent_id = id;
    storage::Page all;
    all.limit = 1'000;
    const std::vector<Group> groups = co_await parts_.groups.list(organization_id, std::move(filter), std::move(all));
    storage::Transaction transaction;
    std::vector<Lease> leases;
    std::vector<WaitGraph::Wait> waits;
    std::vector<std::string> gone{id};
    for (const Group& group : groups) {
        const bool manages = group.manager_agent_id == id;
        if (manages || works_asleep(group)) parts_.groups.remove(transaction, organization_id, group);
        if (!works_asleep(group)) continue;
        if (!manages) {  // whoever was looked after goes on alone
            auto manager = co_await parts_.agents.find(organization_id, *group.manager_agent_id);
            if (manager) {
                manager->enable_sleeptime.reset();
                parts_.agents.update(transaction, *manager);
            }
            continue;
        }
        for (const std::string& partner_id : group.agent_ids) {
            const auto partner = co_await parts_.agents.find(organization_id, partner_id);
            const bool known = std::find(gone.begin(), gone.end(), partner_id) != gone.end();
            if (!partner || known) continue;
            // What it reads is of no use any more; and it may not wait for the agent that waits for it here.
            if (auto wait = parts_.runtime.waits().begin(id, partner_id)) waits.push_back(std::move(*wait));
            for (const Run& run : parts_.runtime.active())
                if (run.agent_id == partner_id) parts_.runtime.cancel_soon(run.id);
            Lease held = co_await parts_.runtime.lease(partner_id, std::string());
            leases.push_back(std::move(held));
            parts_.agents.remove(transaction, *partner);
            gone.push_back(partner_id);
        }
    }
    parts_.agents.remove(transaction, agent);
    co_await parts_.database.commit(std::move(transaction));
}

}  // namespace stele::runtime
