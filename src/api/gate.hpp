#pragma once

#include "api/caller.hpp"
#include "api/route.hpp"

namespace stele::api {

/// Lets requests in: finds out whom a credential speaks for, and refuses what it does not reach. Thread-safe; the
/// services outlive it.
class Gate {
public:
    explicit Gate(Services& services) : services_(services) {}

    /// Who sends these headers. Throws Error{unauthenticated} for a credential that is missing or holds no more,
    /// Error{rate_limited} beyond the rate of a key.
    awaitable<Caller> admit(const net::HttpRequest& http) const;

    /// Throws Error{permission_denied} for an operation that the caller's scope does not hold.
    void demand_scope(const Caller& caller, const Route& route) const;

    /// Makes the caller the user whom the header user_id names. Throws Error{permission_denied} for whoever is no
    /// administrator, Error{not_found} for an unknown user.
    awaitable<void> act_for(Caller& caller, const net::HttpRequest& http, const Route& route) const;

private:
    awaitable<Caller> caller_of_key(const net::HttpRequest& http, std::string text) const;
    awaitable<Caller> caller_of_token(const net::HttpRequest& http, std::string text) const;
    void refuse_foreign_page(const net::HttpRequest& http) const;

    Services& services_;
};

/// "Bearer x" -> "x" if the scheme of the header is `scheme`, without case.
std::optional<std::string> credential(const std::string* header, std::string_view scheme);

/// `path` with what comes behind the start of a key or token left out, for logs.
std::string path_to_show(std::string_view path);

}  // namespace stele::api
