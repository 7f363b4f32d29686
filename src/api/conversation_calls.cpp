#include "api/conversation_place.hpp"
#include "api/terminal_services.hpp"
#include "base/ids.hpp"
#include "domain/conversation_calls.hpp"
#include "domain/conversation_search.hpp"
#include "runtime/ephemeral_conversations.hpp"
#include "runtime/given_summary.hpp"
#include "storage/agent_repository.hpp"
#include "storage/conversation_repository.hpp"
#include "storage/conversation_search.hpp"

// What the terminal client asks of conversations beside talking in them.
namespace stele::api {
namespace {

constexpr double rank_constant = 60;

awaitable<Response> search(Services& services, const Request& request) {
    const auto body = decode<ConversationSearchRequest>(request.body());
    storage::ConversationSearchQuery query;
    query.organization_id = request.organization_id;
    query.agent_id = body.agent_id.optional();
    query.text = body.query.value_or("");
    query.description = body.search_target == "description";
    query.limit = body.limit;
    std::vector<storage::ConversationHit> hits =
        co_await storage::search_conversations(services.database, std::move(query));
    std::vector<ConversationSearchResult> results;
    for (storage::ConversationHit& hit : hits) {
        auto conversation = co_await services.conversations.find(request.organization_id, hit.id);
        if (!conversation) continue;  // deleted in this moment
        ConversationSearchResult& result = results.emplace_back();
        result.embedded_text = std::move(hit.text);
        result.conversation = std::move(*conversation);
        result.rrf_score = 1 / (rank_constant + static_cast<double>(results.size()));
    }
    co_return answer(results);
}

awaitable<Response> create_ephemeral(Services& services, const Request& request) {
    auto body = decode<EphemeralConversationRequest>(request.body());
    const EphemeralConversation made =
        co_await services.terminal.ephemeral.create(request.organization_id, request.user_id, std::move(body));
    co_return answer(made);
}

// The handle of the model that speaks in a conversation.
awaitable<std::string> model_of(Services& services, const Request& request, ConversationPlace place) {
    const auto agent = co_await services.agents.find(request.organization_id, place.agent_id);
    if (!agent) throw not_found("Agent", place.agent_id);
    LlmConfig config = agent->llm_config;
    if (!place.conversation_id.empty()) {
        const auto conversation = co_await services.conversations.find(request.organization_id, place.conversation_id);
        if (conversation) apply_model(*conversation, config);
    }
    co_return config.handle.value_or(config.provider_name.value_or("openai") + "/" + config.model);
}

awaitable<Response> summarize(Services& services, const Request& request) {
    auto body = decode<SummarizeRequest>(request.body());
    ConversationPlace place = co_await conversation_place(services, request, body.agent_id.optional());
    std::string handle = body.model.value_or("");
    if (handle.empty()) handle = co_await model_of(services, request, std::move(place));
    const GivenSummary made = co_await runtime::summarize_given(services.catalogue, request.organization_id,
                                                                request.user_id, std::move(handle), std::move(body));
    co_return answer(made);
}

}  // namespace

std::span<const Route> conversation_call_routes() {
    static constexpr Route routes[] = {
        {Method::post, "/v1/conversations/search", search, "conversations.search", "ConversationSearchRequest",
         "ConversationSearchResult[]"},
        {Method::post, "/v1/conversations/ephemeral", create_ephemeral, "conversations.create_ephemeral",
         "EphemeralConversationRequest", "EphemeralConversation"},
        {Method::post, "/v1/conversations/{conversation_id}/summarize", summarize, "conversations.summarize",
         "SummarizeRequest", "GivenSummary", "agent_id"},
    };
    return routes;
}

}  // namespace stele::api
