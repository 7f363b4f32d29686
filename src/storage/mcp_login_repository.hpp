#pragma once

#include "base/seal.hpp"
#include "domain/audit.hpp"
#include "domain/mcp_oauth.hpp"
#include "storage/database.hpp"

namespace stele::storage {

/// A login with an MCP server: waits for its person, is being ended, or is over.
struct McpOauthSession {
    std::string id;  ///< "mcp-oauth-<8 hex>"
    std::string organization_id, user_id;
    std::string state_hash;          ///< of the text that comes back with the person
    std::string status = "pending";  ///< pending, claimed, authorized, adopted (its tokens are a server's) or error
    McpLogin login;
    std::optional<std::string> failure;
    Timestamp created_at{};
};

/// Logins with MCP servers, the tokens they gave, and how Stele is known to authorization servers. All that is secret
/// is stored sealed.
class McpLoginRepository {
public:
    McpLoginRepository(Database& database, const Sealer& sealer) : database_(database), sealer_(sealer) {}

    void insert(Transaction& transaction, const McpOauthSession& session) const;
    boost::asio::awaitable<std::optional<McpOauthSession>> find(std::string id) const;

    /// The newest login of this user with this server that has tokens which no server has taken over.
    boost::asio::awaitable<std::optional<McpOauthSession>> find_authorized(std::string organization_id,
                                                                           std::string user_id,
                                                                           std::string server_url) const;

    /// Takes the pending login with this hash of its state, once: nothing if there is none, it was taken before or
    /// began before `oldest`.
    boost::asio::awaitable<std::optional<McpOauthSession>> claim(std::string state_hash, Timestamp oldest) const;

    /// Stores status, login and failure.
    void update(Transaction& transaction, const McpOauthSession& session) const;

    /// Leaves the tokens to a server. The commit throws Error{conflict} if another one has them.
    void adopt(Transaction& transaction, const std::string& id) const;

    void forget(Transaction& transaction, Timestamp before) const;
    void forget_with_server(Transaction& transaction, const std::string& organization_id,
                            const std::string& server_url) const;

    /// Tokens of a stored server.
    boost::asio::awaitable<std::optional<McpTokens>> tokens_of_server(std::string server_id) const;
    void set_tokens(Transaction& transaction, const std::string& server_id,
                    const std::optional<McpTokens>& tokens) const;

    /// The same in place of those that were read as `tokens.stored_as`. The commit throws Error{conflict} if others
    /// have come in their place.
    void replace_tokens(Transaction& transaction, const std::string& server_id, const McpTokens& tokens) const;

    boost::asio::awaitable<std::optional<McpOauthClient>> find_client(std::string organization_id, std::string issuer,
                                                                      std::string redirect_uri) const;
    void keep_client(Transaction& transaction, const std::string& organization_id, const std::string& issuer,
                     const std::string& redirect_uri, const McpOauthClient& client) const;
    void forget_clients(Transaction& transaction, const std::string& organization_id, const std::string& issuer) const;

    static std::vector<Statement> statements();

private:
    std::optional<McpOauthSession> from_rows(Rows rows) const;

    Database& database_;
    const Sealer& sealer_;
};

}  // namespace stele::storage
