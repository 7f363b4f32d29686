#include "api/conversation_place.hpp"

#include "base/ids.hpp"
#include "storage/agent_repository.hpp"
#include "storage/conversation_repository.hpp"

namespace stele::api {

awaitable<ConversationPlace> conversation_place(Services& services, const Request& request,
                                                std::optional<std::string> agent_id) {
    const std::string word = request.path("conversation_id");
    ConversationPlace place;
    if (word == "default" || is_id(word, "agent")) {
        if (!agent_id) agent_id = request.query.text("agent_id");
        if (word != "default") agent_id = word;
        if (!agent_id) throw invalid_field("body.agent_id", "is required: whose default conversation is meant?");
        if (!is_id(*agent_id, "agent")) throw invalid_field("body.agent_id", "must match 'agent-{uuid4}'");
        const bool there = co_await services.agents.exists(request.organization_id, *agent_id);
        if (!there) throw not_found("Agent", *agent_id);
        place.agent_id = std::move(*agent_id);
        co_return place;
    }
    place.conversation_id = request.path_id("conversation_id", "conv");
    auto owner = co_await services.conversations.agent_of(request.organization_id, place.conversation_id);
    if (!owner) throw not_found("Conversation", place.conversation_id);
    place.agent_id = std::move(*owner);
    co_return place;
}

}  // namespace stele::api
