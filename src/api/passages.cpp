#include "api/passage_answer.hpp"
#include "domain/archive.hpp"
#include "domain/message_search.hpp"
#include "domain/passage.hpp"
#include "runtime/agent_archive.hpp"
#include "storage/agent_repository.hpp"
#include "storage/database.hpp"
#include "storage/idempotency_repository.hpp"

#include <charconv>
#include <map>

// Passages of archives, and the search over all of them.
namespace stele::api {
namespace {

awaitable<Archive> find_archive(const Services& services, const Request& request, std::string id) {
    auto archive = co_await services.archives.find(request.organization_id, id);
    if (!archive) throw not_found("Archive", id);
    co_return std::move(*archive);
}

awaitable<std::vector<Passage>> insert(const Services& services, const Request& request,
                                       std::vector<PassageCreateRequest> wanted) {
    const Archive archive = co_await find_archive(services, request, request.path_id("archive_id", "archive"));
    std::vector<Passage> made;
    for (PassageCreateRequest& each : wanted) {
        Passage& passage = made.emplace_back(make_passage(std::move(each), request.organization_id, request.user_id));
        passage.archive_id = archive.id;
        passage.embedding_config = archive.embedding_config;
    }
    storage::Transaction transaction;
    if (request.idempotency_key && made.size() == 1)
        services.idempotency.keep_made(transaction, request.organization_id, *request.idempotency_key, made.front().id);
    co_return co_await services.passage_service.insert(std::move(transaction), std::move(made));
}

awaitable<Response> create(Services& services, const Request& request) {
    std::vector<PassageCreateRequest> wanted;
    wanted.push_back(decode<PassageCreateRequest>(request.body()));
    const std::vector<Passage> stored = co_await insert(services, request, std::move(wanted));
    if (stored.empty()) throw not_found("Archive", request.path("archive_id"));  // deleted a moment later
    co_return answer(stored.front());
}

awaitable<Response> create_many(Services& services, const Request& request) {
    auto body = decode<PassageBatchCreateRequest>(request.body());
    const std::vector<Passage> stored = co_await insert(services, request, std::move(body.passages));
    co_return answer(stored);
}

awaitable<Response> remove(Services& services, const Request& request) {
    const std::string archive_id = request.path_id("archive_id", "archive");
    const std::string id = request.path_id("passage_id", "passage");
    const auto passage = co_await services.passages.find(request.organization_id, id);
    if (!passage || passage->archive_id != archive_id) throw not_found("Passage", id);
    storage::Transaction transaction;
    services.passages.remove(transaction, *passage);
    co_await services.database.commit(std::move(transaction));
    Response response;
    response.status = 204;
    co_return response;
}

knowledge::SearchMode mode_of(const std::string& word) {
    return word == "fts"      ? knowledge::SearchMode::text
           : word == "vector" ? knowledge::SearchMode::vector
                              : knowledge::SearchMode::hybrid;
}

// Where the request looks: the archive of an agent, one archive, or all. False: an agent that has none.
awaitable<bool> choose_scope(const Services& services, const Request& request, const PassageSearchRequest& body,
                             knowledge::PassageQuery& query, std::vector<EmbeddingConfig>& models) {
    std::optional<Archive> archive;
    if (body.agent_id.has_value()) {
        const auto agent = co_await services.agents.find(request.organization_id, *body.agent_id);
        if (!agent) throw not_found("Agent", *body.agent_id);
        archive = co_await services.archives.of_agent(request.organization_id, agent->id);
        if (!archive) co_return false;
    } else if (body.archive_id.has_value()) {
        archive = co_await find_archive(services, request, *body.archive_id);
    } else {
        models = co_await services.archives.embeddings(request.organization_id);
        co_return true;
    }
    query.filter.scope_ids = {archive->id};
    if (archive->embedding_config) models.push_back(*archive->embedding_config);
    co_return true;
}

awaitable<std::string> timezone_of(const Services& services, const Request& request, const PassageSearchRequest& body) {
    if (!body.agent_id.has_value()) co_return "UTC";
    const auto agent = co_await services.agents.find(request.organization_id, *body.agent_id);
    co_return agent ? agent->timezone.value_or("UTC") : "UTC";
}

awaitable<Response> search(Services& services, const Request& request) {
    const auto body = decode_optional<PassageSearchRequest>(request);
    knowledge::PassageQuery query;
    query.filter.organization_id = request.organization_id;
    query.filter.tags = distinct_tags(body.tags.value_or({})).value_or(std::vector<std::string>());
    query.filter.match_all_tags = body.tag_match_mode == "all";
    const std::string timezone = co_await timezone_of(services, request, body);
    runtime::set_bounds(query.filter, body.start_date.optional(), "body.start_date", body.end_date.optional(),
                        "body.end_date", timezone);
    query.text = body.query.value_or("");
    query.mode = mode_of(body.search_mode);
    query.limit = static_cast<std::size_t>(body.limit);
    std::vector<EmbeddingConfig> models;
    const bool has_scope = co_await choose_scope(services, request, body, query, models);
    if (!has_scope) co_return json_answer("[]");
    runtime::PassageService::Found found =
        co_await services.passage_service.search(std::move(query), std::move(models));
    co_return passage_hits(std::move(found));
}

// In the unit that the header names; GB without.
awaitable<Response> storage_size(Services& services, const Request& request) {
    static const std::map<std::string, double, std::less<>> units = {{"B", 1.0},
                                                                     {"KB", 1024.0},
                                                                     {"MB", 1024.0 * 1024},
                                                                     {"GB", 1024.0 * 1024 * 1024},
                                                                     {"TB", 1024.0 * 1024 * 1024 * 1024}};
    const std::string* named = request.http.headers.find("storage-unit");
    if (named == nullptr) named = request.http.headers.find("storage_unit");
    const auto unit =
        units.find(named == nullptr || named->empty() ? std::string_view("GB") : std::string_view(*named));
    if (unit == units.end()) throw invalid_field("header.storage-unit", "must be one of: B, KB, MB, GB, TB");
    const std::int64_t bytes = co_await services.passage_vectors.bytes(request.organization_id);
    char text[32];
    const char* end = std::to_chars(text, text + sizeof text, static_cast<double>(bytes) / unit->second).ptr;
    co_return json_answer(std::string(text, static_cast<std::size_t>(end - text)));
}

// Message search needs no warming here: full text is on disk, and vectors are loaded when they are first searched.
awaitable<Response> warm_cache(Services&, const Request& request) {
    const auto body = decode<SearchCacheWarmRequest>(request.body());
    SearchCacheWarmed warmed;
    warmed.collection = body.collection;
    Response response = answer(warmed);
    response.status = 202;
    co_return response;
}

}  // namespace

Response passage_hits(runtime::PassageService::Found found) {
    std::vector<PassageSearchResult> results;
    for (knowledge::PassageHit& hit : found.passages.hits) {
        PassageSearchResult& result = results.emplace_back();
        result.passage = std::move(hit.passage);
        result.score = hit.score;
        result.metadata.combined_score = hit.score;
        result.metadata.vector_rank = hit.vector_rank;
        result.metadata.fts_rank = hit.text_rank;
        result.metadata.search_mode = found.passages.ran;
    }
    Response response = answer(results);
    if (found.degraded) response.headers.add(degraded_header, "vector");
    return response;
}

std::span<const Route> passage_routes() {
    static constexpr Route routes[] = {
        {Method::post, "/v1/archives/{archive_id}/passages", create, "archives.passages.create", "PassageCreateRequest",
         "Passage"},
        {Method::post, "/v1/archives/{archive_id}/passages/batch", create_many, "archives.passages.create_many",
         "PassageBatchCreateRequest", "Passage[]"},
        {Method::delete_, "/v1/archives/{archive_id}/passages/{passage_id}", remove, "archives.passages.delete", "", "",
         "", Trait::no_content},
        {Method::post, "/v1/passages/search", search, "passages.search", "PassageSearchRequest?",
         "PassageSearchResult[]"},
        {Method::get, "/v1/embeddings/total_storage_size", storage_size, "embeddings.total_storage_size", "", "number"},
        {Method::post, "/v1/_internal_search/cache-warm", warm_cache, "internal_search.cache_warm",
         "SearchCacheWarmRequest", "SearchCacheWarmed"},
    };
    return routes;
}

}  // namespace stele::api
