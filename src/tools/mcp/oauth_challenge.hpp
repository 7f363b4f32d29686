#pragma once

#include "net/http.hpp"

#include <string>
#include <string_view>

namespace stele::tools::mcp {

/// What a server's WWW-Authenticate asks for by its scheme Bearer (RFC 6750, RFC 9728); empty what it does not say.
struct Challenge {
    std::string resource_metadata;  ///< where the server says who logs people in
    std::string scope, error;

    bool wants_more_rights() const { return error == "insufficient_scope"; }
};

/// All WWW-Authenticate headers of an answer as one text.
std::string challenges_of(const net::Headers& headers);

Challenge parse_challenge(std::string_view text);

/// The scopes of both texts, each once, in their order.
std::string united_scopes(std::string_view some, std::string_view more);

}  // namespace stele::tools::mcp
