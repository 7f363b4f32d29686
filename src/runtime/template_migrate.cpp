// How what was made of a template moves to another version.
#include "base/ids.hpp"
#include "domain/hosted_error.hpp"
#include "domain/template_variables.hpp"
#include "runtime/template_service.hpp"
#include "storage/group_repository.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

namespace stele::runtime {
namespace {

using boost::asio::awaitable;

constexpr int attempts_max = 8;

// The agent that the others belong to: whoever manages one of them, else the first.
std::string main_id_of(const std::vector<DeployedAgent>& agents) {
    for (const DeployedAgent& agent : agents)
        if (agent.state.managed_group) return agent.state.id;
    return agents.front().state.id;
}

}  // namespace

awaitable<Lease> TemplateService::lease_in_time(std::string agent_id) const {
    const auto executor = co_await boost::asio::this_coro::executor;
    const auto signal = std::make_shared<boost::asio::cancellation_signal>();
    boost::asio::steady_timer timer(executor, parts_.patience);
    timer.async_wait([signal](const boost::system::error_code& failure) {
        if (!failure) signal->emit(boost::asio::cancellation_type::terminal);
    });
    try {
        Lease lease = co_await boost::asio::co_spawn(
            executor, parts_.runtime.lease(agent_id, std::string()),
            boost::asio::bind_cancellation_slot(signal->slot(), boost::asio::use_awaitable));
        co_return lease;
    } catch (const Error& error) {
        if (error.code != ErrorCode::cancelled) throw;
        throw hosted_error(ErrorCode::conflict, "The agent " + agent_id + " is at work; try again", "agentBusy");
    }
}

awaitable<std::vector<DeployedAgent>> TemplateService::deployed_agents(Deployment deployment) const {
    const std::vector<std::string> ids = co_await parts_.templates.agents_of(deployment.organization_id, deployment.id);
    std::vector<DeployedAgent> agents;
    if (ids.empty()) co_return agents;
    std::vector<Agent> rows = co_await parts_.agents.find_all(deployment.organization_id, ids);
    const AgentInclude everything;
    std::vector<AgentState> states = co_await parts_.agent_service.states(std::move(rows), everything);
    for (AgentState& state : states) {
        const std::vector<storage::SealedVariable> sealed = co_await parts_.agents.variables(state.id);
        DeployedAgent& agent = agents.emplace_back();
        agent.state = std::move(state);
        for (const storage::SealedVariable& secret : sealed)
            agent.secrets.emplace_back(secret.name, parts_.sealer.open(secret.sealed_value));
    }
    co_return agents;
}

awaitable<void> TemplateService::migrate(Deployment deployment, FoundTemplate to, std::string actor,
                                         MigrationFlags flags, TextMap memory_variables) const {
    std::vector<std::string> ids = co_await parts_.templates.agents_of(deployment.organization_id, deployment.id);
    if (ids.empty())
        throw hosted_error(ErrorCode::not_found, "Deployment not found: " + deployment.id + " has no agents");
    std::sort(ids.begin(), ids.end());  // two migrations never wait for each other
    std::vector<Lease> leases;
    for (const std::string& id : ids) {
        Lease lease = co_await lease_in_time(id);
        leases.push_back(std::move(lease));
    }
    for (int attempt = 1;; ++attempt) {
        try {
            co_await migrate_once(deployment, to, actor, flags, memory_variables);
            break;
        } catch (const Error& error) {
            if (error.type != changed_meanwhile_type || attempt == attempts_max) throw;
        }
        deployment = co_await find_deployment(deployment.organization_id, deployment.id);
    }
    for (const std::string& id : ids) {
        const auto shown = co_await parts_.runtime.load_refreshed(deployment.organization_id, id, std::string());
        static_cast<void>(shown);
    }
}

// Reads, plans, and writes all of it in one transaction.
awaitable<void> TemplateService::migrate_once(Deployment deployment, FoundTemplate to, std::string actor,
                                              MigrationFlags flags, TextMap memory_variables) const {
    const std::string organization_id = deployment.organization_id;
    std::vector<DeployedAgent> agents = co_await deployed_agents(deployment);
    if (agents.empty()) throw hosted_error(ErrorCode::not_found, "Deployment not found: " + deployment.id);
    const TemplateContent target = co_await content(to);
    const TemplateSnapshot& snapshot = target.snapshot;
    flags = completed(std::move(flags), target.flags);
    const auto from = co_await parts_.templates.version_by_id(organization_id, deployment.template_id);
    const std::string main_id = main_id_of(agents);
    assign_entities(agents, snapshot, deployment.base_template_id == to.found.id, main_id);

    const TextMap given = merged(deployment.memory_variables, memory_variables);
    const std::vector<std::string> kept = kept_blocks(agents, snapshot, flags);
    const TextMap values = values_for(snapshot, given, kept);
    const std::vector<std::string> tools = co_await known_tools(organization_id, snapshot);
    const DeploymentOrigin origin{deployment.project_id, target.template_id, to.found.id, deployment.id, to.found.name};
    MigrationPlan plan =
        plan_migration(agents, from ? &from->snapshot : nullptr, snapshot, flags, values, tools, origin);

    storage::Transaction transaction;
    // Who lets go of a label comes before who takes it.
    for (const AgentMove& move : plan.moves)
        for (const std::string& block_id : move.detach)
            parts_.blocks.detach_if_held(transaction, move.agent_id, block_id);
    for (const Block& block : plan.gone) parts_.blocks.remove(transaction, organization_id, block);
    std::map<std::string, std::string> block_ids, agent_ids;
    for (auto& [entity, block] : plan.blocks) {
        block.updated_at = now();
        block.last_updated_by_id = actor;
        parts_.blocks.update(transaction, organization_id, block, false);
        block_ids[entity] = block.id;
    }
    for (const TemplateBlock* each : plan.fresh_blocks) {
        Block block = make_block(planned_block(*each, values, origin), actor);
        parts_.blocks.insert(transaction, organization_id, block);
        block_ids[each->entityId] = block.id;
        plan.blocks.emplace(each->entityId, std::move(block));
    }
    for (AgentMove& move : plan.moves) {
        for (const std::string& entity : move.attach)
            parts_.blocks.attach(transaction, move.agent_id, plan.blocks.at(entity));
        auto agent = co_await parts_.agents.find(organization_id, move.agent_id);
        if (!agent) throw changed_meanwhile("Agent", move.agent_id);
        agent->agent_type = move.agent_type;
        const bool changed = co_await parts_.agent_service.change(transaction, *agent, std::move(move.request), actor);
        static_cast<void>(changed);  // it is of another version in any case
        agent->template_id = origin.template_id;
        agent->base_template_id = origin.base_template_id;
        agent->entity_id = move.entity_id;
        if (agent->id == main_id) {
            const auto type = parse_manager_type(snapshot.type);
            const bool sleeps = type == ManagerType::sleeptime || type == ManagerType::voice_sleeptime;
            if (sleeps != agent->enable_sleeptime.value_or(false))
                agent->enable_sleeptime = sleeps ? std::optional(true) : std::nullopt;
        }
        agent->updated_at = now();
        agent->last_updated_by_id = actor;
        parts_.agents.update(transaction, *agent);
        agent_ids[move.entity_id] = move.agent_id;
    }
    for (const TemplateAgent* each : plan.fresh_agents) {
        const TextMap no_secrets;
        PlannedAgent planned = planned_agent(snapshot, *each, values, no_secrets, tools, deployment.project_id);
        AgentGiven given_with;
        given_with.origin.template_id = origin.template_id;
        given_with.origin.base_template_id = origin.base_template_id;
        given_with.origin.deployment_id = origin.deployment_id;
        given_with.origin.entity_id = each->entityId;
        given_with.partner = true;
        for (const std::string& entity : planned.block_entities) given_with.blocks.push_back(plan.blocks.at(entity));
        const Agent agent = co_await parts_.agent_service.add(transaction, organization_id, actor,
                                                              std::move(planned.request), std::move(given_with));
        agent_ids[each->entityId] = agent.id;
    }
    auto group = planned_group(snapshot, agent_ids, block_ids, origin);
    co_await move_group(transaction, deployment, std::move(group), actor);
    deployment.base_template_id = origin.base_template_id;
    deployment.template_id = origin.template_id;
    deployment.memory_variables = values;
    deployment.updated_at = now();
    parts_.templates.update_deployment(transaction, deployment);
    co_await parts_.database.commit(std::move(transaction));
}

// The group of the deployment as the version wants it: agents without a place leave it.
awaitable<void> TemplateService::move_group(storage::Transaction& transaction, Deployment deployment,
                                            std::optional<Group> wanted, std::string actor) const {
    const std::string organization_id = deployment.organization_id;
    const std::vector<std::string> ids = co_await parts_.templates.groups_of(organization_id, deployment.id);
    std::optional<Group> before;
    if (!ids.empty()) before = co_await parts_.groups.find(organization_id, ids.front());
    const Timestamp time = now();
    if (before && wanted && before->manager_type == wanted->manager_type) {
        const bool looked_after = before->turns_counter.has_value();
        wanted->id = before->id;
        wanted->version = before->version;
        wanted->description = before->description;
        wanted->hidden = before->hidden;
        if (looked_after) wanted->turns_counter = before->turns_counter;
        wanted->last_updated_by_id = actor;
        wanted->updated_at = time;
        parts_.groups.update(transaction, organization_id, *wanted);
        co_return;
    }
    if (before) parts_.groups.remove(transaction, organization_id, *before);
    if (!wanted) co_return;
    wanted->id = new_id("group");
    wanted->created_by_id = wanted->last_updated_by_id = actor;
    wanted->created_at = wanted->updated_at = time;
    parts_.groups.insert(transaction, organization_id, *wanted);
}

}  // namespace stele::runtime
