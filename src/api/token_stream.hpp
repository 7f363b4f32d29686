#pragma once

#include "api/route.hpp"
#include "domain/access_token.hpp"

namespace stele::api {

/// `produce` as long as the token holds: when it ends or is taken back, so does the stream, without its last events.
net::BodyProducer while_token_holds(Services& services, std::shared_ptr<const AccessToken> token,
                                    net::BodyProducer produce);

}  // namespace stele::api
