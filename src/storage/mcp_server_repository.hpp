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

/// A login that waits for its person, or is over.
struct McpOauthSession {
    std::string id;  ///< "mcp-oauth-<8 hex>"
    std::string organization_id, user_id, server_url;
    std::string state_hash;
    std::string status = "pending";  ///< pending, authorized, error
    std::string secrets;             ///< JSON; sealed in the store
    std::optional<std::string> failure;
    Timestamp created_at{};
};

/// MCP servers of one organisation at a time, which tools are theirs, and logins with them. How a server is reached and
/// what logs in there is stored sealed.
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

    /// Keeps what a login gave, or what a refresh of it did; nothing else of the server changes.
    void set_tokens(Transaction& transaction, const std::string& server_id, const McpTokens& tokens) const;

    boost::asio::awaitable<std::vector<McpToolLink>> tools_of(std::string organization_id, std::string server_id) const;

    /// Makes a tool that is inserted before it in the same transaction one of the server.
    void link_tool(Transaction& transaction, const std::string& server_id, const McpToolLink& link) const;

    /// Which of `names` the organisation's tools have already.
    boost::asio::awaitable<std::vector<std::string>> taken_names(std::string organization_id,
                                                                 std::vector<std::string> names) const;

    void insert_login(Transaction& transaction, const McpOauthSession& session) const;
    boost::asio::awaitable<std::optional<McpOauthSession>> find_login(std::string id) const;

    /// Ends the pending login with this hash of its state, once: nothing if there is none or it was ended before.
    boost::asio::awaitable<std::optional<McpOauthSession>> claim_login(std::string state_hash) const;
    void end_login(Transaction& transaction, const McpOauthSession& session) const;
    void forget_logins(Transaction& transaction, Timestamp before) const;

    static std::vector<Statement> statements();

private:
    std::vector<McpServer> from_rows(Rows rows) const;
    McpOauthSession login_from(Row& row) const;

    Database& database_;
    const Sealer& sealer_;
};

}  // namespace stele::storage
