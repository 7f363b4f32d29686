#include "storage/passage_filter.hpp"
#include "storage/search_words.hpp"

#include <algorithm>

// Full text over passages: the one place where SQLite (FTS5, bm25) and PostgreSQL (tsvector) differ; PostgreSQL's part
// comes with its engine. The filter stands in the query itself, so that a limit counts what passes it.
namespace stele::storage {
namespace {

using boost::asio::awaitable;

constexpr std::size_t owners_max = 16;  // that the index itself is asked for

// The index knows a scope by its id without the hyphens, which the tokenizer would part it at. With many scopes the
// filter alone tells them apart.
std::string match_of(const PassageFilter& filter, const std::vector<std::string>& terms) {
    std::string owners;
    if (filter.scope_ids.size() <= owners_max)
        for (std::string owner : filter.scope_ids) {
            std::erase(owner, '-');
            owners += (owners.empty() ? "\"" : " OR \"") + owner + '"';
        }
    return (owners.empty() ? std::string() : "owner : (" + owners + ") AND ") + "text : (" + fts_query(terms) + ")";
}

Query in_index(const PassageFilter& filter, const std::vector<std::string>& terms, std::int64_t limit) {
    // The index alone tells the best of whole scopes: with a common word it would else be joined to every row of them.
    if (filter.takes_all() && !filter.scope_ids.empty() && filter.scope_ids.size() <= owners_max) {
        Select best("SELECT s.rowid FROM passage_search s WHERE passage_search MATCH ?",
                    to_value(match_of(filter, terms)));
        best.finish(" ORDER BY s.rank LIMIT ?", limit);
        return best.query();
    }
    Select select = select_passages("p.position", "passage_search s JOIN passage p ON p.position = s.rowid", filter);
    select.where("passage_search MATCH ?", match_of(filter, terms));
    select.finish(" ORDER BY s.rank, p.created_at DESC, p.id LIMIT ?", limit);
    return select.query();
}

Query in_trigrams(const PassageFilter& filter, const std::vector<std::string>& runs, std::int64_t limit) {
    Select select = select_passages("p.position", "passage_trigram s JOIN passage p ON p.position = s.rowid", filter);
    select.where("passage_trigram MATCH ?", fts_query(runs));
    select.finish(" ORDER BY s.rank, p.created_at DESC, p.id LIMIT ?", limit);
    return select.query();
}

// By how many of the terms a text holds.
Query in_texts(const PassageFilter& filter, const std::vector<std::string>& terms, std::int64_t limit) {
    std::string held;
    Params patterns;
    for (const std::string& term : terms) {
        held += std::string(held.empty() ? "" : " + ") + "CASE WHEN p.text LIKE ? ESCAPE '\\' THEN 1 ELSE 0 END";
        patterns.push_back(to_value(like_pattern(term)));
    }
    Select select = select_passages("p.position", "passage p", filter);
    select.where_packed("(" + held + ") > 0", patterns);
    patterns.push_back(to_value(limit));
    select.finish_packed(" ORDER BY (" + held + ") DESC, p.created_at DESC, p.id LIMIT ?", std::move(patterns));
    return select.query();
}

}  // namespace

awaitable<std::vector<std::int64_t>> PassageRepository::positions_of(Query query) const {
    const Rows rows = co_await database_.query_packed(std::move(query));
    std::vector<std::int64_t> found;
    found.reserve(rows.size());
    for (const Row& row : rows) found.push_back(row.integer(0));
    co_return found;
}

awaitable<std::vector<std::int64_t>> PassageRepository::search(PassageFilter filter, std::string text,
                                                               std::int64_t limit) const {
    SearchTerms wanted = search_terms(text);
    if (wanted.terms.empty()) co_return std::vector<std::int64_t>();
    if (!wanted.dense) {
        Query words = in_index(filter, wanted.terms, limit);
        co_return co_await positions_of(std::move(words));
    }
    // Three characters in a row tell much where there are no words; where that finds too little, two have to do.
    std::vector<std::string> runs = dense_trigrams(text);
    if (!runs.empty()) {
        Query three = in_trigrams(filter, runs, limit);
        std::vector<std::int64_t> found = co_await positions_of(std::move(three));
        if (static_cast<std::int64_t>(found.size()) >= limit) co_return found;
    }
    Query two = in_texts(filter, wanted.terms, limit);
    co_return co_await positions_of(std::move(two));
}

awaitable<std::vector<std::int64_t>> PassageRepository::positions(PassageFilter filter) const {
    Select select = select_passages("p.position", "passage p", filter);
    select.finish(" ORDER BY p.position");
    Query query = select.query();
    co_return co_await positions_of(std::move(query));
}

}  // namespace stele::storage
