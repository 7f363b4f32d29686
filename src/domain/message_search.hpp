#pragma once

#include "domain/message.hpp"

#include <array>

namespace stele {

/// Body of POST /v1/agents/messages/search.
struct MessageSearchRequest {
    Patch<std::string> query;            ///< absent or blank: the newest messages
    std::string search_mode = "hybrid";  ///< vector, fts or hybrid; all are full text
    Patch<std::vector<std::string>> roles;
    Patch<std::string> agent_id;
    Patch<std::string> project_id;
    Patch<std::string> template_id;
    Patch<std::string> conversation_id;
    std::int64_t limit = 50;
    Patch<Timestamp> start_date;
    Patch<Timestamp> end_date;
};
BOOST_DESCRIBE_STRUCT(MessageSearchRequest, (),
                      (query, search_mode, roles, agent_id, project_id, template_id, conversation_id, limit, start_date,
                       end_date))
void check(const MessageSearchRequest& request, Problems& problems);

/// Body of POST /v1/messages/search.
struct SearchAllMessagesRequest {
    std::string query;
    std::string search_mode = "hybrid";
    Patch<std::string> agent_id;
    Patch<std::string> conversation_id;
    std::int64_t limit = 50;
    Patch<Timestamp> start_date;
    Patch<Timestamp> end_date;
};
BOOST_DESCRIBE_STRUCT(SearchAllMessagesRequest, (),
                      (query, search_mode, agent_id, conversation_id, limit, start_date, end_date))
void check(const SearchAllMessagesRequest& request, Problems& problems);
constexpr std::array<std::string_view, 1> required_members(const SearchAllMessagesRequest*) { return {"query"}; }

/// An element of POST /v1/messages/search: a user, assistant or system message.
struct MessageListResult {
    std::string message_type;
    MessageContent content;
    std::string message_id;
    std::optional<std::string> agent_id;
    std::optional<std::string> conversation_id;
    Timestamp created_at{};
};
BOOST_DESCRIBE_STRUCT(MessageListResult, (), (message_type, content, message_id, agent_id, conversation_id, created_at))

/// An element of POST /v1/agents/messages/search. Reciprocal ranks (k = 60), Cormack, Clarke & Büttcher 2009.
struct MessageSearchResult {
    std::string embedded_text;
    Json message;  ///< as the store has it (internal_message_json)
    std::optional<std::int64_t> fts_rank;
    std::optional<std::int64_t> vector_rank;
    double rrf_score = 0;
};
BOOST_DESCRIBE_STRUCT(MessageSearchResult, (), (embedded_text, message, fts_rank, vector_rank, rrf_score))

/// Body of POST /v1/_internal_search/cache-warm.
struct SearchCacheWarmRequest {
    std::string collection;  ///< messages
    Json scope;              ///< an object
};
BOOST_DESCRIBE_STRUCT(SearchCacheWarmRequest, (), (collection, scope))
void check(const SearchCacheWarmRequest& request, Problems& problems);
constexpr std::array<std::string_view, 2> required_members(const SearchCacheWarmRequest*) {
    return {"collection", "scope"};
}

struct SearchCacheWarmed {
    std::string collection;
    std::string status = "ready";
    bool warmed = true;
};
BOOST_DESCRIBE_STRUCT(SearchCacheWarmed, (), (collection, status, warmed))

}  // namespace stele
