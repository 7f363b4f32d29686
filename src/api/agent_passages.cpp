#include "api/passage_answer.hpp"
#include "domain/answer.hpp"
#include "runtime/agent_archive.hpp"
#include "storage/agent_repository.hpp"
#include "storage/database.hpp"

// What an agent keeps in its archive.
namespace stele::api {
namespace {

constexpr std::int64_t bytes_a_token = 4;  // as everywhere: no tokenizer is asked

awaitable<Agent> find_agent(const Services& services, const Request& request) {
    const std::string id = request.path_id("agent_id", "agent");
    auto agent = co_await services.agents.find(request.organization_id, id);
    if (!agent) throw not_found("Agent", id);
    co_return std::move(*agent);
}

// A passage of the agent's archive.
awaitable<Passage> find_passage(const Services& services, const Request& request) {
    const Agent agent = co_await find_agent(services, request);
    const std::string id = request.path_id("memory_id", "passage");
    const auto archive = co_await services.archives.of_agent(request.organization_id, agent.id);
    auto passage = co_await services.passages.find(request.organization_id, id);
    if (!archive || !passage || passage->archive_id != archive->id) throw not_found("Passage", id);
    co_return std::move(*passage);
}

void refuse_long(const Services& services, const std::string& text) {
    const auto bytes = static_cast<std::int64_t>(text.size());
    if (bytes <= services.archival_tokens_max * bytes_a_token) return;
    throw refused("body.text: about " + std::to_string(bytes / bytes_a_token) + " tokens exceed the limit of " +
                  std::to_string(services.archival_tokens_max) + " for one passage; store it in parts");
}

awaitable<Response> list(Services& services, const Request& request) {
    storage::Page page = page_of(request.query, {.limit = 100, .ascending = true});
    const Agent agent = co_await find_agent(services, request);
    const auto archive = co_await services.archives.of_agent(request.organization_id, agent.id);
    storage::PassageFilter filter;
    filter.organization_id = request.organization_id;
    // No archive has the agent's id: a cursor is looked at all the same.
    filter.scope_ids = {archive ? archive->id : agent.id};
    filter.substring = request.query.text("search");
    const std::vector<Passage> passages = co_await services.passages.list(std::move(filter), std::move(page));
    co_return answer(passages);
}

awaitable<Response> create(Services& services, const Request& request) {
    auto body = decode<CreateArchivalMemory>(request.body());
    refuse_long(services, body.text);
    Agent agent = co_await find_agent(services, request);
    PassageCreateRequest wanted;
    wanted.text = std::move(body.text);
    wanted.tags = std::move(body.tags);
    wanted.created_at = body.created_at;
    const std::vector<Passage> stored =
        co_await services.agent_archive.add(std::move(agent), request.user_id, std::move(wanted));
    co_return answer(stored);
}

awaitable<Response> search(Services& services, const Request& request) {
    tools::ArchivalQuery query;
    query.text = request.query.text("query").value_or("");
    query.tags = request.query.list("tags");
    query.tag_match_mode = request.query.text("tag_match_mode").value_or("any");
    if (query.tag_match_mode != "any" && query.tag_match_mode != "all")
        throw invalid_field("query.tag_match_mode", "must be one of: any, all");
    query.top_k = request.query.integer("top_k");
    if (query.top_k && *query.top_k < 1) throw invalid_field("query.top_k", "must be at least 1");
    query.start_datetime = request.query.text("start_datetime");
    query.end_datetime = request.query.text("end_datetime");
    Agent agent = co_await find_agent(services, request);
    runtime::AgentArchive::Found found = co_await services.agent_archive.look_up(std::move(agent), std::move(query));
    ArchivalMemorySearchResponse body;
    body.results = std::move(found.results);
    body.count = static_cast<std::int64_t>(body.results.size());
    Response response = answer(body);
    if (found.degraded) response.headers.add(degraded_header, "vector");
    co_return response;
}

awaitable<Response> update(Services& services, const Request& request) {
    const auto body = decode_optional<PassageUpdate>(request);
    if (body.text.has_value()) refuse_long(services, *body.text);
    Passage passage = co_await find_passage(services, request);
    const PassageChange change = apply(body, request.user_id, passage);
    Passage stored = co_await services.passage_service.update(std::move(passage), change);
    std::vector<Passage> one;
    one.push_back(std::move(stored));
    co_return answer(one);
}

awaitable<Response> remove(Services& services, const Request& request) {
    const Passage passage = co_await find_passage(services, request);
    storage::Transaction transaction;
    services.passages.remove(transaction, passage);
    co_await services.database.commit(std::move(transaction));
    Deleted gone;
    gone.message = "Passage " + passage.id + " has been deleted";
    co_return answer(gone);
}

}  // namespace

std::span<const Route> agent_passage_routes() {
    static constexpr Route routes[] = {
        {Method::get, "/v1/agents/{agent_id}/archival-memory", list, "agents.passages.list", "", "Passage[]", "search",
         Trait::paged},
        {Method::get, "/v1/agents/{agent_id}/passages", list, "agents.passages.list_alias", "", "Passage[]", "search",
         Trait::paged},
        {Method::post, "/v1/agents/{agent_id}/archival-memory", create, "agents.passages.create",
         "CreateArchivalMemory", "Passage[]"},
        {Method::get, "/v1/agents/{agent_id}/archival-memory/search", search, "agents.passages.search", "",
         "ArchivalMemorySearchResponse", "query, tags[], tag_match_mode, top_k:integer, start_datetime, end_datetime"},
        {Method::patch, "/v1/agents/{agent_id}/archival-memory/{memory_id}", update, "agents.passages.update",
         "PassageUpdate?", "Passage[]"},
        {Method::delete_, "/v1/agents/{agent_id}/archival-memory/{memory_id}", remove, "agents.passages.delete", "",
         "Deleted"},
    };
    return routes;
}

}  // namespace stele::api
