#include "api/agent_query.hpp"
#include "api/block_answer.hpp"
#include "domain/answer.hpp"
#include "runtime/agent_service.hpp"
#include "storage/agent_repository.hpp"
#include "storage/block_repository.hpp"
#include "storage/database.hpp"
#include "storage/template_repository.hpp"
#include "storage/tool_repository.hpp"

namespace stele::api {
namespace {

awaitable<void> demand_agent(const Services& services, std::string organization_id, std::string agent_id) {
    const bool there = co_await services.agents.exists(std::move(organization_id), agent_id);
    if (!there) throw not_found("Agent", agent_id);
}

// The block of an agent by its label.
awaitable<Block> block_by_label(const Services& services, const Request& request) {
    const std::string agent_id = request.path_id("agent_id", "agent");
    const std::string label = request.path("block_label");
    co_await demand_agent(services, request.organization_id, agent_id);
    std::vector<Block> blocks = co_await services.blocks.of_agent(agent_id);
    const auto block =
        std::find_if(blocks.begin(), blocks.end(), [&](const Block& each) { return each.label == label; });
    if (block == blocks.end())
        throw Error(ErrorCode::not_found, "Block '" + label + "' not found on agent " + agent_id);
    co_return std::move(*block);
}

awaitable<Response> core_memory(Services& services, const Request& request) {
    const std::string agent_id = request.path_id("agent_id", "agent");
    runtime::AgentInclude include;
    include.tools = include.tags = include.secrets = include.group = false;
    const AgentState state = co_await services.agent_service.get(request.organization_id, agent_id, include);
    co_return answer(state.memory);
}

// Those of the deployment; an agent that was not made of a template has none.
awaitable<Response> variables(Services& services, const Request& request) {
    const std::string agent_id = request.path_id("agent_id", "agent");
    const auto agent = co_await services.agents.find(request.organization_id, agent_id);
    if (!agent) throw not_found("Agent", agent_id);
    MemoryVariables shown;
    if (!agent->deployment_id) co_return answer(shown);
    auto deployment = co_await services.templates.find_deployment(request.organization_id, *agent->deployment_id);
    if (deployment) shown.variables = std::move(deployment->memory_variables);
    co_return answer(shown);
}

awaitable<Response> list_blocks(Services& services, const Request& request) {
    const std::string agent_id = request.path_id("agent_id", "agent");
    storage::Page page = page_of(request.query, {.limit = 100});
    co_await demand_agent(services, request.organization_id, agent_id);
    std::vector<Block> blocks =
        co_await services.blocks.page_of_agent(request.organization_id, agent_id, std::move(page));
    std::vector<BlockResponse> shown;
    for (Block& block : blocks) shown.emplace_back(std::move(block));
    co_return answer(shown);
}

awaitable<Response> retrieve_block(Services& services, const Request& request) {
    Block block = co_await block_by_label(services, request);
    co_return block_answer(std::move(block));
}

// Both answer the agent as it is now, for both generations of clients.
awaitable<Response> whole_agent(Services& services, std::string organization_id, std::string agent_id) {
    const runtime::AgentInclude everything;
    const AgentState state =
        co_await services.agent_service.get(std::move(organization_id), std::move(agent_id), everything);
    co_return answer(state);
}

awaitable<Response> attach_block(Services& services, const Request& request) {
    const std::string agent_id = request.path_id("agent_id", "agent"), block_id = request.path_id("block_id", "block");
    co_await demand_agent(services, request.organization_id, agent_id);
    const auto block = co_await services.blocks.find(request.organization_id, block_id);
    if (!block) throw not_found("Block", block_id);
    storage::Transaction transaction;
    services.blocks.attach(transaction, agent_id, *block);
    co_await services.database.commit(std::move(transaction));
    co_return co_await whole_agent(services, request.organization_id, agent_id);
}

awaitable<Response> detach_block(Services& services, const Request& request) {
    const std::string agent_id = request.path_id("agent_id", "agent"), block_id = request.path_id("block_id", "block");
    co_await demand_agent(services, request.organization_id, agent_id);
    storage::Transaction transaction;
    services.blocks.detach(transaction, agent_id, block_id);
    co_await services.database.commit(std::move(transaction));
    co_return co_await whole_agent(services, request.organization_id, agent_id);
}

awaitable<Response> list_tools(Services& services, const Request& request) {
    const std::string agent_id = request.path_id("agent_id", "agent");
    storage::Page page = page_of(request.query, {.limit = 10});
    co_await demand_agent(services, request.organization_id, agent_id);
    const std::vector<Tool> tools =
        co_await services.tools.page_of_agent(request.organization_id, agent_id, std::move(page));
    co_return answer(tools);
}

// Generation 2 expects null here, generation 1 the agent.
awaitable<Response> agent_or_null(Services& services, const Request& request, std::string agent_id) {
    if (request.generation_2) co_return json_answer("null");
    co_return co_await whole_agent(services, request.organization_id, std::move(agent_id));
}

awaitable<Response> attach_tool(Services& services, const Request& request) {
    const std::string agent_id = request.path_id("agent_id", "agent"), tool_id = request.path_id("tool_id", "tool");
    auto agent = co_await services.agents.find(request.organization_id, agent_id);
    if (!agent) throw not_found("Agent", agent_id);
    const auto tool = co_await services.tools.find(request.organization_id, tool_id);
    if (!tool) throw not_found("Tool", tool_id);
    storage::Transaction transaction;
    services.tools.attach(transaction, agent_id, tool_id);
    if (tool->default_requires_approval.value_or(false)) {
        add_approval_rule(agent->tool_rules, tool->name);
        services.agents.update(transaction, *agent);
    }
    co_await services.database.commit(std::move(transaction));
    co_return co_await agent_or_null(services, request, agent_id);
}

awaitable<Response> detach_tool(Services& services, const Request& request) {
    const std::string agent_id = request.path_id("agent_id", "agent"), tool_id = request.path_id("tool_id", "tool");
    auto agent = co_await services.agents.find(request.organization_id, agent_id);
    if (!agent) throw not_found("Agent", agent_id);
    const auto tool = co_await services.tools.find(request.organization_id, tool_id);
    storage::Transaction transaction;
    services.tools.detach(transaction, agent_id, tool_id);
    if (tool && tool->default_requires_approval.value_or(false)) {
        remove_approval_rule(agent->tool_rules, tool->name);
        services.agents.update(transaction, *agent);
    }
    co_await services.database.commit(std::move(transaction));
    co_return co_await agent_or_null(services, request, agent_id);
}

// The switch comes in the body or in the query; the body wins.
bool wanted_approval(const Request& request) {
    const auto body = decode_optional<ModifyApprovalRequest>(request);
    if (body.requires_approval.has_value()) return *body.requires_approval;
    if (body.body_requires_approval.has_value()) return *body.body_requires_approval;
    const auto query = request.query.flag("requires_approval");
    if (!query) throw invalid_field("body.requires_approval", "is required, here or in the query");
    return *query;
}

awaitable<Response> modify_approval(Services& services, const Request& request) {
    const std::string agent_id = request.path_id("agent_id", "agent"), name = request.path("tool_name");
    const bool wanted = wanted_approval(request);
    auto agent = co_await services.agents.find(request.organization_id, agent_id);
    if (!agent) throw not_found("Agent", agent_id);
    const std::vector<Tool> tools = co_await services.tools.of_agent(agent_id);
    if (std::none_of(tools.begin(), tools.end(), [&](const Tool& tool) { return tool.name == name; }))
        throw Error(ErrorCode::not_found, "Agent " + agent_id + " has no tool '" + name + "'");
    std::vector<ToolRule> rules = agent->tool_rules;
    if (wanted)
        add_approval_rule(rules, name);
    else
        remove_approval_rule(rules, name);
    if (rules != agent->tool_rules) {
        agent->tool_rules = std::move(rules);
        storage::Transaction transaction;
        services.agents.update(transaction, *agent);
        co_await services.database.commit(std::move(transaction));
    }
    co_return co_await agent_or_null(services, request, agent_id);
}

}  // namespace

awaitable<Response> update_block_of_agent(Services& services, const Request& request) {
    auto change = decode<BlockUpdate>(request.body());
    Block block = co_await block_by_label(services, request);
    co_return co_await change_block(services, request, std::move(block), std::move(change));
}

std::span<const Route> agent_link_routes() {
    static constexpr Route routes[] = {
        {Method::get, "/v1/agents/{agent_id}/core-memory", core_memory, "agents.core_memory.retrieve", "",
         "AgentMemory"},
        {Method::get, "/v1/agents/{agent_id}/core-memory/variables", variables, "agents.memory_variables.list", "",
         "MemoryVariables"},
        {Method::get, "/v1/agents/{agent_id}/memory-variables", variables, "agents.memory_variables.list_alias", "",
         "MemoryVariables"},
        {Method::get, "/v1/agents/{agent_id}/core-memory/blocks", list_blocks, "agents.blocks.list", "",
         "BlockResponse[]", "", Trait::paged},
        {Method::get, "/v1/agents/{agent_id}/blocks", list_blocks, "agents.blocks.list_alias", "", "BlockResponse[]",
         "", Trait::paged},
        {Method::get, "/v1/agents/{agent_id}/core-memory/blocks/{block_label...}", retrieve_block,
         "agents.blocks.retrieve", "", "BlockResponse"},
        {Method::patch, "/v1/agents/{agent_id}/core-memory/blocks/attach/{block_id}", attach_block,
         "agents.blocks.attach", "", "AgentState"},
        {Method::patch, "/v1/agents/{agent_id}/core-memory/blocks/detach/{block_id}", detach_block,
         "agents.blocks.detach", "", "AgentState"},
        {Method::patch, "/v1/agents/{agent_id}/core-memory/blocks/{block_label...}", update_block_of_agent,
         "agents.blocks.update", "BlockUpdate", "BlockResponse"},
        {Method::get, "/v1/agents/{agent_id}/tools", list_tools, "agents.tools.list", "", "Tool[]", "", Trait::paged},
        {Method::patch, "/v1/agents/{agent_id}/tools/attach/{tool_id}", attach_tool, "agents.tools.attach", "",
         "AgentState?"},
        {Method::patch, "/v1/agents/{agent_id}/tools/detach/{tool_id}", detach_tool, "agents.tools.detach", "",
         "AgentState?"},
        {Method::patch, "/v1/agents/{agent_id}/tools/approval/{tool_name}", modify_approval,
         "agents.tools.modify_approval", "ModifyApprovalRequest?", "AgentState?", "requires_approval:boolean"},
    };
    return routes;
}

}  // namespace stele::api
