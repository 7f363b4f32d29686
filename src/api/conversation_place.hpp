#pragma once

#include "api/route.hpp"

namespace stele::api {

/// A conversation that a path names, and whose it is.
struct ConversationPlace {
    std::string agent_id;
    std::string conversation_id;  ///< empty: the agent's default one
};

/// What {conversation_id} means: the id of a conversation; `default`, with the agent's id in the body (`agent_id`) or
/// else in the query; or, as older clients have it, an agent's id for its default one. Throws Error{not_found} for a
/// conversation or agent that is not there, Error{invalid_argument} for anything else.
awaitable<ConversationPlace> conversation_place(Services& services, const Request& request,
                                                std::optional<std::string> agent_id);

}  // namespace stele::api
