#include "storage/conversation_search.hpp"

#include "storage/search_words.hpp"

namespace stele::storage {
namespace {

constexpr std::size_t terms_max = 32;

Query statement_of(const ConversationSearchQuery& query, std::vector<std::string> terms) {
    const std::string text = query.description ? "c.description" : "c.summary";
    Select select("SELECT c.id, " + text + " FROM conversation c WHERE c.organization_id = ?",
                  to_value(query.organization_id));
    select.where("c.deleted_at IS NULL AND c.hidden = 0 AND " + text + " <> ''");
    if (query.agent_id) select.where("c.agent_id = ?", query.agent_id);
    if (terms.empty()) {
        select.finish(" ORDER BY c.created_at DESC, c.id DESC LIMIT ?", query.limit);
        return select.query();
    }
    if (terms.size() > terms_max) terms.resize(terms_max);
    std::string held;
    Params patterns;
    for (const std::string& term : terms) {
        held += (held.empty() ? "CASE WHEN LOWER(" : " + CASE WHEN LOWER(") + text +
                ") LIKE LOWER(?) ESCAPE '\\' THEN 1 ELSE 0 END";
        patterns.push_back(to_value(like_pattern(term)));
    }
    select.where_packed("(" + held + ") > 0", patterns);
    patterns.push_back(to_value(query.limit));
    select.finish_packed(" ORDER BY (" + held + ") DESC, c.created_at DESC, c.id DESC LIMIT ?", std::move(patterns));
    return select.query();
}

}  // namespace

boost::asio::awaitable<std::vector<ConversationHit>> search_conversations(Database& database,
                                                                          ConversationSearchQuery query) {
    std::vector<ConversationHit> hits;
    const bool blank = query.text.find_first_not_of(" \t\r\n") == std::string::npos;
    SearchTerms wanted = search_terms(query.text);
    if (wanted.terms.empty() && !blank) co_return hits;  // punctuation alone is no wish for everything
    Query statement = statement_of(query, std::move(wanted.terms));
    Rows rows = co_await database.query_packed(std::move(statement));
    for (Row& row : rows) {
        ConversationHit& hit = hits.emplace_back();
        hit.id = row.take_text(0);
        hit.text = row.take_text(1);
    }
    co_return hits;
}

std::vector<Statement> conversation_search_statements() {
    ConversationSearchQuery query;
    query.agent_id = "x";
    std::vector<Statement> all{statement_of(query, {"a", "b"}).statement};
    query.description = true;
    all.push_back(statement_of(query, {"a"}).statement);
    return all;
}

}  // namespace stele::storage
