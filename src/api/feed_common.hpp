#pragma once

#include "api/route.hpp"
#include "storage/feed_repository.hpp"
#include "storage/feed_subscription_repository.hpp"

namespace stele::api {

/// The feed of the path. Throws Error{not_found}.
awaitable<Feed> feed_of(Services& services, const Request& request);

/// What subscribes an agent to a feed, not stored yet. Throws Error{not_found} for an unknown agent, and
/// Error{invalid_argument} for one of another project and for a plan that is none.
awaitable<FeedSubscription> new_subscription(Services& services, const Request& request, Feed feed,
                                             FeedSubscribe wanted);

/// What it means that the agent is subscribed already.
Error already_subscribed(const std::string& agent_id);

}  // namespace stele::api
