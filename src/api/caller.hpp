#pragma once

#include "domain/access_token.hpp"
#include "domain/api_key.hpp"

#include <memory>

namespace stele::api {

/// Whom a request speaks for, and how far its credential reaches.
struct Caller {
    std::string organization_id;
    std::string user_id;
    Scope reach = Scope::read;
    std::shared_ptr<const AccessToken> token;  ///< with one, its policy alone says what may be done
    bool names_nobody = false;                 ///< the password, or an open server: the user is the default one
};

}  // namespace stele::api
