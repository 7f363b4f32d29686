#include "domain/mcp_server.hpp"

#include "domain/json_mapping.hpp"

namespace stele {
namespace {

constexpr std::size_t name_characters_max = 255;
constexpr std::size_t texts_max = 256;  // arguments, variables or headers of one server

void check_name(const std::string& name, Problems& problems) {
    const std::size_t characters = code_points(name);
    if (characters == 0 || characters > name_characters_max)
        problems.add("server_name", "must have 1 to 255 characters", "string_length", json_string(name.substr(0, 40)));
}

bool breaks_lines(std::string_view text) { return text.find_first_of(std::string_view("\r\n\0", 3)) != text.npos; }

void check_header(std::string_view where, std::string_view name, std::string_view value, Problems& problems) {
    if (name.empty() || breaks_lines(name)) problems.add(where, "must be the name of a header", "value_error");
    if (breaks_lines(value)) problems.add(where, "must not hold line breaks", "value_error");
}

void check_oauth(const McpOauthConfig& oauth, Problems& problems) {
    if (oauth.client_id.has_value() && oauth.client_id->empty()) problems.add("oauth.client_id", "must not be empty");
    if (oauth.client_secret.has_value() && !oauth.client_id.has_value())
        problems.add("oauth.client_secret", "belongs to a client_id");
    if (oauth.scope.has_value() && breaks_lines(*oauth.scope))
        problems.add("oauth.scope", "must not hold line breaks", "value_error");
}

// What holds for any configuration, whole or a part of one.
void check_members(const McpConfig& config, Problems& problems) {
    if (config.auth_header.has_value()) check_header("auth_header", *config.auth_header, "", problems);
    if (config.auth_token.has_value()) check_header("auth_token", "token", *config.auth_token, problems);
    if (config.token.has_value()) check_header("token", "token", *config.token, problems);
    if (!config.token.value_or("").empty() && !config.auth_token.value_or("").empty())
        problems.add("token", "can't be given together with auth_token");
    if (config.custom_headers.has_value()) {
        for (const auto& [name, value] : *config.custom_headers)
            check_header("custom_headers." + name, name, value, problems);
        if (config.custom_headers->size() > texts_max) problems.add("custom_headers", "are more than 256");
    }
    if (config.args.has_value() && config.args->size() > texts_max) problems.add("args", "are more than 256");
    if (config.env.has_value()) {
        if (config.env->size() > texts_max) problems.add("env", "has more than 256 variables");
        for (const auto& [name, value] : *config.env)
            if (name.empty() || name.find('=') != std::string::npos)
                problems.add("env." + name, "must be named without '='");
    }
    if (config.oauth.has_value()) check_oauth(*config.oauth, problems);
}

void check_whole(const McpConfig& config, McpServerType type, Problems& problems) {
    check_members(config, problems);
    if (type == McpServerType::stdio) {
        if (config.command.value_or("").empty()) problems.add("command", "is required", "missing");
        if (!config.args.present()) problems.add("args", "is required", "missing");
    } else if (config.server_url.value_or("").empty()) {
        problems.add("server_url", "is required", "missing");
    }
}

// The members of a configuration that a server of this type has, null where nothing was given.
template <class Answer>
void show(const McpServer& server, Answer& shown) {
    const McpConfig& config = server.config;
    if (server.type == McpServerType::stdio) {
        shown.command = config.command.value_or("");
        shown.args = config.args.value_or({});
        shown.env = config.env.has_value() ? config.env : Patch<TextMap>(std::nullopt);
        return;
    }
    const auto text = [](const Patch<std::string>& given) {
        return given.has_value() ? given : Patch<std::string>(std::nullopt);
    };
    shown.server_url = config.server_url.value_or("");
    shown.auth_header = text(config.auth_header);
    shown.auth_token = text(config.auth_token);
    shown.custom_headers = config.custom_headers.has_value() ? config.custom_headers : Patch<TextMap>(std::nullopt);
    if (!config.oauth.has_value()) return;
    shown.oauth = config.oauth;
    (*shown.oauth).client_secret = {};
}

template <class T>
bool take(const Patch<T>& update, Patch<T>& kept) {
    if (!update.present() || update == kept) return false;
    kept = update;
    return true;
}

}  // namespace

std::string credential_of(const McpConfig& config) {
    const std::string token = config.token.value_or("");
    return token.empty() ? config.auth_token.value_or("") : token;
}

std::string_view to_string(McpServerType type) { return mapping::enum_word(type); }

std::optional<McpServerType> parse_mcp_server_type(std::string_view word) {
    for (const McpServerType type : {McpServerType::stdio, McpServerType::sse, McpServerType::streamable_http})
        if (word == to_string(type)) return type;
    return std::nullopt;
}

McpServerAnswer answer_of(const McpServer& server) {
    McpServerAnswer shown;
    show(server, shown);
    shown.mcp_server_type = server.type;
    shown.id = server.id;
    shown.server_name = server.server_name;
    return shown;
}

McpServerConfigAnswer config_answer_of(const McpServer& server) {
    McpServerConfigAnswer shown;
    show(server, shown);
    shown.type = server.type;
    shown.server_name = server.server_name;
    return shown;
}

McpServerType type_of(const McpConfig& config, const Patch<McpServerType>& named) {
    if (named.has_value()) return *named;
    return config.command.has_value() ? McpServerType::stdio : McpServerType::streamable_http;
}

void check(const CreateMcpServer& body, Problems& problems) {
    check_name(body.server_name, problems);
    problems.enter("config");
    check_whole(body.config, type_of(body.config, body.config.mcp_server_type), problems);
    problems.leave();
}

void check(const UpdateMcpServer& body, Problems& problems) {
    if (body.server_name.has_value()) check_name(*body.server_name, problems);
    problems.enter("config");
    check_members(body.config, problems);
    problems.leave();
}

void check(const McpServerConfig& body, Problems& problems) {
    check_name(body.server_name, problems);
    check_whole(body, type_of(body, body.type), problems);
}

void check(const UpdateMcpServerByName& body, Problems& problems) {
    if (body.server_name.has_value()) check_name(*body.server_name, problems);
    check_members(body, problems);
    if (!body.stdio_config.has_value()) return;
    problems.enter("stdio_config");
    check_members(*body.stdio_config, problems);
    problems.leave();
}

std::vector<std::string_view> required_members(const CreateMcpServer*) { return {"server_name", "config"}; }
std::vector<std::string_view> required_members(const McpServerConfig*) { return {"server_name"}; }

bool apply(const McpConfig& update, McpServer& server) {
    McpConfig& kept = server.config;
    if (server.type == McpServerType::stdio) {
        bool changed = take(update.env, kept.env);
        if (!update.command.value_or("").empty() && update.args.has_value()) {
            changed = take(update.command, kept.command) || changed;
            changed = take(update.args, kept.args) || changed;
        }
        return changed;
    }
    bool changed = !update.server_url.value_or("").empty() && take(update.server_url, kept.server_url);
    changed = take(update.auth_header, kept.auth_header) || changed;
    // Who sends back what was read says nothing of the token, which was not in it; a new credential takes its place.
    if (take(update.auth_token, kept.auth_token)) {
        changed = true;
        if (!kept.auth_token.value_or("").empty()) kept.token = {};
    }
    if (take(update.token, kept.token)) {
        changed = true;
        if (!kept.token.value_or("").empty()) kept.auth_token = {};
    }
    Patch<McpOauthConfig> oauth = update.oauth;
    // The secret is never told, so who sends back what was read does not mean to clear it.
    if (oauth.has_value() && kept.oauth.has_value() && !oauth->client_secret.present() &&
        oauth->client_id == kept.oauth->client_id)
        (*oauth).client_secret = kept.oauth->client_secret;
    changed = take(oauth, kept.oauth) || changed;
    return take(update.custom_headers, kept.custom_headers) || changed;
}

STELE_JSON(McpConfig)
STELE_JSON_WRITTEN(McpServerAnswer)
STELE_JSON_WRITTEN(McpServerConfigAnswer)
STELE_JSON_READ(CreateMcpServer)
STELE_JSON_READ(UpdateMcpServer)
STELE_JSON_READ(McpServerConfig)
STELE_JSON_READ(UpdateMcpServerByName)
STELE_JSON_READ(McpToolReference)
STELE_JSON_WRITTEN(McpExecuteAnswer)
STELE_JSON_WRITTEN(McpResync)
STELE_JSON(McpTool)
STELE_JSON_WRITTEN(McpTestAnswer)
STELE_JSON_WRITTEN(McpConnectEvent)

}  // namespace stele
