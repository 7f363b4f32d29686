#include "api/gate.hpp"

#include "api/scope_rules.hpp"
#include "api/token_policy.hpp"
#include "base/base64.hpp"
#include "base/ids.hpp"
#include "runtime/credentials.hpp"

#include <boost/asio/this_coro.hpp>
#include <boost/describe/enum_to_string.hpp>

#include <algorithm>

namespace stele::api {
namespace {

constexpr std::int64_t token_writes_a_minute = 60, token_reads_a_minute = 600;
constexpr std::size_t shown_of_secret = 10;

// "Basic dXNlcjpwYXNz" -> "pass"
std::string password_of_basic(std::string_view encoded) {
    const std::string text = from_base64(encoded).value_or("");
    const std::size_t colon = text.find(':');
    return colon == std::string::npos ? std::string() : text.substr(colon + 1);
}

std::optional<std::string> credential_of(const net::Headers& headers) {
    const std::string* authorization = headers.find("Authorization");
    if (auto token = credential(authorization, "Bearer")) return token;
    if (const auto basic = credential(authorization, "Basic")) return password_of_basic(*basic);
    return credential(headers.find("X-BARE-PASSWORD"), "password");
}

Error unauthorized() { return Error(ErrorCode::unauthenticated, "Unauthorized"); }

Error forbidden(const std::string& text) { return Error(ErrorCode::permission_denied, text); }

Error too_many(std::int64_t per_minute, std::chrono::milliseconds wait) {
    Error error(ErrorCode::rate_limited, "The rate of " + std::to_string(per_minute) + " requests a minute is used up");
    error.retry_after = wait;
    return error;
}

}  // namespace

std::optional<std::string> credential(const std::string* header, std::string_view scheme) {
    if (header == nullptr || header->size() <= scheme.size() || (*header)[scheme.size()] != ' ') return std::nullopt;
    if (!net::same_name(std::string_view(*header).substr(0, scheme.size()), scheme)) return std::nullopt;
    return header->substr(scheme.size() + 1);
}

awaitable<Caller> Gate::admit(const net::HttpRequest& http) const {
    const std::optional<std::string> text = credential_of(http.headers);
    const bool is_open = services_.password.empty();
    const bool is_password = text && !is_open && services_.password.matches(*text);
    // A key or token says whom it means to be: on an open server too it is that, or nobody.
    if (text && !is_password && text->starts_with(api_key_prefix)) co_return co_await caller_of_key(http, *text);
    if (text && !is_password && text->starts_with(access_token_prefix)) co_return co_await caller_of_token(http, *text);
    if (!is_open && !is_password) throw unauthorized();
    refuse_foreign_page(http);
    Caller administrator;
    administrator.organization_id = default_organization_id;
    administrator.user_id = default_user_id;
    administrator.reach = Scope::admin;
    administrator.names_nobody = true;
    co_return administrator;
}

awaitable<Caller> Gate::caller_of_key(const net::HttpRequest& http, std::string text) const {
    const auto known = co_await services_.credentials.find_key(std::move(text));
    if (!known) throw unauthorized();
    refuse_foreign_page(http);
    const ApiKey& key = known->key;
    if (key.rate_limit)
        if (const auto wait = services_.credentials.rates().take(key.id, *key.rate_limit))
            throw too_many(*key.rate_limit, *wait);
    const auto executor = co_await boost::asio::this_coro::executor;
    services_.credentials.used(key, executor);
    Caller caller;
    caller.organization_id = key.organization_id;
    caller.user_id = key.user_id;
    caller.reach = known->reach;
    co_return caller;
}

awaitable<Caller> Gate::caller_of_token(const net::HttpRequest& http, std::string text) const {
    Caller caller;
    caller.token = co_await services_.credentials.find_token(std::move(text));
    if (!caller.token) throw unauthorized();
    const std::string* origin = http.headers.find("Origin");
    if (origin == nullptr && services_.token_require_origin)
        throw not_of_token("An access token is for pages of its origin: the header Origin is missing");
    if (origin != nullptr && *origin != caller.token->hostname)
        throw not_of_token("This access token is for pages of another origin");
    const bool reads = only_reads(http.method);
    const std::int64_t per_minute = reads ? token_reads_a_minute : token_writes_a_minute;
    if (const auto wait =
            services_.credentials.rates().take(caller.token->id + (reads ? " reads" : " writes"), per_minute))
        throw too_many(per_minute, *wait);
    caller.organization_id = caller.token->organization_id;
    caller.user_id = caller.token->user_id;
    co_return caller;
}

// Pages of an origin that only tokens have opened this server to come with such a token, or not at all.
void Gate::refuse_foreign_page(const net::HttpRequest& http) const {
    const std::string* origin = http.headers.find("Origin");
    if (origin == nullptr || !services_.credentials.is_token_origin(*origin)) return;
    const std::string* host = http.headers.find("Host");
    if (host != nullptr && (*origin == "http://" + *host || *origin == "https://" + *host)) return;
    for (const std::string& allowed : services_.cors_origins)
        if (allowed == "*" || allowed == *origin) return;
    throw forbidden("Pages of this origin may come with an access token only");
}

void Gate::demand_scope(const Caller& caller, const Route& route) const {
    if (caller.token) return;  // its policy decides
    const Scope needed = needed_scope(route);
    if (caller.reach >= needed) return;
    throw forbidden(std::string("This needs a key with the scope ") + boost::describe::enum_to_string(needed, "admin"));
}

awaitable<void> Gate::act_for(Caller& caller, const net::HttpRequest& http, const Route& route) const {
    const std::string* header = http.headers.find("user_id");
    if (header == nullptr || header->empty()) {
        const bool administers = needed_scope(route) == Scope::admin;
        if (caller.names_nobody && services_.no_default_actor && !administers)
            throw Error(ErrorCode::not_found, "User not found: the header user_id has to name one");
        co_return;
    }
    if (*header == caller.user_id && !caller.names_nobody) co_return;
    if (caller.token || caller.reach != Scope::admin)
        throw forbidden("The header user_id is for administrators: a key speaks for its own user");
    if (!is_id(*header, "user"))
        throw Error(ErrorCode::invalid_argument, "The header user_id must match 'user-{uuid4}'");
    const auto user = co_await services_.credentials.find_user(*header);
    if (!user) throw Error(ErrorCode::not_found, "User not found: " + *header);
    caller.user_id = user->id;
    caller.organization_id = user->organization_id;
}

std::string path_to_show(std::string_view path) {
    std::string shown = net::percent_decode(path, false).value_or(std::string(path));
    for (const std::string_view start : {api_key_prefix, access_token_prefix}) {
        const std::size_t found = shown.find(start);
        if (found != std::string::npos && shown.size() > found + shown_of_secret)
            return shown.substr(0, found + shown_of_secret) + "...";
    }
    return std::string(path);
}

}  // namespace stele::api
