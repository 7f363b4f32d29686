// What is made of a template.
#include "base/ids.hpp"
#include "domain/hosted_error.hpp"
#include "domain/template_variables.hpp"
#include "runtime/template_service.hpp"
#include "storage/group_repository.hpp"
#include "storage/idempotency_repository.hpp"

#include <algorithm>

namespace stele::runtime {
namespace {

using boost::asio::awaitable;

constexpr std::size_t suffix_bytes = 2;  // four characters

void add_tags(const std::vector<std::string>& more, CreateAgent& request) {
    std::vector<std::string> tags = request.tags.value_or({});
    for (const std::string& tag : more)
        if (std::find(tags.begin(), tags.end(), tag) == tags.end()) tags.push_back(tag);
    request.tags = std::move(tags);
}

// What the call asks for beyond the template.
void add_wishes(const DeployRequest& wishes, bool is_main, PlannedAgent& planned) {
    CreateAgent& request = planned.request;
    add_tags(wishes.tags.value_or({}), request);
    if (wishes.initial_message_sequence.has_value())
        request.initial_message_sequence = *wishes.initial_message_sequence;
    if (wishes.identity_ids.has_value()) {
        std::vector<std::string> ids = request.identity_ids.value_or({});
        for (const std::string& id : *wishes.identity_ids)
            if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
        if (!ids.empty()) request.identity_ids = std::move(ids);
    }
    if (!is_main) return;
    const std::string name = request.name.has_value() ? *request.name : random_agent_name();
    request.name = wishes.agent_name.has_value() ? *wishes.agent_name : name + "-" + random_hex(suffix_bytes);
}

}  // namespace

// Adds the agent of an entity, whose blocks the transaction has stored before, and gives its id. Who looks after its
// memory is an entity too.
awaitable<std::string> TemplateService::add_agent(storage::Transaction& transaction, DeploymentOrigin origin,
                                                  std::string organization_id, std::string actor, PlannedAgent planned,
                                                  std::vector<Block> blocks) const {
    NewAgent given;
    given.blocks = std::move(blocks);
    NewAgent made =
        co_await parts_.agent_service.prepare(std::move(organization_id), actor, planned.request, std::move(given));
    made.agent.template_id = origin.template_id;
    made.agent.base_template_id = origin.base_template_id;
    made.agent.deployment_id = origin.deployment_id;
    made.agent.entity_id = planned.entity_id;
    parts_.agent_service.insert(transaction, made, planned.request, actor);
    co_return made.agent.id;
}

awaitable<Deployed> TemplateService::deploy(FoundTemplate of, std::string actor, DeployRequest request,
                                            std::optional<std::string> idempotency_key) const {
    const std::string organization_id = of.found.organization_id;
    const TemplateContent made_of = co_await content(of);
    const TemplateSnapshot& snapshot = made_of.snapshot;
    Deployment deployment;
    deployment.id = new_id("deployment");
    deployment.organization_id = organization_id;
    deployment.project_id = of.found.project_id;
    deployment.base_template_id = of.found.id;
    deployment.template_id = made_of.template_id;
    deployment.memory_variables = values_for(snapshot, request.memory_variables.value_or({}));
    deployment.created_by_id = actor;
    deployment.created_at = deployment.updated_at = now();
    const DeploymentOrigin origin{deployment.project_id, deployment.template_id, deployment.base_template_id,
                                  deployment.id, of.found.name};

    storage::Transaction transaction;
    parts_.templates.insert_deployment(transaction, deployment);
    std::map<std::string, Block> blocks;
    std::map<std::string, std::string> block_ids, agent_ids;
    for (const TemplateBlock& each : snapshot.blocks) {
        Block block = make_block(planned_block(each, deployment.memory_variables, origin), actor);
        parts_.blocks.insert(transaction, organization_id, block);
        block_ids[each.entityId] = block.id;
        blocks.emplace(each.entityId, std::move(block));
    }
    const std::vector<std::string> tools = co_await known_ids(organization_id, snapshot);
    const bool sleeps = snapshot.type == "sleeptime" || snapshot.type == "voice_sleeptime";
    Deployed shown;
    for (const TemplateAgent& each : snapshot.agents) {
        PlannedAgent planned = planned_agent(snapshot, each, deployment.memory_variables,
                                             request.tool_variables.value_or({}), tools, deployment.project_id);
        const bool is_main = &each == &main_agent(snapshot);
        add_wishes(request, is_main, planned);
        if (sleeps && is_main) planned.request.enable_sleeptime = true;
        std::vector<Block> held;
        for (const std::string& entity : planned.block_entities) held.push_back(blocks.at(entity));
        std::string id =
            co_await add_agent(transaction, origin, organization_id, actor, std::move(planned), std::move(held));
        agent_ids[each.entityId] = id;
        shown.agent_ids.push_back(std::move(id));
    }
    auto group = planned_group(snapshot, agent_ids, block_ids, origin);
    if (group) {
        group->id = new_id("group");
        group->created_by_id = group->last_updated_by_id = actor;
        group->created_at = group->updated_at = now();
        parts_.groups.insert(transaction, organization_id, *group);
        shown.group_id = group->id;
        shown.group = std::move(group);
    }
    shown.deployment_id = deployment.id;
    if (idempotency_key) parts_.idempotency.keep(transaction, organization_id, *idempotency_key, 201, to_json(shown));
    co_await parts_.database.commit(std::move(transaction));

    std::vector<Agent> agents = co_await parts_.agents.find_all(organization_id, shown.agent_ids);
    const AgentInclude everything;
    shown.agents = co_await parts_.agent_service.states(std::move(agents), everything);
    co_return shown;
}

}  // namespace stele::runtime
