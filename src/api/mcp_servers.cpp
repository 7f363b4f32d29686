#include "api/mcp_common.hpp"
#include "base/json_text.hpp"
#include "domain/tool_request.hpp"
#include "storage/mcp_server_repository.hpp"
#include "tools/mcp/client.hpp"
#include "tools/mcp/tool_sync.hpp"

#include <algorithm>

namespace stele::api {
namespace {

constexpr std::int64_t list_limit = 200;

Response shown(const Services& services, const McpServer& server) { return answer(shown_mcp_server(services, server)); }

awaitable<McpServer> find(Services& services, const Request& request) {
    const std::string id = request.path_id("mcp_server_id", "mcp_server");
    auto server = co_await services.mcp_servers.find(request.organization_id, id);
    if (!server) throw not_found("MCP server", id);
    co_return std::move(*server);
}

awaitable<Tool> find_tool(Services& services, const Request& request, const McpServer& server) {
    const std::string id = request.path_id("tool_id", "tool");
    std::vector<storage::McpToolLink> links =
        co_await services.mcp_servers.tools_of(request.organization_id, server.id);
    const auto link =
        std::find_if(links.begin(), links.end(), [&](const storage::McpToolLink& each) { return each.tool.id == id; });
    if (link == links.end()) throw not_found("Tool", id);
    co_return std::move(link->tool);
}

awaitable<Response> create(Services& services, const Request& request) {
    auto body = decode<CreateMcpServer>(request.body());
    const McpServerType type = type_of(body.config, body.config.mcp_server_type);
    McpServer server = described_mcp_server(request, std::move(body.server_name), type, std::move(body.config));
    server = co_await create_mcp_server(services, request, std::move(server), "body.config");
    co_return shown(services, server);
}

awaitable<Response> list(Services& services, const Request& request) {
    storage::Page page = page_of(request.query, {.limit = list_limit, .ascending = true});
    std::vector<McpServerAnswer> answers;
    for (const McpServer& server : co_await services.mcp_servers.list(request.organization_id, std::move(page)))
        answers.push_back(shown_mcp_server(services, server));
    co_return answer(answers);
}

awaitable<Response> retrieve(Services& services, const Request& request) {
    const McpServer server = co_await find(services, request);
    co_return shown(services, server);
}

awaitable<Response> update(Services& services, const Request& request) {
    if (services.mcp.options().from_file) co_return mcp_servers_are_in_a_file();
    auto body = decode<UpdateMcpServer>(request.body());
    McpServer server = co_await find(services, request);
    if (body.config.mcp_server_type.has_value() && *body.config.mcp_server_type != server.type)
        throw invalid_field("body.config.mcp_server_type", "can't be changed: make a new server");
    server = co_await update_mcp_server(services, request, std::move(server), body.server_name.optional(),
                                        std::move(body.config), "body.config");
    co_return shown(services, server);
}

awaitable<Response> remove(Services& services, const Request& request) {
    McpServer server = co_await find(services, request);
    co_await delete_mcp_server(services, std::move(server));
    Response response;
    response.status = 204;
    co_return response;
}

awaitable<Response> list_tools(Services& services, const Request& request) {
    const McpServer server = co_await find(services, request);
    std::vector<Tool> tools;
    for (storage::McpToolLink& link : co_await services.mcp_servers.tools_of(request.organization_id, server.id))
        tools.push_back(std::move(link.tool));
    co_return answer(tools);
}

awaitable<Response> retrieve_tool(Services& services, const Request& request) {
    const McpServer server = co_await find(services, request);
    const Tool tool = co_await find_tool(services, request, server);
    co_return answer(tool);
}

awaitable<Response> approve_tool(Services& services, const Request& request) {
    McpServer server = co_await find(services, request);
    const std::string id = request.path_id("tool_id", "tool");
    const Tool tool = co_await services.mcp_sync.approve(std::move(server), request.user_id, id);
    co_return answer(tool);
}

awaitable<Response> run_tool(Services& services, const Request& request) {
    const auto body = decode_optional<ToolExecuteRequest>(request);
    const McpServer server = co_await find(services, request);
    Tool tool = co_await find_tool(services, request, server);
    tools::mcp::Caller caller;
    caller.organization_id = request.organization_id;
    std::string arguments = body.args.text;
    tools::mcp::CallResult result =
        co_await services.mcp.call(std::move(tool), std::move(arguments), std::move(caller));
    ToolExecutionResult outcome;
    outcome.status = result.ok ? "success" : "error";
    outcome.func_return.text = json_string(result.text);
    co_return answer(outcome);
}

awaitable<Response> refresh(Services& services, const Request& request) {
    McpServer server = co_await find(services, request);
    const bool approve = request.query.flag("approve").value_or(false);
    tools::mcp::Caller caller = co_await mcp_caller(services, request);
    try {
        const McpResync changes =
            co_await services.mcp_sync.resync(std::move(server), request.user_id, approve, std::move(caller));
        co_return answer(changes);
    } catch (const Error& error) {
        if (error.code == ErrorCode::conflict || error.code == ErrorCode::internal) throw;
        throw mcp_failure(error);
    }
}

awaitable<Response> connect(Services& services, const Request& request) {
    McpServer server = co_await find(services, request);
    co_return mcp_connect_stream(services, request, std::move(server));
}

}  // namespace

std::span<const Route> mcp_server_routes() {
    static constexpr Route routes[] = {
        {Method::get, "/v1/mcp-servers", list, "mcp_servers.list", "", "MCPServer[]", "", Trait::paged},
        {Method::post, "/v1/mcp-servers", create, "mcp_servers.create", "CreateMCPServerRequest", "MCPServer"},
        {Method::get, "/v1/mcp-servers/connect/{mcp_server_id}", connect, "mcp_servers.connect", "",
         "text/event-stream"},
        {Method::get, "/v1/mcp-servers/{mcp_server_id}", retrieve, "mcp_servers.retrieve", "", "MCPServer"},
        {Method::patch, "/v1/mcp-servers/{mcp_server_id}", update, "mcp_servers.update", "UpdateMCPServerRequest",
         "MCPServer"},
        {Method::delete_, "/v1/mcp-servers/{mcp_server_id}", remove, "mcp_servers.delete", "", "", "",
         Trait::no_content},
        {Method::patch, "/v1/mcp-servers/{mcp_server_id}/refresh", refresh, "mcp_servers.refresh", "", "MCPResync",
         "agent_id, approve:boolean"},
        {Method::get, "/v1/mcp-servers/{mcp_server_id}/tools", list_tools, "mcp_servers.tools.list", "", "Tool[]"},
        {Method::get, "/v1/mcp-servers/{mcp_server_id}/tools/{tool_id}", retrieve_tool, "mcp_servers.tools.retrieve",
         "", "Tool"},
        {Method::post, "/v1/mcp-servers/{mcp_server_id}/tools/{tool_id}/approve", approve_tool,
         "mcp_servers.tools.approve", "", "Tool"},
        {Method::post, "/v1/mcp-servers/{mcp_server_id}/tools/{tool_id}/run", run_tool, "mcp_servers.tools.run",
         "ToolExecuteRequest?", "ToolExecutionResult"},
    };
    return routes;
}

}  // namespace stele::api
