#pragma once

#include "api/route.hpp"

namespace stele::api {

/// Whether the policy of the request's client-side access token allows the operation. Throws Error{permission_denied},
/// or Error{not_found} for another agent than those it names.
awaitable<void> demand_policy(Services& services, const Request& request, const Route& route);

/// Keeps which run the request's token has started, and lets the stream of the answer end with the token.
awaitable<void> follow_token(Services& services, const Request& request, Response& response);

/// A refusal in the form that browsers' clients read: with `message`.
Error not_of_token(const std::string& text);

/// True for the methods that change nothing.
bool only_reads(Method method);

}  // namespace stele::api
