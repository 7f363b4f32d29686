#include "app/mcp_config.hpp"

#include "base/ids.hpp"
#include "base/log.hpp"
#include "tools/mcp/config_file.hpp"

#include <fstream>
#include <sstream>

namespace stele::app {
namespace {

using boost::asio::awaitable;

awaitable<McpServer> stored_as(storage::Database& database, const storage::McpServerRepository& servers,
                               McpServer wanted) {
    wanted.organization_id = default_organization_id;
    auto known = co_await servers.find_by_name(wanted.organization_id, wanted.server_name);
    storage::Transaction transaction;
    if (known && known->type == wanted.type) {
        if (!apply(wanted.config, *known)) co_return std::move(*known);
        known->updated_at = now();
        servers.update(transaction, *known);
        co_await database.commit(std::move(transaction));
        co_return std::move(*known);
    }
    if (known) servers.remove(transaction, *known);
    wanted.id = new_id("mcp_server");
    wanted.created_by_id = wanted.last_updated_by_id = default_user_id;
    wanted.created_at = wanted.updated_at = now();
    servers.insert(transaction, wanted);
    co_await database.commit(std::move(transaction));
    co_return wanted;
}

}  // namespace

std::vector<McpServer> read_mcp_config(const std::filesystem::path& file) {
    std::ifstream in(file);
    std::ostringstream text;
    text << in.rdbuf();
    if (!in) throw Error(ErrorCode::invalid_argument, "The file of MCP servers can't be read: " + file.string());
    return tools::mcp::servers_of_file(text.str());
}

awaitable<void> take_mcp_config(storage::Database& database, const storage::McpServerRepository& stored,
                                const tools::mcp::ToolSync& sync, std::vector<McpServer> servers) {
    for (McpServer& wanted : servers) {
        const std::string name = wanted.server_name;
        try {
            McpServer server = co_await stored_as(database, stored, std::move(wanted));
            tools::mcp::Caller nobody;
            nobody.organization_id = server.organization_id;
            co_await sync.resync(std::move(server), default_user_id, false, std::move(nobody));
        } catch (const Error& error) {
            log::warn("mcp.not_synced", {{"server_name", name}, {"why", error.what()}});
        }
    }
}

}  // namespace stele::app
