#include "api/agent_query.hpp"
#include "domain/archive.hpp"
#include "runtime/agent_service.hpp"
#include "runtime/archive_service.hpp"
#include "storage/agent_repository.hpp"
#include "storage/database.hpp"
#include "storage/idempotency_repository.hpp"

namespace stele::api {
namespace {

awaitable<Archive> find(const Services& services, const Request& request) {
    const std::string id = request.path_id("archive_id", "archive");
    auto archive = co_await services.archives.find(request.organization_id, id);
    if (!archive) throw not_found("Archive", id);
    co_return std::move(*archive);
}

awaitable<Response> list(Services& services, const Request& request) {
    storage::Page page = page_of(request.query, {});
    storage::ArchiveFilter filter;
    filter.name = request.query.text("name");
    filter.agent_id = request.query.text("agent_id");
    const std::vector<Archive> archives =
        co_await services.archives.list(request.organization_id, std::move(filter), std::move(page));
    co_return answer(archives);
}

awaitable<Response> create(Services& services, const Request& request) {
    auto body = decode<ArchiveCreateRequest>(request.body());
    storage::Transaction transaction;
    const Archive archive =
        services.archive_service.make(transaction, std::move(body), request.organization_id, request.user_id);
    if (request.idempotency_key)
        services.idempotency.keep_made(transaction, request.organization_id, *request.idempotency_key, archive.id);
    co_await services.database.commit(std::move(transaction));
    co_return answer(archive);
}

awaitable<Response> retrieve(Services& services, const Request& request) {
    const Archive archive = co_await find(services, request);
    co_return answer(archive);
}

awaitable<Response> update(Services& services, const Request& request) {
    auto body = decode_optional<ArchiveUpdateRequest>(request);
    Archive archive = co_await find(services, request);
    const Archive changed =
        co_await services.archive_service.update(std::move(archive), std::move(body), request.user_id);
    co_return answer(changed);
}

awaitable<Response> remove(Services& services, const Request& request) {
    const Archive archive = co_await find(services, request);
    storage::Transaction transaction;
    services.archives.remove(transaction, archive);
    co_await services.database.commit(std::move(transaction));
    Response response;
    response.status = 204;
    co_return response;
}

awaitable<Response> agents(Services& services, const Request& request) {
    storage::Page page = page_of(request.query, {});
    const Archive archive = co_await find(services, request);
    storage::AgentFilter filter;
    filter.archive_id = archive.id;
    co_return co_await linked_agents(services, request, std::move(filter), std::move(page));
}

// The agent of the path, which has to be there, as its archive has.
awaitable<std::string> agent_id_of(const Services& services, const Request& request) {
    const std::string id = request.path_id("agent_id", "agent");
    const bool there = co_await services.agents.exists(request.organization_id, id);
    if (!there) throw not_found("Agent", id);
    co_return id;
}

awaitable<Response> attach(Services& services, const Request& request) {
    const std::string agent_id = co_await agent_id_of(services, request);
    const Archive archive = co_await find(services, request);
    storage::Transaction transaction;
    services.archives.attach(transaction, agent_id, archive.id);
    co_await services.database.commit(std::move(transaction));
    co_return json_answer("null");
}

awaitable<Response> detach(Services& services, const Request& request) {
    const std::string agent_id = co_await agent_id_of(services, request);
    const Archive archive = co_await find(services, request);
    storage::Transaction transaction;
    services.archives.detach(transaction, agent_id, archive.id);
    co_await services.database.commit(std::move(transaction));
    co_return json_answer("null");
}

}  // namespace

std::span<const Route> archive_routes() {
    static constexpr Route routes[] = {
        {Method::get, "/v1/archives", list, "archives.list", "", "Archive[]", "name, agent_id", Trait::paged},
        {Method::post, "/v1/archives", create, "archives.create", "ArchiveCreateRequest", "Archive"},
        {Method::get, "/v1/archives/{archive_id}", retrieve, "archives.retrieve", "", "Archive"},
        {Method::patch, "/v1/archives/{archive_id}", update, "archives.update", "ArchiveUpdateRequest?", "Archive"},
        {Method::delete_, "/v1/archives/{archive_id}", remove, "archives.delete", "", "", "", Trait::no_content},
        {Method::get, "/v1/archives/{archive_id}/agents", agents, "archives.agents.list", "", "AgentState[]",
         "include[], include_relationships[]", Trait::paged},
        {Method::patch, "/v1/agents/{agent_id}/archives/attach/{archive_id}", attach, "agents.archives.attach", "",
         "null"},
        {Method::patch, "/v1/agents/{agent_id}/archives/detach/{archive_id}", detach, "agents.archives.detach", "",
         "null"},
    };
    return routes;
}

}  // namespace stele::api
