#pragma once

#include "api/route.hpp"

namespace stele::api {

/// The block as clients see it, with its version as ETag.
Response block_answer(Block block);

/// Applies `change` to `block`, which was just read, stores what differs and answers the block: the one way by which
/// REST changes a block. Throws Error{precondition_failed} when the request's If-Match names another version.
awaitable<Response> change_block(Services& services, const Request& request, Block block, BlockUpdate change);

}  // namespace stele::api
