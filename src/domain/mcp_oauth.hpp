#pragma once

#include "domain/json.hpp"

#include <boost/describe/class.hpp>

namespace stele {

/// What an operator may say about logging in with a server (`config.oauth`). Everything has a default: without it the
/// server's own documents say where its people log in, and Stele makes itself known there.
struct McpOauthConfig {
    Patch<std::string> client_id;      ///< of a client that was registered by hand
    Patch<std::string> client_secret;  ///< taken, never told
    Patch<std::string> scope;          ///< asked for instead of what the server names
    bool send_resource = true;         ///< name the server in requests (RFC 8707); some logins break over it

    bool operator==(const McpOauthConfig&) const = default;
};
BOOST_DESCRIBE_STRUCT(McpOauthConfig, (), (client_id, client_secret, scope, send_resource))

/// How Stele is known to an authorization server. Belongs to its issuer alone. Sealed in the store.
struct McpOauthClient {
    std::string client_id, client_secret;
    std::string auth_method = "none";  ///< at the token endpoint: none, client_secret_basic or client_secret_post
    std::int64_t expires_at = 0;       ///< of the secret, in seconds since 1970; 0: never
};
BOOST_DESCRIBE_STRUCT(McpOauthClient, (), (client_id, client_secret, auth_method, expires_at))

/// What a login with a server has given. Sealed in the store.
struct McpTokens {
    std::string issuer, token_endpoint, scope;
    std::string resource;  ///< sent with each request for a token; empty: none is
    McpOauthClient client;
    std::string access_token, refresh_token;
    std::int64_t expires_at = 0;  ///< seconds since 1970; 0: unknown
    std::string wanted_scope;     ///< that the server asked for when it refused a call; the next login asks for it
    std::string stored_as;        ///< the sealed text this was read from. Not described, so never in the JSON
};
BOOST_DESCRIBE_STRUCT(McpTokens, (),
                      (issuer, token_endpoint, scope, resource, client, access_token, refresh_token, expires_at,
                       wanted_scope))

/// What is remembered of a login until its person comes back from the authorization server. Sealed in the store.
struct McpLogin {
    std::string server_url;
    std::string server_id;  ///< of the stored server that gets the tokens; empty: none yet
    std::string redirect_uri, verifier;
    bool iss_required = false;  ///< the authorization server says that it names itself in its answer
    McpTokens tokens;
};
BOOST_DESCRIBE_STRUCT(McpLogin, (), (server_url, server_id, redirect_uri, verifier, iss_required, tokens))

/// Answer of GET /v1/tools/mcp/oauth/callback.
struct McpOauthAnswer {
    std::string status = "error";  ///< or success
    std::string message;
    Patch<std::string> server_url;
};
BOOST_DESCRIBE_STRUCT(McpOauthAnswer, (), (status, message, server_url))

/// How Stele describes itself to authorization servers that read such a document (OAuth Client ID Metadata Document).
struct McpClientDocument {
    std::string client_id, client_name = "Stele", client_uri;
    std::vector<std::string> redirect_uris;
    std::vector<std::string> grant_types = {"authorization_code", "refresh_token"};
    std::vector<std::string> response_types = {"code"};
    std::string token_endpoint_auth_method = "none";
};
BOOST_DESCRIBE_STRUCT(McpClientDocument, (),
                      (client_id, client_name, client_uri, redirect_uris, grant_types, response_types,
                       token_endpoint_auth_method))

}  // namespace stele
