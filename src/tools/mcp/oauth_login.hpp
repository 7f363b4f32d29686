#pragma once

#include "domain/mcp_server.hpp"
#include "net/client.hpp"
#include "storage/mcp_login_repository.hpp"
#include "storage/mcp_server_repository.hpp"
#include "tools/mcp/oauth_fetch.hpp"
#include "tools/mcp/oauth_metadata.hpp"

namespace stele::tools::mcp {

/// References outlive the logins.
struct OauthLoginParts {
    storage::Database& database;
    const storage::McpServerRepository& servers;
    const storage::McpLoginRepository& logins;
    net::HttpClient& http;
    bool private_addresses = false;  ///< authorization servers may be on this machine and in private networks
    std::chrono::milliseconds begin_patience{30'000};
    std::chrono::milliseconds login_patience{300'000};  ///< from the page's address to the person's return
    std::string client_document_url;                    ///< https, where others can read who we are; empty: nowhere
};

/// Logins of people with MCP servers: OAuth 2.1 as revision 2026-07-28 of the protocol has it, and its older forms.
/// Thread-safe.
class OauthLogins {
public:
    explicit OauthLogins(OauthLoginParts parts) : parts_(std::move(parts)) {}

    struct Begun {
        std::string url;  ///< of the page at which a person says yes
        std::string session_id;
    };

    /// Finds out who logs people in for `server` and how, makes Stele known there, and stores a login that waits.
    /// `challenge`: the server's WWW-Authenticate. Throws Error{unavailable, timed_out, permission_denied} with what
    /// was wrong.
    boost::asio::awaitable<Begun> begin(McpServer server, std::string user_id, std::string challenge,
                                        std::string redirect_uri);

    /// What came back with the person, as it was sent.
    struct Return {
        std::string session_id;  ///< of the older spelling of the address; else empty
        std::string state, code, issuer, error, error_description;
    };

    /// Ends a login, once: whatever comes of it is stored before it is told. A server of the same address and user that
    /// has no login of its own gets the tokens.
    boost::asio::awaitable<McpOauthAnswer> finish(Return from);

    /// Lets `server`, which is in no store, be spoken with by a login of its user that has been made already.
    boost::asio::awaitable<void> lend_login(McpServer& server) const;

    /// Gives tokens that nobody holds any more back to who gave them (RFC 7009), if it takes them: a server that was
    /// deleted is not to be reached with them. Nobody waits for it; what comes of it is in the log alone.
    void revoke_behind(const boost::asio::any_io_executor& executor, McpTokens tokens) const;

    std::chrono::milliseconds login_patience() const { return parts_.login_patience; }
    const std::string& client_document_url() const { return parts_.client_document_url; }

private:
    boost::asio::awaitable<void> revoke(McpTokens tokens) const;
    boost::asio::awaitable<ResourceMetadata> find_issuer(const OauthFetch& fetch, const McpServer& server,
                                                         const std::string& named) const;
    boost::asio::awaitable<IssuerMetadata> read_issuer(const OauthFetch& fetch, const ResourceMetadata& resource,
                                                       const McpServer& server) const;
    boost::asio::awaitable<McpOauthClient> find_client(const OauthFetch& fetch, const McpServer& server,
                                                       const IssuerMetadata& issuer, std::string redirect_uri) const;
    boost::asio::awaitable<std::string> exchange(storage::McpOauthSession& session, const Return& from) const;
    boost::asio::awaitable<void> store_end(storage::McpOauthSession session) const;
    boost::asio::awaitable<std::string> server_without_login(const storage::McpOauthSession& session) const;

    OauthLoginParts parts_;
};

}  // namespace stele::tools::mcp
