#pragma once

#include "tools/mcp/client.hpp"

namespace stele::tools::mcp {

/// Brings the stored tools of servers in line with what the servers offer, and keeps the operator's word on changes.
/// Two tools of one name stay two: the later one is called `<server>__<tool>`.
class ToolSync {
public:
    ToolSync(storage::Database& database, const storage::McpServerRepository& servers,
             const storage::ToolRepository& tools, Client& client)
        : database_(database), servers_(servers), tools_(tools), client_(client) {}

    /// Asks the server and stores what is new, but for INVALID tools; deletes what is gone from a list
    /// that is whole. A tool whose definition is
    /// another now waits for approval with it, unless `approve`. `caller`: for whom the server is asked. Throws as
    /// Client::offered.
    boost::asio::awaitable<McpResync> resync(McpServer server, std::string actor, bool approve, Caller caller) const;

    /// Stores this one tool, whatever its health; one that is stored already takes over what is offered: who names a
    /// tool approves of it. Throws Error{not_found} if the server has none of the name.
    boost::asio::awaitable<Tool> import(McpServer server, std::string actor, std::string remote_name) const;

    /// Lets a tool that waits for approval be called again, as its server now describes it.
    boost::asio::awaitable<Tool> approve(McpServer server, std::string actor, std::string tool_id) const;

    /// After the server was given another name: adds what its tools say of it.
    boost::asio::awaitable<void> follow_rename(storage::Transaction& transaction, const McpServer& server,
                                               std::string old_name) const;

private:
    boost::asio::awaitable<McpResync> store(McpServer server, Offers offers, std::string actor, bool approve) const;
    boost::asio::awaitable<void> add(storage::Transaction& transaction, const McpServer& server,
                                     std::vector<McpTool> offers, std::string actor, std::vector<Tool>& added) const;

    storage::Database& database_;
    const storage::McpServerRepository& servers_;
    const storage::ToolRepository& tools_;
    Client& client_;
};

}  // namespace stele::tools::mcp
