#pragma once

#include "domain/conversation.hpp"

namespace stele {

/// Body of POST /v1/conversations/search.
struct ConversationSearchRequest {
    Patch<std::string> query;               ///< absent or blank: the newest ones
    std::string search_mode = "hybrid";     ///< vector, fts or hybrid; all are full text
    std::string search_target = "summary";  ///< or description
    std::int64_t limit = 20;
    Patch<std::string> agent_id;
};
BOOST_DESCRIBE_STRUCT(ConversationSearchRequest, (), (query, search_mode, search_target, limit, agent_id))
void check(const ConversationSearchRequest& request, Problems& problems);

/// An element of its answer, the best first. Reciprocal ranks as in MessageSearchResult.
struct ConversationSearchResult {
    std::string embedded_text;  ///< the summary or description that was searched
    Conversation conversation;
    double rrf_score = 0;
};
BOOST_DESCRIBE_STRUCT(ConversationSearchResult, (), (embedded_text, conversation, rrf_score))

}  // namespace stele
