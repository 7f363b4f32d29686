#pragma once

#include <boost/json/value.hpp>

#include <string>
#include <string_view>
#include <vector>

/// The documents by which a server says who logs people in, and how: RFC 9728 (of the protected resource), RFC 8414 and
/// OpenID Connect Discovery (of the authorization server). Pure; what they say is not trusted.
namespace stele::tools::mcp {

struct ResourceMetadata {
    std::string resource;  ///< by which name the server wants its tokens asked for
    std::string issuer;    ///< of the authorization server: the first that is named
    std::string scope;     ///< all scopes that are named
};

struct IssuerMetadata {
    std::string issuer;
    std::string authorization_endpoint, token_endpoint, registration_endpoint;
    std::string revocation_endpoint;        ///< RFC 7009: where tokens are given back; empty: nowhere
    std::vector<std::string> auth_methods;  ///< at the token endpoint; empty: not said
    bool offline_access = false;            ///< a scope of this name brings refresh tokens
    bool names_itself = false;              ///< RFC 9207: `iss` comes with the code
    bool reads_client_documents = false;    ///< a client's id may be the URL of its description
};

/// The name of a server in requests for tokens (RFC 8707): its URL in one spelling, without a fragment. Empty for none.
std::string canonical_resource(std::string_view server_url);

/// Where the document of a server may be, most likely first. `named`: by its challenge, or empty.
std::vector<std::string> resource_metadata_urls(std::string_view server_url, const std::string& named);

/// Where the document of an authorization server may be, most likely first.
std::vector<std::string> issuer_metadata_urls(std::string_view issuer);

/// Throws Error{unavailable} for a document that speaks of another server or names nobody.
ResourceMetadata resource_metadata_of(const boost::json::value& document, std::string_view server_url);

/// Throws Error{unavailable} for a document of another issuer, and for one that can't be logged in with.
IssuerMetadata issuer_metadata_of(const boost::json::value& document, const std::string& issuer);

/// What servers of 2025-03-26 without any document offer at their own origin.
IssuerMetadata issuer_without_metadata(std::string_view server_url);

/// Why what a document names is not gone to; empty if it may be. Without `private_too`: https at public names alone.
std::string endpoint_problem(std::string_view url, bool private_too);

}  // namespace stele::tools::mcp
