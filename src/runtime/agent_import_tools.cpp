// The tools of an agent file, and the MCP servers that some of them belong to.
#include "base/ids.hpp"
#include "base/json_text.hpp"
#include "runtime/agent_import.hpp"

namespace stele::runtime {

using boost::asio::awaitable;

awaitable<void> AgentFiles::import_servers(Import& at) const {
    for (const FileMcpServer& from : at.file.mcp_servers) {
        auto stored = co_await parts_.mcp_servers.find_by_name(at.organization_id, from.server_name);
        if (stored) {
            at.servers.emplace(from.server_name, std::move(*stored));
            continue;
        }
        McpServerConfig config;
        if (from.stdio_config.text.starts_with('{'))
            config = decode<McpServerConfig>([&] {
                std::string text = from.stdio_config.text;
                text.pop_back();
                return text + (text.size() > 1 ? "," : "") + "\"server_name\":" + json_string(from.server_name) + "}";
            }());
        if (from.server_url) config.server_url = *from.server_url;
        const auto type = parse_mcp_server_type(from.server_type);
        if (!type) throw refused("mcp_servers: unknown server_type '" + from.server_type + "'");
        McpServer server;
        server.id = new_id("mcp_server");
        server.organization_id = at.organization_id;
        server.server_name = from.server_name;
        server.type = *type;
        server.config = config;
        server.config.env = {};
        server.created_by_id = server.last_updated_by_id = at.actor;
        server.created_at = server.updated_at = now();
        parts_.mcp_servers.insert(at.transaction, server);
        at.servers.emplace(from.server_name, std::move(server));
    }
}

awaitable<void> AgentFiles::import_tools(Import& at) const {
    for (const Tool& tool : at.file.tools) {
        Tool copy = tool;
        co_await import_tool(at, std::move(copy));
    }
}

awaitable<void> AgentFiles::import_tool(Import& at, Tool tool) const {
    const std::string file_id = tool.id;
    std::vector<std::string> names{tool.name};
    const std::vector<Tool> found = co_await parts_.tools.find_by_names(at.organization_id, std::move(names));
    const std::optional<Tool> stored = found.empty() ? std::nullopt : std::optional(found.front());
    const bool from_mcp = tool.tool_type == "external_mcp";
    if (stored && (!is_custom(*stored) || from_mcp || !at.options.override_existing_tools)) {
        at.tools.emplace(file_id, *stored);
        co_return;
    }
    if (tool.tool_type.starts_with("letta_")) {
        at.notes.push_back("The built-in tool " + tool.name + " is not known here and was left out");
        co_return;
    }
    if (tool.json_schema.is_null() && tool.source_code) {
        std::string source = *tool.source_code;
        Json args = tool.args_json_schema;
        tool.json_schema = co_await parts_.tool_service.derive(std::move(source), tool.source_type.value_or("python"),
                                                               std::move(args));
    }
    if (tool.json_schema.is_null()) throw refused("tools: " + tool.name + " has neither a schema nor a source");
    const SchemaHead head = complete_schema(tool.json_schema, "tools." + tool.name + ".json_schema");
    if (head.name != tool.name) throw refused("tools: " + tool.name + " has a schema of the name " + head.name);
    if (!tool.description) tool.description = head.description;
    if (!tool.source_code) tool.source_type = "json";
    tool.project_id.reset();
    tool.last_updated_by_id = at.actor;
    if (stored) {
        tool.id = stored->id;
        tool.tool_type = stored->tool_type;
        tool.created_by_id = stored->created_by_id;
        tool.created_at = stored->created_at;
        tool.version = stored->version;
        parts_.tools.update(at.transaction, at.organization_id, tool);
        at.tools.emplace(file_id, std::move(tool));
        co_return;
    }
    tool.id = new_id("tool");
    tool.created_by_id = at.actor;
    tool.created_at = now();
    if (!from_mcp) {
        tool.tool_type = "custom";
        parts_.tools.insert(at.transaction, at.organization_id, tool);
        at.tools.emplace(file_id, std::move(tool));
        co_return;
    }
    const std::string mcp = json_member_text(tool.metadata_.text, "mcp").value_or("{}");
    const auto server = at.servers.find(json_member_text(mcp, "server_name").value_or(""));
    if (server == at.servers.end()) {
        at.notes.push_back("The tool " + tool.name +
                           " belongs to an MCP server that the file does not name, and was left out");
        co_return;
    }
    storage::McpToolLink link;
    link.tool = tool;
    link.remote_name = json_member_text(mcp, "tool_name").value_or(tool.name);
    parts_.tools.insert(at.transaction, at.organization_id, tool);
    parts_.mcp_servers.link_tool(at.transaction, server->second.id, link);
    at.tools.emplace(file_id, std::move(tool));
}

}  // namespace stele::runtime
