#include "tools/mcp/oauth_metadata.hpp"

#include "base/error.hpp"
#include "net/url.hpp"
#include "tools/mcp/address.hpp"
#include "tools/mcp/oauth_challenge.hpp"
#include "tools/mcp/rpc.hpp"

#include <algorithm>

namespace stele::tools::mcp {
namespace {

namespace json = boost::json;

constexpr std::size_t names_max = 100;  // of one list

std::vector<std::string> texts_of(const json::value& document, std::string_view name) {
    std::vector<std::string> texts;
    const json::value& list = member(document, name);
    if (!list.is_array()) return texts;
    for (const json::value& each : list.get_array())
        if (each.is_string() && texts.size() < names_max) texts.emplace_back(each.get_string());
    return texts;
}

bool flag_of(const json::value& document, std::string_view name) {
    const json::value& found = member(document, name);
    return found.is_bool() && found.get_bool();
}

bool has(const std::vector<std::string>& texts, std::string_view wanted) {
    return std::find(texts.begin(), texts.end(), wanted) != texts.end();
}

// One spelling may end with a slash where the other does not.
std::string_view unslashed(std::string_view text) {
    if (text.ends_with('/')) text.remove_suffix(1);
    return text;
}

std::string shown(std::string_view url) { return std::string(url.substr(0, 200)); }

// "https://x.example" and "/a/b" of "https://x.example/a/b/?q".
struct Place {
    std::string origin, path;
};

Place place_of(std::string_view url) {
    const auto parsed = net::parse_url(url);
    if (!parsed) return {};
    const bool usual = parsed->port == (parsed->scheme == "https" ? "443" : "80");
    const std::string origin = origin_of_url(url);
    Place place;
    place.origin = usual ? origin.substr(0, origin.rfind(':')) : origin;
    if (parsed->host.find(':') != std::string::npos) place.origin = parsed->scheme + "://" + parsed->authority;
    place.path = std::string(unslashed(std::string_view(parsed->target).substr(0, parsed->target.find('?'))));
    return place;
}

}  // namespace

std::string canonical_resource(std::string_view server_url) {
    const Place place = place_of(server_url);
    return place.origin + place.path;
}

std::vector<std::string> resource_metadata_urls(std::string_view server_url, const std::string& named) {
    if (!named.empty()) return {named};
    const Place place = place_of(server_url);
    const std::string base = place.origin + "/.well-known/oauth-protected-resource";
    if (place.path.empty()) return {base};
    return {base + place.path, base};
}

std::vector<std::string> issuer_metadata_urls(std::string_view issuer) {
    const auto [origin, path] = place_of(issuer);
    const std::string oauth = origin + "/.well-known/oauth-authorization-server";
    const std::string openid = "/.well-known/openid-configuration";
    if (path.empty()) return {oauth, origin + openid};
    return {oauth + path, origin + openid + path, origin + path + openid};
}

ResourceMetadata resource_metadata_of(const json::value& document, std::string_view server_url) {
    ResourceMetadata metadata;
    metadata.resource = text_member(document, "resource");
    const Place named = place_of(metadata.resource), server = place_of(server_url);
    const bool within =
        named.origin == server.origin && (server.path == named.path || server.path.starts_with(named.path + "/"));
    if (!within)
        throw Error(ErrorCode::unavailable, "The MCP server's metadata speaks of another server (" +
                                                shown(metadata.resource) + "), so nobody logs in by it");
    const std::vector<std::string> servers = texts_of(document, "authorization_servers");
    if (servers.empty()) throw Error(ErrorCode::unavailable, "The MCP server's metadata names no authorization server");
    metadata.issuer = servers.front();
    for (const std::string& scope : texts_of(document, "scopes_supported"))
        metadata.scope = united_scopes(metadata.scope, scope);
    return metadata;
}

IssuerMetadata issuer_metadata_of(const json::value& document, const std::string& issuer) {
    IssuerMetadata metadata;
    metadata.issuer = text_member(document, "issuer");
    if (metadata.issuer.empty() || unslashed(metadata.issuer) != unslashed(issuer))
        throw Error(ErrorCode::unavailable, "The authorization server at " + shown(issuer) +
                                                " says that it is another issuer (" + shown(metadata.issuer) + ")");
    metadata.authorization_endpoint = text_member(document, "authorization_endpoint");
    metadata.token_endpoint = text_member(document, "token_endpoint");
    metadata.registration_endpoint = text_member(document, "registration_endpoint");
    metadata.revocation_endpoint = text_member(document, "revocation_endpoint");
    if (metadata.authorization_endpoint.empty() || metadata.token_endpoint.empty())
        throw Error(ErrorCode::unavailable, "The authorization server does not say where to log in");
    const std::vector<std::string> challenge_methods = texts_of(document, "code_challenge_methods_supported");
    if (!challenge_methods.empty() && !has(challenge_methods, "S256"))
        throw Error(ErrorCode::unavailable, "The authorization server does not know PKCE with S256");
    metadata.auth_methods = texts_of(document, "token_endpoint_auth_methods_supported");
    metadata.offline_access = has(texts_of(document, "scopes_supported"), "offline_access");
    metadata.names_itself = flag_of(document, "authorization_response_iss_parameter_supported");
    metadata.reads_client_documents = flag_of(document, "client_id_metadata_document_supported");
    return metadata;
}

IssuerMetadata issuer_without_metadata(std::string_view server_url) {
    IssuerMetadata metadata;
    metadata.issuer = place_of(server_url).origin;
    metadata.authorization_endpoint = metadata.issuer + "/authorize";
    metadata.token_endpoint = metadata.issuer + "/token";
    metadata.registration_endpoint = metadata.issuer + "/register";
    return metadata;
}

std::string endpoint_problem(std::string_view url, bool private_too) {
    if (std::string problem = address_problem(url, private_too); !problem.empty()) return problem;
    if (!private_too && !url.starts_with("https://")) return "must be https";
    return {};
}

}  // namespace stele::tools::mcp
