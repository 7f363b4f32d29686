#pragma once

#include "storage/page.hpp"

namespace stele::storage {

struct ConversationSearchQuery {
    std::string organization_id;
    std::optional<std::string> agent_id;
    std::string text;          ///< words; blank: the newest conversations
    bool description = false;  ///< looks there, else in the summary
    std::int64_t limit = 20;
};

/// A conversation that was found, and the text that was searched.
struct ConversationHit {
    std::string id, text;
};

/// Those that hold any of the words: those that hold most of them first, then the newest. Hidden ones are left out.
/// Titles are short and few, so the texts themselves are looked through and need no index.
boost::asio::awaitable<std::vector<ConversationHit>> search_conversations(Database& database,
                                                                          ConversationSearchQuery query);

/// The statements of this file, for the dialect test.
std::vector<Statement> conversation_search_statements();

}  // namespace stele::storage
