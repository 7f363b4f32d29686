#include "tools/mcp/oauth_login.hpp"

#include "base/ids.hpp"
#include "base/log.hpp"
#include "tools/mcp/oauth_challenge.hpp"
#include "tools/mcp/oauth_request.hpp"
#include "tools/mcp/rpc.hpp"

#include <boost/asio/co_spawn.hpp>

#include <sodium.h>

namespace stele::tools::mcp {
namespace {

using boost::asio::awaitable;
using Clock = std::chrono::steady_clock;

constexpr std::size_t secret_bytes = 32;  // of states and verifiers
constexpr std::size_t state_bytes_max = 200;
constexpr auto exchange_patience = std::chrono::seconds(20);
constexpr auto revocation_patience = std::chrono::seconds(10);
constexpr auto session_age_max = std::chrono::hours(24);
constexpr std::int64_t servers_max = 10'000;

std::int64_t seconds_now() { return to_micros(now()) / 1'000'000; }

std::string hash_of(const std::string& state) {
    unsigned char hash[crypto_generichash_BYTES];
    crypto_generichash(hash, sizeof hash, reinterpret_cast<const unsigned char*>(state.data()), state.size(), nullptr,
                       0);
    char hex[sizeof hash * 2 + 1];
    sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
    return hex;
}

bool is_given(const OauthFetch::Answer& answer) { return answer.status == 200 || answer.status == 201; }

// Some servers answer every path with a page: what is no object is as good as not there.
bool is_document(const OauthFetch::Answer& answer) { return answer.status == 200 && answer.body.is_object(); }

std::string scope_for(const McpServer& server, const Challenge& challenge, const ResourceMetadata& resource,
                      const IssuerMetadata& issuer) {
    std::string scope = challenge.scope.empty() ? resource.scope : challenge.scope;
    if (server.config.oauth.has_value() && server.config.oauth->scope.has_value()) scope = *server.config.oauth->scope;
    if (server.tokens) {  // more than last time: what was there is not given up
        if (challenge.wants_more_rights()) scope = united_scopes(server.tokens->scope, scope);
        scope = united_scopes(scope, server.tokens->wanted_scope);
    }
    if (!scope.empty() && issuer.offline_access) scope = united_scopes(scope, "offline_access");
    return scope;
}

}  // namespace

awaitable<ResourceMetadata> OauthLogins::find_issuer(const OauthFetch& fetch, const McpServer& server,
                                                     const std::string& named) const {
    const std::string url = server.config.server_url.value_or("");
    for (const std::string& place : resource_metadata_urls(url, named)) {
        const OauthFetch::Answer answer = co_await fetch.get(place);
        if (is_document(answer)) co_return resource_metadata_of(answer.body, url);
    }
    if (!named.empty())
        throw Error(ErrorCode::unavailable, "The MCP server's metadata is not at " + plain_words(named));
    ResourceMetadata none;  // revision 2025-03-26: the server logs people in itself
    none.resource = canonical_resource(url);
    none.issuer = issuer_without_metadata(url).issuer;
    co_return none;
}

awaitable<IssuerMetadata> OauthLogins::read_issuer(const OauthFetch& fetch, const ResourceMetadata& resource,
                                                   const McpServer& server) const {
    if (const std::string problem = endpoint_problem(resource.issuer, parts_.private_addresses); !problem.empty())
        throw Error(ErrorCode::permission_denied,
                    "The login leads to " + plain_words(resource.issuer) + ", which " + problem);
    for (const std::string& place : issuer_metadata_urls(resource.issuer)) {
        const OauthFetch::Answer answer = co_await fetch.get(place);
        if (is_document(answer)) co_return issuer_metadata_of(answer.body, resource.issuer);
    }
    IssuerMetadata usual = issuer_without_metadata(server.config.server_url.value_or(""));
    if (usual.issuer != resource.issuer)
        throw Error(ErrorCode::unavailable,
                    "The authorization server at " + plain_words(resource.issuer) + " does not describe itself");
    co_return usual;
}

awaitable<McpOauthClient> OauthLogins::find_client(const OauthFetch& fetch, const McpServer& server,
                                                   const IssuerMetadata& issuer, std::string redirect_uri) const {
    if (server.config.oauth.has_value() && server.config.oauth->client_id.has_value())
        co_return configured_client(*server.config.oauth, issuer);
    if (issuer.reads_client_documents && !parts_.client_document_url.empty()) {
        McpOauthClient described;
        described.client_id = parts_.client_document_url;
        co_return described;
    }
    auto known = co_await parts_.logins.find_client(server.organization_id, issuer.issuer, redirect_uri);
    const bool valid = known && (known->expires_at == 0 || known->expires_at > seconds_now() + 300);
    if (valid) co_return std::move(*known);
    if (issuer.registration_endpoint.empty())
        throw Error(ErrorCode::unavailable,
                    "The authorization server registers nobody by itself. Register Stele there with the redirect URI " +
                        redirect_uri + ", and give its client_id in config.oauth");
    boost::json::object registration = registration_of(issuer, redirect_uri);
    const OauthFetch::Answer answer = co_await fetch.post_json(issuer.registration_endpoint, std::move(registration));
    if (!is_given(answer))
        throw Error(ErrorCode::unavailable,
                    "The authorization server did not register Stele: " + refusal_words(answer));
    McpOauthClient client = registered_client(answer.body);
    storage::Transaction transaction;
    parts_.logins.keep_client(transaction, server.organization_id, issuer.issuer, redirect_uri, client);
    co_await parts_.database.commit(std::move(transaction));
    co_return client;
}

awaitable<OauthLogins::Begun> OauthLogins::begin(McpServer server, std::string user_id, std::string challenge_text,
                                                 std::string redirect_uri) {
    const OauthFetch fetch{parts_.http, parts_.private_addresses, Clock::now() + parts_.begin_patience};
    const Challenge challenge = parse_challenge(challenge_text);
    const ResourceMetadata resource = co_await find_issuer(fetch, server, challenge.resource_metadata);
    const IssuerMetadata issuer = co_await read_issuer(fetch, resource, server);
    // A person is sent there; the token request follows.
    for (const std::string& endpoint : {issuer.authorization_endpoint, issuer.token_endpoint})
        if (const std::string problem = endpoint_problem(endpoint, parts_.private_addresses); !problem.empty())
            throw Error(ErrorCode::permission_denied,
                        "The login leads to " + plain_words(endpoint) + ", which " + problem);

    storage::McpOauthSession session;
    session.id = "mcp-oauth-" + random_hex(4);
    session.organization_id = server.organization_id;
    session.user_id = std::move(user_id);
    session.created_at = now();
    McpLogin& login = session.login;
    login.server_url = server.config.server_url.value_or("");
    if (server.stored) login.server_id = server.id;
    login.redirect_uri = redirect_uri;
    login.verifier = random_url_text(secret_bytes);
    login.iss_required = issuer.names_itself;
    login.tokens.issuer = issuer.issuer;
    login.tokens.token_endpoint = issuer.token_endpoint;
    login.tokens.client = co_await find_client(fetch, server, issuer, redirect_uri);
    login.tokens.scope = scope_for(server, challenge, resource, issuer);
    const bool send_resource = !server.config.oauth.has_value() || server.config.oauth->send_resource;
    if (send_resource) login.tokens.resource = resource.resource;
    const std::string state = random_url_text(secret_bytes);
    session.state_hash = hash_of(state);

    Begun begun;
    begun.url = authorization_url(issuer.authorization_endpoint, login, state);
    begun.session_id = session.id;
    storage::Transaction transaction;
    parts_.logins.forget(transaction, now() - session_age_max);
    parts_.logins.insert(transaction, session);
    co_await parts_.database.commit(std::move(transaction));
    co_return begun;
}

// Empty, or why there are no tokens.
awaitable<std::string> OauthLogins::exchange(storage::McpOauthSession& session, const Return& from) const {
    McpLogin& login = session.login;
    const bool other_issuer = !from.issuer.empty() && from.issuer != login.tokens.issuer;
    if (other_issuer || (from.issuer.empty() && login.iss_required))
        co_return "The answer comes from another authorization server than the one that was asked";
    if (!from.error.empty()) {
        const std::string words = plain_words(from.error_description);
        co_return "The authorization server refused the login: " + plain_words(from.error) +
            (words.empty() ? "" : " (" + words + ")");
    }
    if (from.code.empty()) co_return "The authorization server gave no code";
    const OauthFetch fetch{parts_.http, parts_.private_addresses, Clock::now() + exchange_patience};
    TokenRequest request = code_request(login, from.code);
    OauthFetch::Answer answer;
    try {
        answer = co_await fetch.post_form(login.tokens.token_endpoint, std::move(request.form),
                                          std::move(request.authorization));
        if (is_given(answer)) take_tokens(login.tokens, answer.body, seconds_now());
    } catch (const Error& error) {
        if (error.code == ErrorCode::cancelled) throw;
        co_return error.what();
    }
    if (is_given(answer)) co_return std::string();
    const std::string why = refusal_words(answer);
    if (why.starts_with("invalid_client")) {  // it has forgotten Stele: the next login makes it known again
        storage::Transaction transaction;
        parts_.logins.forget_clients(transaction, session.organization_id, login.tokens.issuer);
        co_await parts_.database.commit(std::move(transaction));
    }
    co_return "The authorization server gave no token: " + why;
}

awaitable<std::string> OauthLogins::server_without_login(const storage::McpOauthSession& session) const {
    if (!session.login.server_id.empty()) {
        const auto named = co_await parts_.servers.find(session.organization_id, session.login.server_id);
        const bool there = named && named->config.server_url.value_or("") == session.login.server_url;
        co_return there ? session.login.server_id : std::string();
    }
    storage::Page page;
    page.limit = servers_max;
    const std::vector<McpServer> servers = co_await parts_.servers.list(session.organization_id, std::move(page));
    for (const McpServer& server : servers)
        if (server.config.server_url.value_or("") == session.login.server_url && !server.tokens &&
            server.created_by_id == session.user_id)
            co_return server.id;
    co_return std::string();
}

awaitable<void> OauthLogins::store_end(storage::McpOauthSession session) const {
    session.login.verifier.clear();
    session.status = session.failure ? "error" : "authorized";
    storage::Transaction transaction;
    if (session.failure) {
        session.login.tokens = {};
    } else {
        session.login.server_id = co_await server_without_login(session);
        if (!session.login.server_id.empty()) {
            parts_.logins.set_tokens(transaction, session.login.server_id, session.login.tokens);
            session.status = "adopted";
            session.login.tokens = {};
        }
    }
    parts_.logins.update(transaction, session);
    co_await parts_.database.commit(std::move(transaction));
    log::info("mcp.login_ended", {{"session_id", session.id}, {"status", session.status}});
}

awaitable<McpOauthAnswer> OauthLogins::finish(Return from) {
    McpOauthAnswer answer;
    std::optional<storage::McpOauthSession> session;
    if (!from.state.empty() && from.state.size() <= state_bytes_max)
        session = co_await parts_.logins.claim(hash_of(from.state), now() - parts_.login_patience);
    if (!session) {
        answer.message = "This login is not known here: it took too long, or was ended before. Please begin it again";
        co_return answer;
    }
    std::string failure = "The address and the state belong to two logins";
    if (from.session_id.empty() || from.session_id == session->id) failure = co_await exchange(*session, from);
    if (!failure.empty()) session->failure = failure;
    const std::string url = session->login.server_url;
    co_await store_end(std::move(*session));
    answer.message = failure.empty() ? "You are logged in. You can close this window" : failure;
    if (!failure.empty()) co_return answer;
    answer.status = "success";
    answer.server_url = url.substr(0, url.find('?'));
    co_return answer;
}

// The issuer's document is read anew: a login may be old, and only now is it asked where tokens are given back. The
// refresh token goes first: with it an issuer that does as it should ends its access tokens too.
awaitable<void> OauthLogins::revoke(McpTokens tokens) const {
    const OauthFetch fetch{parts_.http, parts_.private_addresses, Clock::now() + revocation_patience};
    if (!endpoint_problem(tokens.issuer, parts_.private_addresses).empty()) co_return;
    std::string endpoint;
    for (const std::string& place : issuer_metadata_urls(tokens.issuer)) {
        const OauthFetch::Answer answer = co_await fetch.get(place);
        if (!is_document(answer)) continue;
        endpoint = issuer_metadata_of(answer.body, tokens.issuer).revocation_endpoint;
        break;
    }
    if (endpoint.empty() || !endpoint_problem(endpoint, parts_.private_addresses).empty()) co_return;
    bool taken = true;
    for (const char* kind : {"refresh_token", "access_token"}) {
        if ((kind == std::string_view("refresh_token") ? tokens.refresh_token : tokens.access_token).empty()) continue;
        TokenRequest request = revocation_request(tokens, kind);
        const OauthFetch::Answer answer =
            co_await fetch.post_form(endpoint, std::move(request.form), std::move(request.authorization));
        taken = taken && answer.status == 200;
    }
    log::info("mcp.tokens_revoked", {{"issuer", plain_words(tokens.issuer)}, {"taken", taken}});
}

void OauthLogins::revoke_behind(const boost::asio::any_io_executor& executor, McpTokens tokens) const {
    boost::asio::co_spawn(executor, revoke(std::move(tokens)), [](const std::exception_ptr& failure) {
        if (failure) log::info("mcp.tokens_not_revoked", {});
    });
}

awaitable<void> OauthLogins::lend_login(McpServer& server) const {
    if (server.type == McpServerType::stdio) co_return;
    auto session = co_await parts_.logins.find_authorized(server.organization_id, server.created_by_id,
                                                          server.config.server_url.value_or(""));
    if (!session) co_return;
    server.tokens = std::move(session->login.tokens);
    server.login_id = std::move(session->id);
}

}  // namespace stele::tools::mcp
