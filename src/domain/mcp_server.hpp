#pragma once

#include "domain/audit.hpp"
#include "domain/json.hpp"
#include "domain/mcp_oauth.hpp"

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

namespace stele {

enum class McpServerType : std::uint8_t { stdio, sse, streamable_http };
BOOST_DESCRIBE_ENUM(McpServerType, stdio, sse, streamable_http)

std::string_view to_string(McpServerType type);
std::optional<McpServerType> parse_mcp_server_type(std::string_view word);

/// How a server is reached: by a command (stdio) or an address. Sealed as a whole in the store.
struct McpConfig {
    Patch<std::string> command;
    Patch<std::vector<std::string>> args;
    Patch<TextMap> env;
    Patch<std::string> server_url;
    Patch<std::string> auth_header;  ///< the header's name
    Patch<std::string> auth_token;   ///< its value; may hold {{ NAME | default }}
    Patch<std::string> token;        ///< the same, without the scheme, and never told again; one of both at most
    Patch<TextMap> custom_headers;   ///< sent too; names and values may hold {{ NAME | default }}
    Patch<McpOauthConfig> oauth;

    bool operator==(const McpConfig&) const = default;
};
BOOST_DESCRIBE_STRUCT(McpConfig, (),
                      (command, args, env, server_url, auth_header, auth_token, token, custom_headers, oauth))

/// The credential that `config` names, as it goes behind its scheme or as a whole; empty if there is none.
std::string credential_of(const McpConfig& config);

/// A server of the Model Context Protocol whose tools agents may use.
struct McpServer {
    std::string id;  ///< "mcp_server-<uuid>"
    std::string organization_id;
    std::string server_name;  ///< unique within the organisation
    McpServerType type = McpServerType::streamable_http;
    McpConfig config;
    std::optional<McpTokens> tokens;  ///< of a login
    std::string login_id;             ///< whose tokens these are while the server is in no store
    bool stored = false;              ///< false: only described by a request
    std::string created_by_id, last_updated_by_id;
    Timestamp created_at{}, updated_at{};
    std::int64_t version = 1;
};

/// A server in answers of /v1/mcp-servers: flat, and only with the members of its type.
struct McpServerAnswer {
    McpServerType mcp_server_type = McpServerType::streamable_http;
    Patch<std::string> command;
    Patch<std::vector<std::string>> args;
    Patch<TextMap> env;
    Patch<std::string> server_url;
    Patch<std::string> auth_header;
    Patch<std::string> auth_token;
    Patch<TextMap> custom_headers;
    Patch<McpOauthConfig> oauth;  ///< without the client's secret; absent where nothing was configured
    Patch<std::string> id;        ///< absent in the older shape, which says `type`
    std::string server_name;
};
BOOST_DESCRIBE_STRUCT(McpServerAnswer, (),
                      (mcp_server_type, command, args, env, server_url, auth_header, auth_token, custom_headers, oauth,
                       id, server_name))
McpServerAnswer answer_of(const McpServer& server);

/// The same in answers of /v1/tools/mcp/servers.
struct McpServerConfigAnswer {
    std::string server_name;
    McpServerType type = McpServerType::streamable_http;
    Patch<std::string> command;
    Patch<std::vector<std::string>> args;
    Patch<TextMap> env;
    Patch<std::string> server_url;
    Patch<std::string> auth_header;
    Patch<std::string> auth_token;
    Patch<TextMap> custom_headers;
    Patch<McpOauthConfig> oauth;
};
BOOST_DESCRIBE_STRUCT(McpServerConfigAnswer, (),
                      (server_name, type, command, args, env, server_url, auth_header, auth_token, custom_headers,
                       oauth))
McpServerConfigAnswer config_answer_of(const McpServer& server);

/// `config` of the bodies of /v1/mcp-servers. Without mcp_server_type: stdio if there is a command.
struct McpConfigInput : McpConfig {
    Patch<McpServerType> mcp_server_type;
};
BOOST_DESCRIBE_STRUCT(McpConfigInput, (McpConfig), (mcp_server_type))

struct CreateMcpServer {
    std::string server_name;
    McpConfigInput config;
};
BOOST_DESCRIBE_STRUCT(CreateMcpServer, (), (server_name, config))
void check(const CreateMcpServer& body, Problems& problems);
std::vector<std::string_view> required_members(const CreateMcpServer*);

struct UpdateMcpServer {
    Patch<std::string> server_name;
    McpConfigInput config;
};
BOOST_DESCRIBE_STRUCT(UpdateMcpServer, (), (server_name, config))
void check(const UpdateMcpServer& body, Problems& problems);

/// Body of PUT /v1/tools/mcp/servers and of its tests of a connection.
struct McpServerConfig : McpConfig {
    std::string server_name;
    Patch<McpServerType> type;
};
BOOST_DESCRIBE_STRUCT(McpServerConfig, (McpConfig), (server_name, type))
void check(const McpServerConfig& body, Problems& problems);
std::vector<std::string_view> required_members(const McpServerConfig*);

/// Body of PATCH and DELETE by name. `mcp_server_name` names the server where the path does not.
struct UpdateMcpServerByName : McpConfig {
    Patch<std::string> server_name;
    Patch<McpConfig> stdio_config;
    Patch<std::string> mcp_server_name;
};
BOOST_DESCRIBE_STRUCT(UpdateMcpServerByName, (McpConfig), (server_name, stdio_config, mcp_server_name))
void check(const UpdateMcpServerByName& body, Problems& problems);

/// Names of a server and one of its tools, in a body.
struct McpToolReference {
    Patch<std::string> mcp_server_name;
    Patch<std::string> mcp_tool_name;
};
BOOST_DESCRIBE_STRUCT(McpToolReference, (), (mcp_server_name, mcp_tool_name))

/// The type that is named, or the one that the members speak of.
McpServerType type_of(const McpConfig& config, const Patch<McpServerType>& named);

/// What came of a tool that the older route called.
struct McpExecuteAnswer {
    Json result;
    bool success = true;
};
BOOST_DESCRIBE_STRUCT(McpExecuteAnswer, (), (result, success))

/// Which of a server's tools a refresh has changed, by their names with the server.
struct McpResync {
    std::vector<std::string> deleted, updated, added;
};
BOOST_DESCRIBE_STRUCT(McpResync, (), (deleted, updated, added))

struct McpToolHealth {
    std::string status;  ///< STRICT_COMPLIANT, NON_STRICT_ONLY or INVALID
    std::vector<std::string> reasons;
};
BOOST_DESCRIBE_STRUCT(McpToolHealth, (), (status, reasons))

/// A tool as its server offers it.
struct McpTool {
    std::string name;
    std::optional<std::string> title, description;
    Json inputSchema{"{}"};
    Json outputSchema, annotations;
    Json _meta;
    std::optional<McpToolHealth> health;
};
BOOST_DESCRIBE_STRUCT(McpTool, (), (name, title, description, inputSchema, outputSchema, annotations, _meta, health))

struct McpTestAnswer {
    std::string status = "success";
    std::vector<McpTool> tools;
};
BOOST_DESCRIBE_STRUCT(McpTestAnswer, (), (status, tools))

/// One event of a connect stream; absent members are not told.
struct McpConnectEvent {
    std::string event;
    Patch<std::string> server_name, message, url, session_id;
    Patch<std::vector<McpTool>> tools;
};
BOOST_DESCRIBE_STRUCT(McpConnectEvent, (), (event, server_name, message, url, session_id, tools))

/// Applies what `update` holds of the members that a server of this type has: absent leaves, null clears. stdio is
/// replaced only by command and args together. True if anything changed.
bool apply(const McpConfig& update, McpServer& server);

}  // namespace stele
