#include "tools/mcp/oauth_tokens.hpp"

#include "base/log.hpp"
#include "tools/mcp/oauth_challenge.hpp"
#include "tools/mcp/oauth_fetch.hpp"
#include "tools/mcp/oauth_request.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace stele::tools::mcp {
namespace {

namespace asio = boost::asio;
using asio::awaitable;

constexpr std::int64_t margin_seconds = 30;  // before the end of a token's life
constexpr auto refresh_patience = std::chrono::seconds(20);

std::int64_t seconds_now() { return to_micros(now()) / 1'000'000; }

const std::string& holder_of(const McpServer& server) { return server.login_id.empty() ? server.id : server.login_id; }

// By these the authorization server says that the login, or Stele itself, is no longer known to it (RFC 6749, 5.2).
bool is_over(const std::string& error) {
    return error == "invalid_grant" || error == "invalid_client" || error == "unauthorized_client";
}

}  // namespace

/// One renewal, and those who wait for it.
struct OauthTokens::Flight {
    bool landed = false;
    std::optional<McpTokens> tokens;
    std::optional<Error> failure;
    bool login_over = false;
    std::vector<std::shared_ptr<asio::steady_timer>> waiting;  ///< woken by their cancellation, each on its own thread
};

// What is still in flight when the server ends is not: those who wait do so on other threads' contexts, which the
// frames that keep a flight may outlive.
OauthTokens::~OauthTokens() {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, flight] : flights_) flight->waiting.clear();
}

bool OauthTokens::uses_login(const McpServer& server) {
    return server.tokens && !server.tokens->access_token.empty() && credential_of(server.config).empty();
}

bool OauthTokens::wants_refresh(const McpServer& server) {
    return uses_login(server) && !server.tokens->refresh_token.empty() && server.tokens->expires_at > 0 &&
           server.tokens->expires_at <= seconds_now() + margin_seconds;
}

awaitable<std::optional<McpTokens>> OauthTokens::stored(const McpServer& server) const {
    if (server.login_id.empty()) {
        std::optional<McpTokens> of_server = co_await logins_.tokens_of_server(server.id);
        co_return of_server;
    }
    auto session = co_await logins_.find(server.login_id);
    if (!session || session->status != "authorized") co_return std::nullopt;
    co_return std::move(session->login.tokens);
}

// False if other tokens have come in the place of those that were renewed.
awaitable<bool> OauthTokens::store(const McpServer& server, McpTokens& tokens) const {
    storage::Transaction transaction;
    if (server.login_id.empty()) {
        logins_.replace_tokens(transaction, server.id, tokens);
    } else {
        auto session = co_await logins_.find(server.login_id);
        if (!session || session->status != "authorized") co_return false;
        session->login.tokens = tokens;
        logins_.update(transaction, *session);
    }
    try {
        co_await database_.commit(std::move(transaction));
        co_return true;
    } catch (const Error& error) {
        if (error.code != ErrorCode::conflict) throw;
    }
    co_return false;
}

awaitable<McpTokens> OauthTokens::renew(McpServer server) {
    std::optional<McpTokens> tokens = co_await stored(server);
    if (!tokens) throw Unauthorized({});
    if (tokens->access_token != server.tokens->access_token) co_return std::move(*tokens);
    if (tokens->refresh_token.empty()) throw Unauthorized({});
    const OauthFetch fetch{http_, private_addresses_, std::chrono::steady_clock::now() + refresh_patience};
    TokenRequest request = refresh_request(*tokens);
    const OauthFetch::Answer answer =
        co_await fetch.post_form(tokens->token_endpoint, std::move(request.form), std::move(request.authorization));
    const bool given = answer.status == 200 || answer.status == 201;
    const std::string why = given ? std::string() : refusal_words(answer);
    const bool over = !given && is_over(why.substr(0, why.find(':')));
    if (!given && !over) throw Error(ErrorCode::unavailable, "The login could not be renewed: " + why);
    if (given)
        take_tokens(*tokens, answer.body, seconds_now());
    else
        tokens->refresh_token.clear();
    const bool kept = co_await store(server, *tokens);
    if (!kept) tokens = co_await stored(server);
    log::info("mcp.token_refreshed", {{"mcp_server_id", holder_of(server)}, {"given", given}});
    if (!tokens || (kept && over)) throw Unauthorized({});
    co_return std::move(*tokens);
}

awaitable<void> OauthTokens::fly(std::shared_ptr<Flight> flight, McpServer server, std::string key) {
    std::optional<McpTokens> tokens;
    std::optional<Error> failure;
    bool over = false;
    try {
        tokens = co_await renew(std::move(server));
    } catch (const Unauthorized&) {
        over = true;
    } catch (const Error& error) {
        failure = error;
    } catch (const std::exception& error) {
        failure = Error(ErrorCode::internal, error.what());
    }
    const std::lock_guard lock(mutex_);
    flight->tokens = std::move(tokens);
    flight->failure = std::move(failure);
    flight->login_over = over;
    flight->landed = true;
    flights_.erase(key);
    for (const auto& timer : flight->waiting) asio::post(timer->get_executor(), [timer] { timer->cancel(); });
}

awaitable<McpTokens> OauthTokens::refreshed(McpServer server) {
    const auto executor = co_await asio::this_coro::executor;
    const std::string key = holder_of(server);
    const auto timer = std::make_shared<asio::steady_timer>(executor, asio::steady_timer::time_point::max());
    std::shared_ptr<Flight> flight;
    bool first = false;
    {
        const std::lock_guard lock(mutex_);
        std::shared_ptr<Flight>& entry = flights_[key];
        first = !entry;
        if (first) entry = std::make_shared<Flight>();
        flight = entry;
        flight->waiting.push_back(timer);
    }
    // By itself: cut off, it would lose the token that the authorization server has just given.
    if (first) asio::co_spawn(executor, fly(flight, std::move(server), key), asio::detached);
    boost::system::error_code woken;
    co_await timer->async_wait(asio::redirect_error(asio::use_awaitable, woken));
    const std::lock_guard lock(mutex_);
    if (!flight->landed) throw boost::system::system_error(asio::error::operation_aborted);
    if (flight->login_over) throw Unauthorized({});
    if (flight->failure) throw *flight->failure;
    co_return *flight->tokens;
}

awaitable<void> OauthTokens::want_scope(McpServer server, std::string scope) {
    std::optional<McpTokens> tokens = co_await stored(server);
    if (!tokens) co_return;
    const std::string wanted = united_scopes(tokens->scope, scope);
    if (scope.empty() || wanted == tokens->wanted_scope) co_return;
    tokens->wanted_scope = wanted;
    co_await store(server, *tokens);
}

}  // namespace stele::tools::mcp
