#include "api/mcp_common.hpp"
#include "base/json_text.hpp"
#include "domain/tool_request.hpp"
#include "storage/mcp_server_repository.hpp"
#include "tools/mcp/client.hpp"
#include "tools/mcp/oauth_login.hpp"
#include "tools/mcp/tool_sync.hpp"

namespace stele::api {
namespace {

constexpr std::int64_t everything = 10'000;

// These routes say what failed by a code of their own.
Error coded(ErrorCode code, const char* name, const std::string& message, const std::string& server_name) {
    Error error(code, message);
    error.detail_json = "{\"code\":" + json_string(name) + ",\"message\":" + json_string(message) +
                        ",\"mcp_server_name\":" + json_string(server_name) + "}";
    return error;
}

awaitable<McpServer> find_named(Services& services, const Request& request, std::string name) {
    auto server = co_await services.mcp_servers.find_by_name(request.organization_id, name);
    if (!server)
        throw coded(ErrorCode::not_found, "MCPServerNotFoundError", "There is no MCP server named '" + name + "'",
                    name);
    co_return std::move(*server);
}

// The name in the path, the query or the body, as this spelling of the route has it.
std::string name_of(const Request& request, std::string_view parameter, const Patch<std::string>& in_body) {
    for (const auto& [name, value] : request.path_values)
        if (name == parameter) return value;
    if (auto in_query = request.query.text(parameter)) return std::move(*in_query);
    if (in_body.has_value() && !in_body->empty()) return *in_body;
    throw invalid_field("query." + std::string(parameter), "is required");
}

awaitable<std::vector<McpServer>> all_servers(Services& services, const Request& request) {
    storage::Page page;
    page.limit = everything;
    page.ascending = true;
    std::vector<McpServer> servers = co_await services.mcp_servers.list(request.organization_id, std::move(page));
    co_return servers;
}

awaitable<Response> list_answer(Services& services, const Request& request) {
    std::vector<McpServerConfigAnswer> answers;
    for (const McpServer& server : co_await all_servers(services, request))
        answers.push_back(shown_mcp_config(services, server));
    co_return answer(answers);
}

awaitable<Response> list(Services& services, const Request& request) {
    std::string body = "{";
    for (const McpServer& server : co_await all_servers(services, request)) {
        if (body.size() > 1) body += ',';
        body += json_string(server.server_name) + ":" + to_json(shown_mcp_config(services, server));
    }
    co_return json_answer(body + "}");
}

McpServer server_of(const Request& request, McpServerConfig body) {
    const McpServerType type = type_of(body, body.type);
    std::string name = std::move(body.server_name);
    return described_mcp_server(request, std::move(name), type, std::move(body));
}

awaitable<Response> add(Services& services, const Request& request) {
    McpServer server = server_of(request, decode<McpServerConfig>(request.body()));
    co_await create_mcp_server(services, request, std::move(server), "body");
    co_return co_await list_answer(services, request);
}

awaitable<Response> update(Services& services, const Request& request) {
    if (services.mcp.options().from_file) co_return mcp_servers_are_in_a_file();
    auto body = decode<UpdateMcpServerByName>(request.body());
    std::string name = name_of(request, "mcp_server_name", body.mcp_server_name);
    McpServer server = co_await find_named(services, request, std::move(name));
    McpConfig change = body.stdio_config.has_value() && server.type == McpServerType::stdio
                           ? std::move(*body.stdio_config)
                           : static_cast<McpConfig>(body);
    server = co_await update_mcp_server(services, request, std::move(server), body.server_name.optional(),
                                        std::move(change), "body");
    co_return answer(shown_mcp_config(services, server));
}

awaitable<Response> remove(Services& services, const Request& request) {
    const auto body = decode_optional<McpToolReference>(request);
    std::string name = name_of(request, "mcp_server_name", body.mcp_server_name);
    McpServer server = co_await find_named(services, request, std::move(name));
    co_await delete_mcp_server(services, std::move(server));
    co_return co_await list_answer(services, request);
}

awaitable<Response> list_tools(Services& services, const Request& request) {
    std::string name = name_of(request, "mcp_server_name", {});
    McpServer server = co_await find_named(services, request, std::move(name));
    tools::mcp::Caller caller = co_await mcp_caller(services, request);
    const std::vector<McpTool> tools = co_await offered_mcp_tools(services, std::move(server), std::move(caller));
    co_return answer(tools);
}

awaitable<Response> import_tool(Services& services, const Request& request) {
    const auto body = decode_optional<McpToolReference>(request);
    std::string server_name = name_of(request, "mcp_server_name", body.mcp_server_name);
    std::string tool_name = name_of(request, "mcp_tool_name", body.mcp_tool_name);
    McpServer server = co_await find_named(services, request, std::move(server_name));
    try {
        const Tool tool = co_await services.mcp_sync.import(std::move(server), request.user_id, std::move(tool_name));
        co_return answer(tool);
    } catch (const Error& error) {
        const bool servers_fault = error.code == ErrorCode::timed_out || error.code == ErrorCode::unavailable ||
                                   error.code == ErrorCode::permission_denied ||
                                   error.code == ErrorCode::unauthenticated;
        if (!servers_fault) throw;
        throw mcp_failure(error);
    }
}

awaitable<Response> execute(Services& services, const Request& request) {
    const auto body = decode_optional<ToolExecuteRequest>(request);
    McpServer server = co_await find_named(services, request, request.path("mcp_server_name"));
    tools::mcp::Caller caller = co_await mcp_caller(services, request);
    std::string arguments = body.args.text;
    const tools::mcp::CallResult result = co_await services.mcp.call(std::move(server), request.path("tool_name"),
                                                                     std::move(arguments), std::move(caller));
    if (!result.ok && result.answered) throw refused(result.text);
    if (!result.ok) throw mcp_failure(Error(ErrorCode::unavailable, result.text));
    McpExecuteAnswer shown;
    shown.result.text = json_string(result.text);
    co_return answer(shown);
}

awaitable<Response> resync(Services& services, const Request& request) {
    const std::string name = request.path("mcp_server_name");
    McpServer server = co_await find_named(services, request, name);
    const bool approve = request.query.flag("approve").value_or(false);
    tools::mcp::Caller caller = co_await mcp_caller(services, request);
    try {
        const McpResync changes =
            co_await services.mcp_sync.resync(std::move(server), request.user_id, approve, std::move(caller));
        co_return answer(changes);
    } catch (const Error& error) {
        if (error.code == ErrorCode::conflict || error.code == ErrorCode::internal) throw;
        throw coded(ErrorCode::not_found, "MCPServerUnavailable", error.what(), name);
    }
}

awaitable<Response> test(Services& services, const Request& request) {
    McpServer server = server_of(request, decode<McpServerConfig>(request.body()));
    check_mcp_server(services, server, "body");
    tools::mcp::Caller caller = co_await mcp_caller(services, request);
    co_await services.mcp_oauth.lend_login(server);
    McpTestAnswer shown;
    shown.tools = co_await offered_mcp_tools(services, std::move(server), std::move(caller));
    co_return answer(shown);
}

awaitable<Response> connect(Services& services, const Request& request) {
    McpServer server = server_of(request, decode<McpServerConfig>(request.body()));
    check_mcp_server(services, server, "body");
    co_return mcp_connect_stream(services, request, std::move(server));
}

}  // namespace

std::span<const Route> mcp_by_name_routes() {
    constexpr std::string_view names = "mcp_server_name", both = "mcp_server_name, mcp_tool_name";
    static constexpr Route routes[] = {
        {Method::get, "/v1/tools/mcp/servers", list, "tools.list_mcp_servers", "", "MCPServerConfigs"},
        {Method::put, "/v1/tools/mcp/servers", add, "tools.add_mcp_server", "MCPServerConfigRequest",
         "MCPServerConfig[]"},
        {Method::post, "/v1/tools/mcp/servers/test", test, "tools.test_mcp_server", "MCPServerConfigRequest",
         "MCPTestAnswer", "agent_id"},
        {Method::post, "/v1/tools/mcp/servers/connect", connect, "tools.connect_mcp_server", "MCPServerConfigRequest",
         "text/event-stream"},
        {Method::patch, "/v1/tools/mcp/servers/{mcp_server_name}", update, "tools.update_mcp_server",
         "UpdateMCPServerByName", "MCPServerConfig"},
        {Method::delete_, "/v1/tools/mcp/servers/{mcp_server_name}", remove, "tools.delete_mcp_server", "",
         "MCPServerConfig[]"},
        {Method::get, "/v1/tools/mcp/servers/{mcp_server_name}/tools", list_tools, "tools.list_mcp_tools_by_server", "",
         "MCPTool[]", "agent_id"},
        {Method::post, "/v1/tools/mcp/servers/{mcp_server_name}/resync", resync, "tools.resync_mcp_server", "",
         "MCPResync", "agent_id, approve:boolean"},
        {Method::post, "/v1/tools/mcp/servers/{mcp_server_name}/{mcp_tool_name}", import_tool, "tools.add_mcp_tool", "",
         "Tool"},
        {Method::post, "/v1/tools/mcp/servers/{mcp_server_name}/tools/{tool_name}/execute", execute,
         "tools.execute_mcp_tool", "ToolExecuteRequest?", "MCPExecuteAnswer", "agent_id"},
        {Method::get, "/v1/tools/mcp-servers", list, "tools.mcp_servers_alias.list", "", "MCPServerConfigs"},
        {Method::put, "/v1/tools/mcp-servers", add, "tools.mcp_servers_alias.add", "MCPServerConfigRequest",
         "MCPServerConfig[]"},
        {Method::patch, "/v1/tools/mcp-servers", update, "tools.mcp_servers_alias.update", "UpdateMCPServerByName",
         "MCPServerConfig", names},
        {Method::delete_, "/v1/tools/mcp-servers", remove, "tools.mcp_servers_alias.delete", "MCPToolReference?",
         "MCPServerConfig[]", names},
        {Method::post, "/v1/tools/mcp-servers/test", test, "tools.mcp_servers_alias.test", "MCPServerConfigRequest",
         "MCPTestAnswer", "agent_id"},
        {Method::post, "/v1/tools/mcp-servers/connect", connect, "tools.mcp_servers_alias.connect",
         "MCPServerConfigRequest", "text/event-stream"},
        {Method::get, "/v1/tools/mcp-tools-by-server", list_tools, "tools.mcp_tools_alias.list", "", "MCPTool[]",
         "mcp_server_name, agent_id"},
        {Method::post, "/v1/tools/mcp-tools", import_tool, "tools.mcp_tools_alias.add", "MCPToolReference?", "Tool",
         both},
    };
    return routes;
}

}  // namespace stele::api
