#include "storage/message_columns.hpp"
#include "storage/message_repository.hpp"
#include "storage/project_filter.hpp"
#include "storage/search_words.hpp"

#include <algorithm>

// Full text over messages: the one place where SQLite (FTS5, bm25) and PostgreSQL (tsvector) differ; PostgreSQL's part
// comes with its engine. Words are joined by OR, so the best match first is also the most complete one. What the
// index can't part into words is looked for in the texts themselves.
namespace stele::storage {
namespace {

constexpr std::size_t terms_in_text_max = 32;

// What the runtime put into the conversation so that the model goes on: nobody said it (initial_messages.hpp).
constexpr std::string_view said_by_somebody =
    "m.text <> '' AND NOT (m.role = 'user' AND (m.text LIKE '{\n  \"type\": \"heartbeat\",%'"
    " OR m.text LIKE '{\n  \"type\": \"login\",%'))";

// How many of the terms a text holds.
constexpr std::string_view holds_term = "CASE WHEN m.text LIKE ? ESCAPE '\\' THEN 1 ELSE 0 END";

// The index knows an agent by its id without the hyphens, which the tokenizer would part it at.
std::string match_of(const MessageSearchQuery& query, const std::string& words) {
    std::string owner = query.agent_id;
    std::erase(owner, '-');
    return (owner.empty() ? std::string() : "owner : \"" + owner + "\" AND ") + "text : (" + words + ")";
}

void add_conditions(Select& select, const MessageSearchQuery& query) {
    if (!query.organization_id.empty()) select.where("m.organization_id = ?", query.organization_id);
    if (query.agent_id.empty())
        select.where(STELE_AGENT_NOT_STAGED);
    else
        select.where("m.agent_id = ?", query.agent_id);
    if (query.conversation_id && query.conversation_id->empty()) select.where("m.conversation_id = ''");
    if (query.conversation_id && !query.conversation_id->empty())
        select.where(
            "(m.conversation_id = ? OR EXISTS (SELECT 1 FROM conversation_message l WHERE l.conversation_id = ?"
            " AND l.agent_id = m.agent_id AND l.position = m.position))",
            query.conversation_id, query.conversation_id);
    if (query.project_id) where_agent_in_project(select, "m.agent_id", *query.project_id);
    if (query.template_id)
        select.where("EXISTS (SELECT 1 FROM agent a WHERE a.id = m.agent_id AND a.template_id = ?)", query.template_id);
    const std::vector<std::string> usual = {"user", "assistant"};
    select.where_in("m.role IN (?)", query.roles.empty() ? usual : query.roles);
    if (query.from) select.where("m.created_at >= ?", to_micros(*query.from));
    if (query.until) select.where("m.created_at <= ?", to_micros(*query.until));
    select.where(said_by_somebody);
}

Query newest(const MessageSearchQuery& query) {
    Select select("SELECT " STELE_MESSAGE_COLUMNS ", 0.0 FROM message m WHERE 1 = ?", to_value(1));
    add_conditions(select, query);
    select.finish(" ORDER BY m.position DESC LIMIT ?", query.limit);
    return select.query();
}

Query in_index(const MessageSearchQuery& query, const std::vector<std::string>& terms) {
    Select select("SELECT " STELE_MESSAGE_COLUMNS
                  ", s.rank FROM message_search s JOIN message m ON m.position = s.rowid WHERE message_search MATCH ?",
                  to_value(match_of(query, fts_query(terms))));
    add_conditions(select, query);
    select.finish(" ORDER BY s.rank, m.position DESC LIMIT ?", query.limit);
    return select.query();
}

Query in_texts(const MessageSearchQuery& query, std::vector<std::string> terms) {
    if (terms.size() > terms_in_text_max) terms.resize(terms_in_text_max);
    std::string held;
    Params patterns;
    for (const std::string& term : terms) {
        held += (held.empty() ? "" : " + ") + std::string(holds_term);
        patterns.push_back(to_value(like_pattern(term)));
    }
    Select select("SELECT " STELE_MESSAGE_COLUMNS ", 0.0 FROM message m WHERE 1 = ?", to_value(1));
    add_conditions(select, query);
    select.where_packed("(" + held + ") > 0", patterns);
    patterns.push_back(to_value(query.limit));
    select.finish_packed(" ORDER BY (" + held + ") DESC, m.position DESC LIMIT ?", std::move(patterns));
    return select.query();
}

}  // namespace

boost::asio::awaitable<std::vector<MessageSearchHit>> MessageRepository::search(MessageSearchQuery query) const {
    std::vector<MessageSearchHit> hits;
    SearchTerms wanted = search_terms(query.text);
    const bool blank = query.text.find_first_not_of(" \t\r\n") == std::string::npos;
    if (wanted.terms.empty() && !blank) co_return hits;  // punctuation alone is no wish for everything
    if (!blank && !wanted.dense) co_await database_.settle();
    Query text = blank          ? newest(query)
                 : wanted.dense ? in_texts(query, std::move(wanted.terms))
                                : in_index(query, wanted.terms);
    Rows rows = co_await database_.query_packed(std::move(text));
    constexpr std::size_t rank_column = 16;
    std::vector<double> ranks;
    for (const Row& row : rows) ranks.push_back(row.real(rank_column));
    std::vector<Message> messages = from_rows(std::move(rows));
    for (std::size_t i = 0; i < messages.size(); ++i) {
        MessageSearchHit hit;
        hit.message = std::move(messages[i]);
        hit.rank = ranks[i];
        hits.push_back(std::move(hit));
    }
    co_return hits;
}

}  // namespace stele::storage
