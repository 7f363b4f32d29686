#pragma once

#include "domain/mcp_server.hpp"
#include "net/client.hpp"
#include "storage/mcp_login_repository.hpp"
#include "tools/mcp/session.hpp"

#include <map>
#include <memory>
#include <mutex>

namespace stele::tools::mcp {

/// Keeps the tokens of logins usable. Whoever needs those of a server while they are being renewed waits for that one
/// request: a refresh token is often good for one use, and asking with it twice ends the login. What comes back is
/// stored before anybody uses it, and a caller that goes away does not break the request off. Thread-safe.
class OauthTokens {
public:
    /// References outlive it. `private_addresses`: authorization servers may be on this machine and in private
    /// networks.
    OauthTokens(storage::Database& database, const storage::McpLoginRepository& logins, net::HttpClient& http,
                bool private_addresses)
        : database_(database), logins_(logins), http_(http), private_addresses_(private_addresses) {}
    ~OauthTokens();

    /// True if the server is reached with tokens of a login; a configured token goes before them.
    static bool uses_login(const McpServer& server);

    /// True if its access token is over, or nearly, and can be renewed.
    static bool wants_refresh(const McpServer& server);

    /// The server's tokens after one renewal, or those that somebody else has brought meanwhile. Throws Unauthorized if
    /// the login is over, Error{unavailable, timed_out} if the authorization server can't be asked.
    boost::asio::awaitable<McpTokens> refreshed(McpServer server);

    /// Remembers what a server asked for when it refused a call, for the next login.
    boost::asio::awaitable<void> want_scope(McpServer server, std::string scope);

private:
    struct Flight;

    boost::asio::awaitable<void> fly(std::shared_ptr<Flight> flight, McpServer server, std::string key);
    boost::asio::awaitable<McpTokens> renew(McpServer server);
    boost::asio::awaitable<std::optional<McpTokens>> stored(const McpServer& server) const;
    boost::asio::awaitable<bool> store(const McpServer& server, McpTokens& tokens) const;

    storage::Database& database_;
    const storage::McpLoginRepository& logins_;
    net::HttpClient& http_;
    bool private_addresses_;
    std::mutex mutex_;
    std::map<std::string, std::shared_ptr<Flight>> flights_;  ///< by server or login; under the mutex
};

}  // namespace stele::tools::mcp
