#include "tools/mcp/headers.hpp"

#include "base/base64.hpp"
#include "net/http.hpp"
#include "tools/mcp/rpc.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>

namespace stele::tools::mcp {
namespace {

namespace json = boost::json;

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

// Quotes around keys and values are leftovers of how they were typed.
std::string_view unquoted(std::string_view text) {
    text = trimmed(text);
    while (!text.empty() && (text.front() == '"' || text.front() == '\'')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == '"' || text.back() == '\'')) text.remove_suffix(1);
    return trimmed(text);
}

bool is_secret_name(std::string_view name) {
    if (name.empty() || (name.front() >= '0' && name.front() <= '9')) return false;
    return std::all_of(name.begin(), name.end(),
                       [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; });
}

// RFC 9110, "token".
bool is_header_name(std::string_view name) {
    return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
    });
}

// Those that belong to the protocol, or to HTTP.
bool is_reserved(std::string_view name) {
    for (const std::string_view reserved :
         {"Host", "Content-Length", "Content-Type", "Connection", "Transfer-Encoding", "Accept", "Mcp-Session-Id",
          "MCP-Protocol-Version", "Mcp-Method", "Mcp-Name", "Last-Event-ID", "Upgrade", "TE", "Trailer"})
        if (net::same_name(name, reserved)) return true;
    return false;
}

void put(TextMap& headers, std::string_view name, std::string value) {
    if (!is_header_name(name) || is_reserved(name)) return;
    if (value.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) return;
    std::erase_if(headers, [&](const auto& header) { return net::same_name(header.first, name); });
    headers.emplace_back(name, std::move(value));
}

// `auth_token` under a named header is sent as it is; of `token` the contract leaves the scheme to the server.
bool scheme_is_ours(const McpConfig& config) {
    if (!config.auth_header.has_value()) return true;
    return !config.token.value_or("").empty() && net::same_name(unquoted(*config.auth_header), "Authorization");
}

struct Mirrored {
    std::string header;
    std::vector<std::string> path;
};

// False for an annotation that the revision does not allow.
bool collect(const json::value& schema, std::vector<std::string>& path, bool reachable, std::vector<Mirrored>& found,
             int depth) {
    if (!schema.is_object() || depth > 24) return true;
    for (const auto& [key, value] : schema.get_object()) {
        if (key == "x-mcp-header") {
            const std::string type = text_member(schema, "type");
            const std::string name = value.is_string() ? std::string(value.get_string()) : std::string();
            const bool plain = type == "string" || type == "integer" || type == "boolean";
            if (!reachable || path.empty() || !plain || !is_header_name(name)) return false;
            for (const Mirrored& other : found)
                if (net::same_name(other.header, name)) return false;
            found.push_back({name, path});
        } else if (key == "properties" && value.is_object()) {
            for (const auto& [name, property] : value.get_object()) {
                path.emplace_back(name);
                if (!collect(property, path, reachable, found, depth + 1)) return false;
                path.pop_back();
            }
        } else if (value.is_object() && key != "default" && key != "const") {
            if (!collect(value, path, false, found, depth + 1)) return false;
        } else if (value.is_array() && (key == "anyOf" || key == "oneOf" || key == "allOf" || key == "prefixItems")) {
            for (const json::value& each : value.get_array())
                if (!collect(each, path, false, found, depth + 1)) return false;
        }
    }
    return true;
}

}  // namespace

std::string filled(std::string_view text, const TextMap& secrets) {
    std::string made;
    for (;;) {
        const std::size_t begin = text.find("{{");
        const std::size_t end = begin == text.npos ? text.npos : text.find("}}", begin);
        if (end == text.npos) return made.append(text);
        made.append(text.substr(0, begin));
        const std::string_view written = text.substr(begin, end + 2 - begin);
        const std::string_view inner = text.substr(begin + 2, end - begin - 2);
        const std::size_t bar = inner.find('|');
        const std::string_view name = trimmed(inner.substr(0, bar));
        const auto secret =
            std::find_if(secrets.begin(), secrets.end(), [&](const auto& each) { return each.first == name; });
        if (is_secret_name(name) && secret != secrets.end())
            made += secret->second;
        else if (is_secret_name(name) && bar != inner.npos)
            made.append(trimmed(inner.substr(bar + 1)));
        else
            made.append(written);
        text.remove_prefix(end + 2);
    }
}

TextMap server_headers(const McpServer& server, const std::string& agent_id, const TextMap& secrets) {
    TextMap headers;
    for (const auto& [name, value] : server.config.custom_headers.value_or({})) {
        const std::string key = filled(name, secrets);
        std::string_view key_text = unquoted(key);
        while (!key_text.empty() && key_text.back() == ':') key_text.remove_suffix(1);
        const std::string filled_value = filled(value, secrets);
        put(headers, trimmed(key_text), std::string(unquoted(filled_value)));
    }
    if (const std::string credential = credential_of(server.config); !credential.empty()) {
        const std::string token = filled(credential, secrets);
        std::string value(unquoted(token));
        if (scheme_is_ours(server.config) && value.find(' ') == std::string::npos) value = "Bearer " + value;
        put(headers, unquoted(server.config.auth_header.value_or("Authorization")), std::move(value));
    } else if (server.tokens && !server.tokens->access_token.empty()) {
        put(headers, "Authorization", "Bearer " + server.tokens->access_token);
    }
    if (!agent_id.empty()) put(headers, "X-Agent-Id", agent_id);
    return headers;
}

std::string header_value(std::string_view value) {
    const bool plain = std::all_of(value.begin(), value.end(), [](unsigned char c) { return c >= 0x20 && c < 0x7f; }) &&
                       trimmed(value) == value && !(value.starts_with("=?base64?") && value.ends_with("?="));
    return plain ? std::string(value) : "=?base64?" + to_base64(value) + "?=";
}

std::optional<TextMap> parameter_headers(const json::value& input_schema, const json::value& arguments) {
    std::vector<Mirrored> mirrored;
    std::vector<std::string> path;
    if (!collect(input_schema, path, true, mirrored, 0)) return std::nullopt;
    TextMap headers;
    for (const Mirrored& each : mirrored) {
        const json::value* value = &arguments;
        for (const std::string& step : each.path) value = &member(*value, step);
        if (value->is_string())
            headers.emplace_back("Mcp-Param-" + each.header, header_value(value->get_string()));
        else if (value->is_bool() || value->is_int64())
            headers.emplace_back("Mcp-Param-" + each.header, json::serialize(*value));
    }
    return headers;
}

}  // namespace stele::tools::mcp
