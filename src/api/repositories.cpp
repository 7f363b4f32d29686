#include "api/memory_commits.hpp"
#include "api/offset_page.hpp"
#include "api/terminal_services.hpp"
#include "base/ids.hpp"
#include "domain/answer.hpp"
#include "runtime/git_memory.hpp"
#include "storage/agent_repository.hpp"
#include "storage/database.hpp"
#include "storage/idempotency_repository.hpp"

// Repositories that agents share by mounting them, beside the one that is an agent's own memory.
namespace stele::api {
namespace {

constexpr char primary_name[] = "state";

awaitable<Response> list(Services& services, const Request& request) {
    const OffsetPage page = offset_page(request.query);
    MemoryRepositories shown;
    shown.repositories =
        co_await services.terminal.git_memory.rows().list(request.organization_id, page.limit + 1, page.offset);
    shown.has_next_page = cut_to(shown.repositories, page.limit);
    co_return answer(shown);
}

awaitable<Response> create(Services& services, const Request& request) {
    auto body = decode<MemoryRepositoryCreate>(request.body());
    MemoryRepository made;
    made.id = new_id("repository");
    made.name = std::move(body.name);
    made.created_at = made.updated_at = now();
    storage::Transaction transaction;
    services.terminal.git_memory.rows().insert(transaction, request.organization_id, request.user_id, made);
    if (request.idempotency_key)
        services.idempotency.keep(transaction, request.organization_id, *request.idempotency_key, 200, to_json(made));
    co_await services.database.commit(std::move(transaction));
    co_return answer(made);
}

// Of a shared one, or of the memory of an agent, whose id is that of its own repository.
awaitable<runtime::OpenRepository> opened(Services& services, const Request& request) {
    const std::string id = request.path("repository_id");
    runtime::GitMemory& memory = services.terminal.git_memory;
    if (!is_id(id, "agent")) {
        const std::string checked = request.path_id("repository_id", "repository");
        co_return co_await memory.open_shared(request.organization_id, checked);
    }
    const bool enabled = co_await memory.enabled(request.organization_id, id);
    if (!enabled) throw not_found("Repository", id);
    co_return co_await memory.open(request.organization_id, request.user_id, id);
}

awaitable<Response> versions(Services& services, const Request& request) {
    const std::int64_t limit = limit_of(request.query, 50);
    std::string path = path_in_repository(request.query.text("path").value_or(""));
    const runtime::OpenRepository repository = co_await opened(services, request);
    std::string head = co_await repository.repository.head();
    std::vector<tools::GitCommit> commits =
        co_await repository.repository.history(std::move(head), std::move(path), limit);
    MemoryCommits shown;
    shown.commits = shown_commits(std::move(commits));
    co_return answer(shown);
}

awaitable<std::string> demand_agent(Services& services, const Request& request) {
    const std::string agent_id = request.path_id("agent_id", "agent");
    const bool there = co_await services.agents.exists(request.organization_id, agent_id);
    if (!there) throw not_found("Agent", agent_id);
    co_return agent_id;
}

awaitable<MountedRepositories> mounted(Services& services, const Request& request, std::string agent_id) {
    MountedRepositories shown;
    MountedRepository& own = shown.repositories.emplace_back();
    own.id = agent_id;
    own.name = primary_name;
    own.is_primary = true;
    const std::vector<MemoryRepository> others =
        co_await services.terminal.git_memory.rows().mounted(request.organization_id, std::move(agent_id));
    for (const MemoryRepository& other : others) {
        MountedRepository& one = shown.repositories.emplace_back();
        one.id = other.id;
        one.name = other.name;
    }
    co_return shown;
}

awaitable<Response> list_mounted(Services& services, const Request& request) {
    std::string agent_id = co_await demand_agent(services, request);
    const MountedRepositories shown = co_await mounted(services, request, std::move(agent_id));
    co_return answer(shown);
}

awaitable<Response> mount(Services& services, const Request& request) {
    const auto body = decode<MountRequest>(request.body());
    const std::string agent_id = co_await demand_agent(services, request);
    const auto repository =
        co_await services.terminal.git_memory.rows().find(request.organization_id, body.repository_id);
    if (!repository) throw not_found("Repository", body.repository_id);
    storage::Transaction transaction;
    services.terminal.git_memory.rows().mount(transaction, agent_id, repository->id, now());
    co_await services.database.commit(std::move(transaction));
    const MountedRepositories shown = co_await mounted(services, request, agent_id);
    co_return answer(shown);
}

awaitable<Response> unmount(Services& services, const Request& request) {
    const std::string agent_id = co_await demand_agent(services, request);
    const std::string id = request.path("repository_id");
    if (id == agent_id) throw refused("repository_id: an agent's own memory can't be taken from it");
    const std::string checked = request.path_id("repository_id", "repository");
    const auto repository = co_await services.terminal.git_memory.rows().find(request.organization_id, checked);
    if (!repository) throw not_found("Repository", checked);
    storage::Transaction transaction;
    services.terminal.git_memory.rows().unmount(transaction, agent_id, checked);
    co_await services.database.commit(std::move(transaction));
    co_return answer(Success());
}

}  // namespace

std::span<const Route> repository_routes() {
    static constexpr Route routes[] = {
        {Method::get, "/v1/repositories", list, "repositories.list", "", "MemoryRepositories", "limit, offset"},
        {Method::post, "/v1/repositories", create, "repositories.create", "MemoryRepositoryCreate", "MemoryRepository"},
        {Method::get, "/v1/repositories/{repository_id}/versions", versions, "repositories.versions", "",
         "MemoryCommits", "limit:integer, path"},
        {Method::get, "/v1/agents/{agent_id}/repositories", list_mounted, "agents.repositories.list", "",
         "MountedRepositories"},
        {Method::post, "/v1/agents/{agent_id}/repositories", mount, "agents.repositories.mount", "MountRequest",
         "MountedRepositories"},
        {Method::delete_, "/v1/agents/{agent_id}/repositories/{repository_id}", unmount, "agents.repositories.unmount",
         "", "Success"},
    };
    return routes;
}

}  // namespace stele::api
