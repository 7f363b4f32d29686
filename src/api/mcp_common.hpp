#pragma once

#include "api/route.hpp"
#include "domain/mcp_server.hpp"
#include "tools/mcp/tool_sync.hpp"

// What the two families of MCP routes share: /v1/mcp-servers, by id, and the older /v1/tools/mcp/servers, by name.
namespace stele::api {

/// Stores a new server, and then what tools it offers: that it can't be reached now is no reason to refuse it.
/// `where`: the place of its configuration in the body.
awaitable<McpServer> create_mcp_server(Services& services, const Request& request, McpServer server, std::string where);

/// Applies name (if any) and configuration to `server` and stores it.
awaitable<McpServer> update_mcp_server(Services& services, const Request& request, McpServer server,
                                       std::optional<std::string> name, McpConfig change, std::string where);

/// Tokens of a login are given back behind it.
awaitable<void> delete_mcp_server(Services& services, McpServer server);

/// A server as the two families of routes answer it: without the values of what is secret, where the operator wants
/// none in answers.
McpServerAnswer shown_mcp_server(const Services& services, const McpServer& server);
McpServerConfigAnswer shown_mcp_config(const Services& services, const McpServer& server);

/// A server that a body describes; in no store yet.
McpServer described_mcp_server(const Request& request, std::string name, McpServerType type, McpConfig config);

/// Throws Error{invalid_argument} for an address that no server may have, and for stdio where that is off.
void check_mcp_server(const Services& services, const McpServer& server, const std::string& where);

/// 501: a file says what the servers are like, and a change would not last.
Response mcp_servers_are_in_a_file();

/// Whom the query's agent_id names. Throws Error{not_found}.
awaitable<tools::mcp::Caller> mcp_caller(Services& services, const Request& request);

/// What the server of a request did wrong, as the API tells it: 408 for a time-out, 502 for the rest.
Error mcp_failure(const Error& error);

/// The tools that a server offers now; throws as mcp_failure tells it.
awaitable<std::vector<McpTool>> offered_mcp_tools(Services& services, McpServer server, tools::mcp::Caller caller);

/// The events of connecting to `server`: connection_attempt, and then success, error, or those of a login, which waits
/// for its person. A client that hangs up ends the waiting, not the login.
Response mcp_connect_stream(Services& services, const Request& request, McpServer server);

/// Where browsers reach this server: as the operator said, else as the request names it. Throws Error{invalid_argument}
/// where neither does.
std::string mcp_public_url(const Services& services, const Request& request);
inline constexpr char mcp_callback_path[] = "/v1/tools/mcp/oauth/callback";
inline constexpr char mcp_client_document_path[] = "/v1/tools/mcp/oauth/client";

}  // namespace stele::api
