#include "domain/message_search.hpp"
#include "api/message_answer.hpp"
#include "storage/message_repository.hpp"

// Search over what was said. Every search_mode is served by full text: messages have no embeddings.
namespace stele::api {
namespace {

constexpr double rank_constant = 60;

template <class Body>
storage::MessageSearchQuery query_of(const Request& request, const Body& body) {
    storage::MessageSearchQuery query;
    query.organization_id = request.organization_id;
    query.agent_id = body.agent_id.value_or("");
    if (body.conversation_id.has_value()) query.conversation_id = stored_conversation_id(*body.conversation_id);
    query.from = body.start_date.optional();
    query.until = body.end_date.optional();
    query.limit = body.limit;
    return query;
}

awaitable<Response> search_of_agents(Services& services, const Request& request) {
    const auto body = decode<MessageSearchRequest>(request.body());
    storage::MessageSearchQuery query = query_of(request, body);
    query.text = body.query.value_or("");
    query.roles = body.roles.value_or({});
    query.project_id = body.project_id.optional();
    query.template_id = body.template_id.optional();
    const std::vector<storage::MessageSearchHit> hits = co_await services.messages.search(std::move(query));
    std::vector<MessageSearchResult> results;
    for (const storage::MessageSearchHit& hit : hits) {
        MessageSearchResult& result = results.emplace_back();
        const auto rank = static_cast<std::int64_t>(results.size());
        result.embedded_text = spoken_text(hit.message);
        result.message.text = internal_message_json(hit.message, "UTC");
        result.fts_rank = rank;
        result.rrf_score = 1 / (rank_constant + static_cast<double>(rank));
    }
    co_return answer(results);
}

// What was said of a hit, in the form of lists: its thoughts and calls are no part of what is searched.
void add_shown(std::vector<MessageListResult>& results, const Message& message) {
    for (const LettaMessage& part : expand(message, ViewOptions{})) {
        const auto* said = std::get_if<ContentMessage>(&part);
        if (said == nullptr) continue;
        MessageListResult& result = results.emplace_back();
        result.message_type = said->message_type;
        result.content = said->content;
        result.message_id = message.id;
        result.agent_id = message.agent_id;
        if (!message.conversation_id.empty()) result.conversation_id = message.conversation_id;
        result.created_at = message.created_at;
    }
}

awaitable<Response> search_all(Services& services, const Request& request) {
    const auto body = decode<SearchAllMessagesRequest>(request.body());
    storage::MessageSearchQuery query = query_of(request, body);
    query.text = body.query;
    const std::vector<storage::MessageSearchHit> hits = co_await services.messages.search(std::move(query));
    std::vector<MessageListResult> results;
    for (const storage::MessageSearchHit& hit : hits) add_shown(results, hit.message);
    co_return answer(results);
}

}  // namespace

std::span<const Route> message_search_routes() {
    static constexpr Route routes[] = {
        {Method::post, "/v1/agents/messages/search", search_of_agents, "agents.messages.search", "MessageSearchRequest",
         "MessageSearchResult[]"},
        {Method::post, "/v1/messages/search", search_all, "messages.search", "SearchAllMessagesRequest",
         "MessageListResult[]"},
    };
    return routes;
}

}  // namespace stele::api
