#pragma once

#include "base/seal.hpp"
#include "domain/mcp_server.hpp"
#include "domain/tool.hpp"
#include "storage/page.hpp"

namespace stele::storage {

/// A tool of a server and the name that the server knows it by.
struct McpToolLink {
    Tool tool;
    std::string remote_name;
};

/// MCP servers of one organisation at a time, and which tools are theirs. How a server is reached and what logs in
/// there is stored sealed.
class McpServerRepository {
public:
    McpServerRepository(Database& database, const Sealer& sealer) : database_(database), sealer_(sealer) {}

    boost::asio::awaitable<std::optional<McpServer>> find(std::string organization_id, std::string id) const;
    boost::asio::awaitable<std::optional<McpServer>> find_by_name(std::string organization_id, std::string name) const;

    /// All of them where `page` has no limit of its own, oldest first.
    boost::asio::awaitable<std::vector<McpServer>> list(std::string organization_id, Page page) const;

    /// The commit throws Error{conflict} if the organisation has a server of this name.
    void insert(Transaction& transaction, const McpServer& server) const;

    /// The same, and Error{conflict} as changed_meanwhile if another write came first.
    void update(Transaction& transaction, McpServer& server) const;

    /// With its tools, which leave their agents too.
    void remove(Transaction& transaction, const McpServer& server) const;

    boost::asio::awaitable<std::vector<McpToolLink>> tools_of(std::string organization_id, std::string server_id) const;

    /// Makes a tool that is inserted before it in the same transaction one of the server.
    void link_tool(Transaction& transaction, const std::string& server_id, const McpToolLink& link) const;

    /// Which of `names` the organisation's tools have already.
    boost::asio::awaitable<std::vector<std::string>> taken_names(std::string organization_id,
                                                                 std::vector<std::string> names) const;

    static std::vector<Statement> statements();

private:
    std::vector<McpServer> from_rows(Rows rows) const;

    Database& database_;
    const Sealer& sealer_;
};

}  // namespace stele::storage
