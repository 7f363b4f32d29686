#include "tools/mcp/config_file.hpp"

#include "base/error.hpp"
#include "domain/json_parse.hpp"
#include "tools/mcp/rpc.hpp"

#include <sstream>

namespace stele::tools::mcp {
namespace {

namespace json = boost::json;

[[noreturn]] void refuse(std::string_view where, const std::string& problem) {
    throw Error(ErrorCode::invalid_argument, "The file of MCP servers: " + std::string(where) + " " + problem);
}

TextMap texts_of(const json::value& entry, std::string_view member_name, std::string_view where) {
    TextMap texts;
    const json::value& given = member(entry, member_name);
    if (given.is_null()) return texts;
    if (!given.is_object()) refuse(where, "must have an object as " + std::string(member_name));
    for (const auto& [name, value] : given.get_object()) {
        if (!value.is_string()) refuse(where, "must have texts in " + std::string(member_name));
        texts.emplace_back(name, std::string(value.get_string()));
    }
    return texts;
}

std::vector<std::string> arguments_of(const json::value& entry, std::string_view where) {
    std::vector<std::string> arguments;
    const json::value& given = member(entry, "args");
    if (given.is_null()) return arguments;
    if (!given.is_array()) refuse(where, "must have a list as args");
    for (const json::value& each : given.get_array()) {
        if (!each.is_string()) refuse(where, "must have texts in args");
        std::istringstream words{std::string(each.get_string())};
        for (std::string word; words >> word;) arguments.push_back(std::move(word));
    }
    return arguments;
}

McpServer server_of(std::string name, const json::value& entry) {
    const std::string where = "\"" + name + "\"";
    McpServer server;
    server.server_name = std::move(name);
    const std::string command = text_member(entry, "command"), url = text_member(entry, "url");
    if (command.empty() == url.empty()) refuse(where, "must have either a command or a url");
    if (!command.empty()) {
        server.type = McpServerType::stdio;
        server.config.command = command;
        server.config.args = arguments_of(entry, where);
        TextMap variables = texts_of(entry, "env", where);
        if (!variables.empty()) server.config.env = std::move(variables);
        return server;
    }
    const std::string type = text_member(entry, "type");
    const bool streamable = type == "http" || type == "streamable_http" || type == "streamable-http";
    server.type = streamable ? McpServerType::streamable_http : McpServerType::sse;
    server.config.server_url = url;
    TextMap headers = texts_of(entry, "headers", where);
    if (!headers.empty()) server.config.custom_headers = std::move(headers);
    return server;
}

}  // namespace

std::vector<McpServer> servers_of_file(std::string_view text) {
    const JsonParse file = parse_json_value(text);
    if (!file.problem.empty()) refuse("it", "is no JSON: " + file.problem);
    const json::value& entries = member(file.value, "mcpServers");
    if (!entries.is_object()) refuse("it", "must have an object \"mcpServers\"");
    std::vector<McpServer> servers;
    for (const auto& [name, entry] : entries.get_object()) servers.push_back(server_of(std::string(name), entry));
    return servers;
}

}  // namespace stele::tools::mcp
