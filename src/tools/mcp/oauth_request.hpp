#pragma once

#include "domain/mcp_oauth.hpp"
#include "tools/mcp/oauth_metadata.hpp"

#include <boost/json/object.hpp>

/// What is sent to authorization servers (OAuth 2.1; RFC 7591 registration, RFC 7636 PKCE, RFC 8707 resource). Pure,
/// but for the random numbers.
namespace stele::tools::mcp {

/// `bytes` random bytes as base64url: states and code verifiers.
std::string random_url_text(std::size_t bytes);

/// BASE64URL(SHA256(verifier)).
std::string challenge_of_verifier(std::string_view verifier);

/// application/x-www-form-urlencoded; pairs without a value are left out.
std::string form_of(const TextMap& pairs);

/// The page at which a person says yes. `login`: with its tokens' client, scope and resource.
std::string authorization_url(const std::string& endpoint, const McpLogin& login, const std::string& state);

/// Body of a registration of Stele as a client.
boost::json::object registration_of(const IssuerMetadata& issuer, const std::string& redirect_uri);

/// What a registration gave. Throws Error{unavailable} for an answer without an id.
McpOauthClient registered_client(const boost::json::value& answer);

/// A client that was registered by hand, as `issuer` wants it to show its secret.
McpOauthClient configured_client(const McpOauthConfig& config, const IssuerMetadata& issuer);

/// A request for tokens: its form, and the header Authorization where the client names itself there (else empty).
struct TokenRequest {
    std::string form, authorization;
};
TokenRequest code_request(const McpLogin& login, const std::string& code);
TokenRequest refresh_request(const McpTokens& tokens);

/// RFC 7009: asks that one of the tokens be good for nothing any more. `kind`: refresh_token or access_token.
TokenRequest revocation_request(const McpTokens& tokens, const std::string& kind);

/// Takes over what the token endpoint gave; what it does not name stays as it was. `at`: seconds since 1970. Throws
/// Error{unavailable} for an answer that holds no bearer token.
void take_tokens(McpTokens& tokens, const boost::json::value& answer, std::int64_t at);

/// What another's text says, short and on one line: for people to read.
std::string plain_words(std::string_view text);

}  // namespace stele::tools::mcp
