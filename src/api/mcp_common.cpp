#include "api/mcp_common.hpp"

#include "base/ids.hpp"
#include "base/log.hpp"
#include "storage/agent_repository.hpp"
#include "storage/database.hpp"
#include "storage/idempotency_repository.hpp"
#include "storage/mcp_login_repository.hpp"
#include "storage/mcp_server_repository.hpp"
#include "tools/mcp/address.hpp"
#include "tools/mcp/client.hpp"
#include "tools/mcp/oauth_login.hpp"
#include "tools/mcp/tool_sync.hpp"

#include <boost/asio/this_coro.hpp>

namespace stele::api {
namespace {

// The names of headers and variables stay: they tell what is set.
void leave_out_values(Patch<TextMap>& pairs) {
    if (!pairs.has_value()) return;
    TextMap named = *pairs;
    for (auto& [name, value] : named) value.clear();
    pairs = std::move(named);
}

void leave_out_secrets(auto& shown) {
    if (shown.auth_token.has_value()) shown.auth_token = std::string();
    leave_out_values(shown.custom_headers);
    leave_out_values(shown.env);
}

// A client may send back what it was shown: a value that was left out is then the one that is stored.
void keep_left_out(Patch<TextMap>& pairs, const Patch<TextMap>& stored) {
    if (!pairs.has_value() || !stored.has_value()) return;
    TextMap kept = *pairs;
    for (auto& [name, value] : kept)
        for (const auto& [stored_name, stored_value] : *stored)
            if (value.empty() && name == stored_name) value = stored_value;
    pairs = std::move(kept);
}

void keep_left_out(McpConfig& change, const McpConfig& stored) {
    if (change.auth_token.has_value() && change.auth_token->empty() && stored.auth_token.has_value())
        change.auth_token = std::string(*stored.auth_token);
    keep_left_out(change.custom_headers, stored.custom_headers);
    keep_left_out(change.env, stored.env);
}

}  // namespace

Response mcp_servers_are_in_a_file() {
    Response response = json_answer(
        R"({"detail":"The MCP servers of this server are described in a file of the operator's; change them there"})");
    response.status = 501;
    return response;
}

Error mcp_failure(const Error& error) {
    if (error.code == ErrorCode::permission_denied) return refused(error.what());
    Error told(ErrorCode::model_failed, error.what());
    told.type = error.code == ErrorCode::timed_out ? "mcp_timeout" : "mcp_connection_error";
    return told;
}

void check_mcp_server(const Services& services, const McpServer& server, const std::string& where) {
    const tools::mcp::ClientOptions& options = services.mcp.options();
    if (server.type == McpServerType::stdio) {
        if (!options.stdio)
            throw refused("MCP servers that are commands (stdio) are switched off; the operator can allow them");
        return;
    }
    const std::string problem =
        tools::mcp::address_problem(server.config.server_url.value_or(""), options.private_addresses);
    if (!problem.empty()) throw invalid_field(where + ".server_url", problem);
}

McpServer described_mcp_server(const Request& request, std::string name, McpServerType type, McpConfig config) {
    McpServer server;
    server.id = new_id("mcp_server");
    server.organization_id = request.organization_id;
    server.server_name = std::move(name);
    server.type = type;
    server.config = std::move(config);
    server.created_by_id = server.last_updated_by_id = request.user_id;
    server.created_at = server.updated_at = now();
    return server;
}

awaitable<McpServer> create_mcp_server(Services& services, const Request& request, McpServer server,
                                       std::string where) {
    check_mcp_server(services, server, where);
    storage::Transaction transaction;
    co_await services.mcp_oauth.lend_login(server);
    if (!server.login_id.empty()) services.mcp_logins.adopt(transaction, server.login_id);
    server.login_id.clear();
    services.mcp_servers.insert(transaction, server);
    if (request.idempotency_key)
        services.idempotency.keep_made(transaction, request.organization_id, *request.idempotency_key, server.id);
    co_await services.database.commit(std::move(transaction));
    try {
        tools::mcp::Caller nobody;
        nobody.organization_id = server.organization_id;
        co_await services.mcp_sync.resync(server, request.user_id, false, std::move(nobody));
    } catch (const Error& error) {
        log::info("mcp.not_synced", {{"mcp_server_id", server.id}, {"why", error.what()}});
    }
    co_return server;
}

awaitable<McpServer> update_mcp_server(Services& services, const Request& request, McpServer server,
                                       std::optional<std::string> name, McpConfig change, std::string where) {
    const std::string old_name = server.server_name;
    const std::string old_url = server.config.server_url.value_or("");
    if (services.redact_secrets) keep_left_out(change, server.config);
    bool changed = apply(change, server);
    if (name && *name != old_name) {
        server.server_name = std::move(*name);
        changed = true;
    }
    if (!changed) co_return server;
    if (server.type == McpServerType::stdio || server.config.server_url.value_or("") != old_url)
        check_mcp_server(services, server, where);
    server.last_updated_by_id = request.user_id;
    server.updated_at = now();
    storage::Transaction transaction;
    services.mcp_servers.update(transaction, server);
    if (server.config.server_url.value_or("") != old_url)  // tokens are for one server, and no other may see them
        services.mcp_logins.set_tokens(transaction, server.id, std::nullopt);
    if (server.server_name != old_name) co_await services.mcp_sync.follow_rename(transaction, server, old_name);
    co_await services.database.commit(std::move(transaction));
    if (server.tokens && server.config.server_url.value_or("") != old_url) {
        const auto executor = co_await boost::asio::this_coro::executor;
        services.mcp_oauth.revoke_behind(executor, std::move(*server.tokens));
    }
    co_return server;
}

awaitable<void> delete_mcp_server(Services& services, McpServer server) {
    storage::Transaction transaction;
    services.mcp_servers.remove(transaction, server);
    services.mcp_logins.forget_with_server(transaction, server.organization_id, server.config.server_url.value_or(""));
    co_await services.database.commit(std::move(transaction));
    if (!server.tokens) co_return;
    const auto executor = co_await boost::asio::this_coro::executor;
    services.mcp_oauth.revoke_behind(executor, std::move(*server.tokens));
}

McpServerAnswer shown_mcp_server(const Services& services, const McpServer& server) {
    McpServerAnswer shown = answer_of(server);
    if (services.redact_secrets) leave_out_secrets(shown);
    return shown;
}

McpServerConfigAnswer shown_mcp_config(const Services& services, const McpServer& server) {
    McpServerConfigAnswer shown = config_answer_of(server);
    if (services.redact_secrets) leave_out_secrets(shown);
    return shown;
}

awaitable<tools::mcp::Caller> mcp_caller(Services& services, const Request& request) {
    tools::mcp::Caller caller;
    caller.organization_id = request.organization_id;
    caller.agent_id = request.query.text("agent_id").value_or("");
    if (caller.agent_id.empty()) co_return caller;
    const bool there = co_await services.agents.exists(caller.organization_id, caller.agent_id);
    if (!there) throw not_found("Agent", caller.agent_id);
    co_return caller;
}

awaitable<std::vector<McpTool>> offered_mcp_tools(Services& services, McpServer server, tools::mcp::Caller caller) {
    try {
        tools::mcp::Offers offers = co_await services.mcp.offered(std::move(server), std::move(caller));
        co_return std::move(offers.tools);
    } catch (const Error& error) {
        throw mcp_failure(error);
    }
}

}  // namespace stele::api
