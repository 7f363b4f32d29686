// Parts of deployments, for who puts them together by himself, and deployments as a whole.
#include "api/route.hpp"
#include "base/ids.hpp"
#include "domain/internal_template.hpp"
#include "runtime/agent_service.hpp"
#include "runtime/group_service.hpp"
#include "storage/agent_repository.hpp"
#include "storage/block_repository.hpp"
#include "storage/database.hpp"
#include "storage/group_repository.hpp"
#include "storage/idempotency_repository.hpp"
#include "storage/template_repository.hpp"
#include "storage/tool_repository.hpp"

#include <algorithm>

namespace stele::api {
namespace {

// Those that are gone are left out here.
awaitable<void> drop_unknown_tools(Services& services, std::string organization_id, CreateAgent& request) {
    if (request.tool_ids.has_value()) {
        const std::vector<Tool> found = co_await services.tools.find_by_ids(organization_id, *request.tool_ids);
        std::erase_if(*request.tool_ids, [&](const std::string& id) {
            return std::none_of(found.begin(), found.end(), [&](const Tool& tool) { return tool.id == id; });
        });
    }
    if (request.tools.has_value()) {
        const std::vector<Tool> found = co_await services.tools.find_by_names(organization_id, *request.tools);
        std::erase_if(*request.tools, [&](const std::string& name) {
            return std::none_of(found.begin(), found.end(), [&](const Tool& tool) { return tool.name == name; });
        });
    }
}

awaitable<Response> create_agent(Services& services, const Request& request) {
    auto body = decode<InternalTemplateAgentCreate>(request.body());
    if (!body.project_id.present() && request.project_id) body.project_id = *request.project_id;
    const std::string deployment_id = body.deployment_id, entity_id = body.entity_id;
    CreateAgent wanted = std::move(body);
    co_await drop_unknown_tools(services, request.organization_id, wanted);
    runtime::NewAgent nothing_yet;
    runtime::NewAgent prepared = co_await services.agent_service.prepare(request.organization_id, request.user_id,
                                                                         wanted, std::move(nothing_yet));
    prepared.agent.deployment_id = deployment_id;
    prepared.agent.entity_id = entity_id;
    const Agent& made = prepared.agent;
    storage::Transaction transaction;
    services.agent_service.insert(transaction, prepared, wanted, request.user_id);
    if (request.idempotency_key)
        services.idempotency.keep_made(transaction, request.organization_id, *request.idempotency_key, made.id);
    co_await services.database.commit(std::move(transaction));
    const runtime::AgentInclude everything;
    const AgentState state = co_await services.agent_service.get(request.organization_id, made.id, everything);
    co_return answer(state);
}

awaitable<std::vector<BlockResponse>> make_blocks(Services& services, const Request& request,
                                                  std::vector<InternalTemplateBlockCreate> wanted) {
    std::vector<BlockResponse> made;
    storage::Transaction transaction;
    for (InternalTemplateBlockCreate& each : wanted) {
        if (!each.project_id.present() && request.project_id) each.project_id = *request.project_id;
        made.emplace_back(make_block(std::move(each), request.user_id));
        services.blocks.insert(transaction, request.organization_id, made.back());
    }
    if (request.idempotency_key && made.size() == 1)
        services.idempotency.keep_made(transaction, request.organization_id, *request.idempotency_key, made.front().id);
    co_await services.database.commit(std::move(transaction));
    for (BlockResponse& block : made) block.description = shown_description(block);
    co_return made;
}

awaitable<Response> create_block(Services& services, const Request& request) {
    std::vector<InternalTemplateBlockCreate> wanted;
    wanted.push_back(decode<InternalTemplateBlockCreate>(request.body()));
    const std::vector<BlockResponse> made = co_await make_blocks(services, request, std::move(wanted));
    co_return answer(made.front());
}

awaitable<Response> create_blocks(Services& services, const Request& request) {
    const auto list = parse_json(request.body());
    if (!list || list->text.front() != '[') throw invalid_field("body", "must be a list of blocks");
    auto body = decode<InternalTemplateBlocks>("{\"blocks\":" + list->text + "}");
    const std::vector<BlockResponse> made = co_await make_blocks(services, request, std::move(body.blocks));
    co_return answer(made);
}

awaitable<Response> create_group(Services& services, const Request& request) {
    auto body = decode<InternalTemplateGroupCreate>(request.body());
    if (!body.project_id.present() && request.project_id) body.project_id = *request.project_id;
    runtime::GroupOrigin origin;
    origin.template_id = body.template_id;
    origin.base_template_id = body.base_template_id;
    origin.deployment_id = body.deployment_id;
    GroupCreate wanted = std::move(body);
    const Group made = co_await services.group_service.create(
        request.organization_id, request.user_id, std::move(wanted), request.idempotency_key, std::move(origin));
    co_return answer(made);
}

struct DeploymentParts {
    std::vector<std::string> block_ids, agent_ids, group_ids;
};

awaitable<DeploymentParts> parts_of(Services& services, const Request& request) {
    const std::string id = request.path("deployment_id");
    DeploymentParts parts;
    parts.block_ids = co_await services.templates.blocks_of(request.organization_id, id);
    parts.agent_ids = co_await services.templates.agents_of(request.organization_id, id);
    parts.group_ids = co_await services.templates.groups_of(request.organization_id, id);
    co_return parts;
}

// Which of block, agent and group are wanted; all if none of the words is known. One value may hold several.
bool wanted_type(const Request& request, std::string_view type) {
    bool any = false, found = false;
    for (const std::string& value : request.query.list("entity_types"))
        for (const std::string_view known : {"block", "agent", "group"})
            if (("," + value + ",").find("," + std::string(known) + ",") != std::string::npos) {
                any = true;
                found = found || known == type;
            }
    return !any || found;
}

awaitable<Response> list_entities(Services& services, const Request& request) {
    const DeploymentParts parts = co_await parts_of(services, request);
    ListDeploymentEntitiesResponse shown;
    if (wanted_type(request, "block") && !parts.block_ids.empty()) {
        const std::vector<Block> blocks = co_await services.blocks.find_all(request.organization_id, parts.block_ids);
        for (const Block& block : blocks)
            shown.entities.push_back(
                {block.id, "block", block.label, block.description, block.entity_id, block.project_id});
    }
    if (wanted_type(request, "agent") && !parts.agent_ids.empty()) {
        const std::vector<Agent> agents = co_await services.agents.find_all(request.organization_id, parts.agent_ids);
        for (const Agent& agent : agents)
            shown.entities.push_back(
                {agent.id, "agent", agent.name, agent.description, agent.entity_id, agent.project_id});
    }
    for (const std::string& id : parts.group_ids) {
        if (!wanted_type(request, "group")) break;
        const auto group = co_await services.groups.find(request.organization_id, id);
        if (!group) continue;
        DeploymentEntity entity;
        entity.id = group->id;
        entity.type = "group";
        entity.description = group->description;
        entity.project_id = group->project_id;
        shown.entities.push_back(std::move(entity));
    }
    shown.total_count = static_cast<std::int64_t>(shown.entities.size());
    shown.deployment_id = request.path("deployment_id");
    shown.message = std::to_string(shown.total_count) + " entities belong to the deployment";
    co_return answer(shown);
}

awaitable<Response> remove(Services& services, const Request& request) {
    const DeploymentParts parts = co_await parts_of(services, request);
    DeleteDeploymentResponse shown;
    for (const std::string& id : parts.group_ids) {  // first: those who look after a memory go with their group
        const auto group = co_await services.groups.find(request.organization_id, id);
        if (!group) continue;
        storage::Transaction transaction;
        services.groups.remove(transaction, request.organization_id, *group);
        co_await services.database.commit(std::move(transaction));
        shown.deleted_groups.push_back(id);
    }
    for (const std::string& id : parts.agent_ids) {
        const bool there = co_await services.agents.exists(request.organization_id, id);
        if (!there) continue;
        co_await services.agent_service.remove(request.organization_id, id);
        shown.deleted_agents.push_back(id);
    }
    for (const std::string& id : parts.block_ids) {
        const auto block = co_await services.blocks.find(request.organization_id, id);
        if (!block) continue;
        storage::Transaction transaction;
        services.blocks.remove(transaction, request.organization_id, *block);
        co_await services.database.commit(std::move(transaction));
        shown.deleted_blocks.push_back(id);
    }
    shown.message = "The deployment " + request.path("deployment_id") + " is deleted";
    co_return answer(shown);
}

}  // namespace

#define STELE_INTERNAL "/v1/_internal_templates/"

std::span<const Route> internal_template_routes() {
    static constexpr Route routes[] = {
        {Method::post, STELE_INTERNAL "agents", create_agent, "internal_templates.create_agent",
         "InternalTemplateAgentCreate", "AgentState"},
        {Method::post, STELE_INTERNAL "blocks", create_block, "internal_templates.create_block",
         "InternalTemplateBlockCreate", "BlockResponse"},
        {Method::post, STELE_INTERNAL "blocks/batch", create_blocks, "internal_templates.create_blocks",
         "InternalTemplateBlockCreate[]", "BlockResponse[]"},
        {Method::post, STELE_INTERNAL "groups", create_group, "internal_templates.create_group",
         "InternalTemplateGroupCreate", "Group"},
        {Method::get, STELE_INTERNAL "deployment/{deployment_id}", list_entities,
         "internal_templates.list_deployment_entities", "", "ListDeploymentEntitiesResponse", "entity_types[]"},
        {Method::delete_, STELE_INTERNAL "deployment/{deployment_id}", remove, "internal_templates.delete_deployment",
         "", "DeleteDeploymentResponse"},
    };
    return routes;
}

}  // namespace stele::api
