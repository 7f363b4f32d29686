#include "runtime/agent_archive.hpp"

#include "base/time_zone.hpp"
#include "knowledge/time_bounds.hpp"

#include <algorithm>

namespace stele::runtime {
namespace {

using boost::asio::awaitable;

constexpr std::int64_t results_default = 5, results_max = 1'000;
constexpr int attempts_max = 4;  // another request may make the agent's archive meanwhile

std::optional<Timestamp> bound_of(const std::optional<std::string>& text, const char* where, knowledge::Bound bound,
                                  const std::string& timezone) {
    if (!text || text->empty()) return std::nullopt;
    const auto time = knowledge::parse_bound(*text, bound, timezone);
    if (!time)
        throw invalid_field(where, "'" + *text +
                                       "' is no ISO 8601 date or time, such as 2026-01-31, "
                                       "2026-01-31T10:20 or 2026-01-31T10:20:30+02:00");
    return time;
}

ArchivalMemorySearchResult to_result(knowledge::PassageHit hit, const std::string& timezone) {
    ArchivalMemorySearchResult result;
    result.id = std::move(hit.passage.id);
    result.timestamp = to_iso8601(hit.passage.created_at, timezone);
    result.content = std::move(hit.passage.text);
    result.tags = hit.passage.tags.value_or(std::vector<std::string>());
    PassageRelevance relevance;
    relevance.rrf_score = hit.score;
    relevance.vector_rank = hit.vector_rank;
    relevance.fts_rank = hit.text_rank;
    result.relevance = relevance;
    return result;
}

}  // namespace

void set_bounds(storage::PassageFilter& filter, const std::optional<std::string>& start, const char* start_where,
                const std::optional<std::string>& end, const char* end_where, const std::string& timezone) {
    filter.from = bound_of(start, start_where, knowledge::Bound::start, timezone);
    filter.until = bound_of(end, end_where, knowledge::Bound::end, timezone);
}

awaitable<std::vector<Passage>> AgentArchive::add(Agent agent, std::string actor, PassageCreateRequest request) const {
    for (int attempt = 1;; ++attempt) {
        storage::Transaction transaction;
        const Archive archive = co_await parts_.archive_service.of_agent_or_new(transaction, agent, actor);
        const bool is_new = !transaction.empty();
        Passage passage = make_passage(request, agent.organization_id, actor);
        passage.archive_id = archive.id;
        passage.embedding_config = archive.embedding_config;
        std::vector<Passage> made;
        made.push_back(std::move(passage));
        try {
            co_return co_await parts_.passages.insert(std::move(transaction), std::move(made));
        } catch (const Error& error) {
            if (error.code != ErrorCode::conflict || !is_new || attempt == attempts_max) throw;
        }
    }
}

awaitable<AgentArchive::Found> AgentArchive::look_up(Agent agent, tools::ArchivalQuery query) const {
    const std::string timezone = agent.timezone.value_or("UTC");
    Found found;
    knowledge::PassageQuery wanted;
    wanted.filter.organization_id = agent.organization_id;
    set_bounds(wanted.filter, query.start_datetime, "start_datetime", query.end_datetime, "end_datetime", timezone);
    if (query.tag_match_mode != "any" && query.tag_match_mode != "all")
        throw invalid_field("tag_match_mode", "must be one of: any, all");
    if (query.text.find_first_not_of(" \t\r\n") == std::string::npos) co_return found;
    const auto archive = co_await parts_.archives.of_agent(agent.organization_id, agent.id);
    if (!archive) co_return found;
    wanted.filter.scope_ids = {archive->id};
    wanted.filter.tags = std::move(query.tags);
    wanted.filter.match_all_tags = query.tag_match_mode == "all";
    wanted.text = std::move(query.text);
    wanted.limit =
        static_cast<std::size_t>(std::clamp<std::int64_t>(query.top_k.value_or(results_default), 1, results_max));
    std::vector<EmbeddingConfig> models;
    if (archive->embedding_config) models.push_back(*archive->embedding_config);
    PassageService::Found hits = co_await parts_.passages.search(std::move(wanted), std::move(models));
    found.degraded = hits.degraded;
    for (knowledge::PassageHit& hit : hits.passages.hits) found.results.push_back(to_result(std::move(hit), timezone));
    co_return found;
}

awaitable<void> AgentArchive::insert(Agent agent, std::string actor, std::string text, std::vector<std::string> tags) {
    if (text.find_first_not_of(" \t\r\n") == std::string::npos)
        throw invalid_field("content", "is empty: there is nothing to remember");
    PassageCreateRequest request;
    request.text = std::move(text);
    request.tags = std::move(tags);
    const std::vector<Passage> stored = co_await add(std::move(agent), std::move(actor), std::move(request));
    static_cast<void>(stored);
}

awaitable<std::vector<ArchivalMemorySearchResult>> AgentArchive::search(Agent agent, tools::ArchivalQuery query) {
    Found found = co_await look_up(std::move(agent), std::move(query));
    co_return std::move(found.results);
}

}  // namespace stele::runtime
