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

/// One attempt to move a deployment.
struct TemplateService::Migration {
    Deployment deployment;
    std::string actor, main_id;
    TemplateSnapshot snapshot;  ///< of the version; `plan` points into it
    DeploymentOrigin origin;
    TextMap values;
    std::vector<std::string> tools;
    MigrationPlan plan;
    storage::Transaction transaction;
    std::map<std::string, std::string> block_ids, agent_ids;  ///< by entity
};

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
    std::vector<DeployedAgent> agents = co_await deployed_agents(deployment);
    if (agents.empty()) throw hosted_error(ErrorCode::not_found, "Deployment not found: " + deployment.id);
    const TemplateContent target = co_await content(to);
    flags = completed(std::move(flags), target.flags);
    const auto from = co_await parts_.templates.version_by_id(deployment.organization_id, deployment.template_id);
    Migration at;
    at.actor = std::move(actor);
    at.main_id = main_id_of(agents);
    at.snapshot = target.snapshot;
    at.origin = {deployment.project_id, target.template_id, to.found.id, deployment.id, to.found.name};
    assign_entities(agents, at.snapshot, deployment.base_template_id == to.found.id, at.main_id);
    const TextMap given = merged(deployment.memory_variables, memory_variables);
    at.values = values_for(at.snapshot, given, kept_blocks(agents, at.snapshot, flags));
    at.tools = co_await known_ids(deployment.organization_id, at.snapshot);
    at.plan =
        plan_migration(agents, from ? &from->snapshot : nullptr, at.snapshot, flags, at.values, at.tools, at.origin);
    at.deployment = std::move(deployment);

    write_blocks(at);
    co_await move_agents(at);
    co_await add_agents(at);
    auto group = planned_group(at.snapshot, at.agent_ids, at.block_ids, at.origin);
    co_await move_group(at, std::move(group));
    at.deployment.base_template_id = at.origin.base_template_id;
    at.deployment.template_id = at.origin.template_id;
    at.deployment.memory_variables = at.values;
    at.deployment.updated_at = now();
    parts_.templates.update_deployment(at.transaction, at.deployment);
    co_await parts_.database.commit(std::move(at.transaction));
}

// Who lets go of a label comes before who takes it.
void TemplateService::write_blocks(Migration& at) const {
    const std::string& organization_id = at.deployment.organization_id;
    for (const AgentMove& move : at.plan.moves)
        for (const std::string& block_id : move.detach)
            parts_.blocks.detach_if_held(at.transaction, move.agent_id, block_id);
    for (const Block& block : at.plan.gone) parts_.blocks.remove(at.transaction, organization_id, block);
    for (auto& [entity, block] : at.plan.blocks) {
        block.updated_at = now();
        block.last_updated_by_id = at.actor;
        BlockOrigin author;
        author.user_id = at.actor;
        parts_.blocks.update(at.transaction, organization_id, block, false, author);
        at.block_ids[entity] = block.id;
    }
    for (const TemplateBlock* each : at.plan.fresh_blocks) {
        Block block = make_block(planned_block(*each, at.values, at.origin), at.actor);
        parts_.blocks.insert(at.transaction, organization_id, block);
        at.block_ids[each->entityId] = block.id;
        at.plan.blocks.emplace(each->entityId, std::move(block));
    }
}

awaitable<void> TemplateService::move_agents(Migration& at) const {
    const auto type = parse_manager_type(at.snapshot.type);
    const bool sleeps = type == ManagerType::sleeptime || type == ManagerType::voice_sleeptime;
    for (AgentMove& move : at.plan.moves) {
        for (const std::string& entity : move.attach)
            parts_.blocks.attach(at.transaction, move.agent_id, at.plan.blocks.at(entity));
        auto agent = co_await parts_.agents.find(at.deployment.organization_id, move.agent_id);
        if (!agent) throw changed_meanwhile("Agent", move.agent_id);
        agent->agent_type = move.agent_type;
        const bool changed =
            co_await parts_.agent_service.change(at.transaction, *agent, std::move(move.request), at.actor);
        static_cast<void>(changed);  // it is of another version in any case
        agent->template_id = at.origin.template_id;
        agent->base_template_id = at.origin.base_template_id;
        agent->entity_id = move.entity_id;
        if (agent->id == at.main_id && sleeps != agent->enable_sleeptime.value_or(false))
            agent->enable_sleeptime = sleeps ? std::optional(true) : std::nullopt;
        agent->updated_at = now();
        agent->last_updated_by_id = at.actor;
        parts_.agents.update(at.transaction, *agent);
        at.agent_ids[move.entity_id] = move.agent_id;
    }
}

// Those that are new in the version.
awaitable<void> TemplateService::add_agents(Migration& at) const {
    const TextMap no_secrets;
    for (const TemplateAgent* each : at.plan.fresh_agents) {
        PlannedAgent planned =
            planned_agent(at.snapshot, *each, at.values, no_secrets, at.tools, at.deployment.project_id);
        std::vector<Block> held;
        for (const std::string& entity : planned.block_entities) held.push_back(at.plan.blocks.at(entity));
        std::string id = co_await add_agent(at.transaction, at.origin, at.deployment.organization_id, at.actor,
                                            std::move(planned), std::move(held));
        at.agent_ids[each->entityId] = std::move(id);
    }
}

// The group of the deployment as the version wants it: agents without a place leave it.
awaitable<void> TemplateService::move_group(Migration& at, std::optional<Group> wanted) const {
    const std::string organization_id = at.deployment.organization_id;
    const std::vector<std::string> ids = co_await parts_.templates.groups_of(organization_id, at.deployment.id);
    std::optional<Group> before;
    if (!ids.empty()) before = co_await parts_.groups.find(organization_id, ids.front());
    if (wanted) {
        wanted->last_updated_by_id = at.actor;
        wanted->updated_at = now();
    }
    if (before && wanted && before->manager_type == wanted->manager_type) {
        wanted->id = before->id;
        wanted->version = before->version;
        wanted->description = before->description;
        parts_.groups.update(at.transaction, organization_id, *wanted);
        co_return;
    }
    if (before) parts_.groups.remove(at.transaction, organization_id, *before);
    if (!wanted) co_return;
    wanted->id = new_id("group");
    wanted->created_by_id = at.actor;
    wanted->created_at = wanted->updated_at;
    parts_.groups.insert(at.transaction, organization_id, *wanted);
}

}  // namespace stele::runtime
