// The folders of an agent, and what it sees of their files.
#include "api/agent_query.hpp"
#include "api/folder_query.hpp"
#include "base/ids.hpp"
#include "base/json_text.hpp"
#include "domain/answer.hpp"
#include "runtime/agent_service.hpp"
#include "runtime/folder_service.hpp"
#include "storage/agent_repository.hpp"

namespace stele::api {
namespace {

awaitable<std::string> agent_of(const Services& services, const Request& request) {
    const std::string agent_id = request.path_id("agent_id", "agent");
    const bool there = co_await services.agents.exists(request.organization_id, agent_id);
    if (!there) throw not_found("Agent", agent_id);
    co_return agent_id;
}

awaitable<Response> list(Services& services, const Request& request) {
    storage::Page page = page_of(request.query, {.limit = 100});
    const std::string agent_id = co_await agent_of(services, request);
    std::vector<Folder> folders =
        co_await services.folders.page_of_agent(request.organization_id, agent_id, std::move(page));
    co_return folder_answer(std::move(folders), FolderWord::source);
}

// Generation 2 expects null for folders; sources were there before it.
awaitable<Response> agent_as_it_is(Services& services, const Request& request, bool always) {
    if (request.generation_2 && !always) co_return json_answer("null");
    const runtime::AgentInclude everything;
    const AgentState state =
        co_await services.agent_service.get(request.organization_id, request.path_id("agent_id", "agent"), everything);
    co_return answer(state);
}

template <FolderWord word>
awaitable<Response> attach(Services& services, const Request& request) {
    const std::string agent_id = request.path_id("agent_id", "agent"), folder_id = folder_id_of(request);
    co_await services.folder_service.attach(request.organization_id, agent_id, folder_id);
    co_return co_await agent_as_it_is(services, request, word == FolderWord::source);
}

template <FolderWord word>
awaitable<Response> detach(Services& services, const Request& request) {
    const std::string agent_id = request.path_id("agent_id", "agent"), folder_id = folder_id_of(request);
    co_await services.folder_service.detach(request.organization_id, agent_id, folder_id);
    co_return co_await agent_as_it_is(services, request, word == FolderWord::source);
}

awaitable<Response> list_files(Services& services, const Request& request) {
    storage::Page page = page_of(request.query, {.limit = 100});
    if (!page.after) page.after = request.query.text("cursor");
    const std::string agent_id = co_await agent_of(services, request);
    // A file's own id is as good a cursor as that of its place with the agent.
    for (std::optional<std::string>* cursor : {&page.before, &page.after}) {
        if (!*cursor || !is_id(**cursor, "file")) continue;
        const std::vector<AttachedFile> all = co_await services.attached_files.of_agent(agent_id);
        for (const AttachedFile& each : all)
            if (each.file_id == **cursor) *cursor = each.id;
    }
    const std::int64_t limit = page.limit++;
    const bool from_end = page.before && !page.after;
    const std::optional<bool> is_open = request.query.flag("is_open");
    PaginatedAgentFiles shown;
    shown.files = co_await services.attached_files.page(request.organization_id, agent_id, is_open, std::move(page));
    shown.has_more = static_cast<std::int64_t>(shown.files.size()) > limit;
    if (shown.has_more) shown.files.erase(from_end ? shown.files.begin() : shown.files.end() - 1);
    if (!shown.files.empty()) shown.next_cursor = shown.files.back().id;
    co_return answer(shown);
}

Response names_answer(const std::vector<std::string>& names) {
    std::string body = "[";
    for (const std::string& name : names) body += (body.size() > 1 ? "," : "") + json_string(name);
    return json_answer(body + "]");
}

// Either the id of the file or that of its place with the agent.
const std::string& file_of(const Request& request) {
    const std::string& id = request.path("file_id");
    return is_id(id, "file_agent") ? id : request.path_id("file_id", "file");
}

awaitable<Response> open_file(Services& services, const Request& request) {
    const std::string agent_id = request.path_id("agent_id", "agent"), file_id = file_of(request);
    const std::vector<std::string> closed =
        co_await services.folder_service.open_file(request.organization_id, agent_id, file_id);
    co_return names_answer(closed);
}

awaitable<Response> close_file(Services& services, const Request& request) {
    const std::string agent_id = request.path_id("agent_id", "agent"), file_id = file_of(request);
    co_await services.folder_service.close_file(request.organization_id, agent_id, file_id);
    Deleted shown;
    shown.message = "File id=" + file_id + " successfully closed";
    co_return answer(shown);
}

awaitable<Response> close_all(Services& services, const Request& request) {
    const std::string agent_id = request.path_id("agent_id", "agent");
    const std::vector<std::string> closed =
        co_await services.folder_service.close_all_files(request.organization_id, agent_id);
    co_return names_answer(closed);
}

constexpr std::string_view files_query = "cursor, is_open:boolean";

}  // namespace

std::span<const Route> agent_folder_routes() {
    using enum FolderWord;
    static constexpr Route routes[] = {
        {Method::get, "/v1/agents/{agent_id}/folders", list, "agents.folders.list", "", "Source[]", "", Trait::paged},
        {Method::patch, "/v1/agents/{agent_id}/folders/attach/{folder_id}", attach<folder>, "agents.folders.attach", "",
         "AgentState?"},
        {Method::patch, "/v1/agents/{agent_id}/folders/detach/{folder_id}", detach<folder>, "agents.folders.detach", "",
         "AgentState?"},
        {Method::get, "/v1/agents/{agent_id}/sources", list, "agents.sources.list", "", "Source[]", "", Trait::paged},
        {Method::patch, "/v1/agents/{agent_id}/sources/attach/{source_id}", attach<source>, "agents.sources.attach", "",
         "AgentState"},
        {Method::patch, "/v1/agents/{agent_id}/sources/detach/{source_id}", detach<source>, "agents.sources.detach", "",
         "AgentState"},
        {Method::get, "/v1/agents/{agent_id}/files", list_files, "agents.files.list", "", "PaginatedAgentFiles",
         files_query, Trait::paged},
        {Method::patch, "/v1/agents/{agent_id}/files", list_files, "agents.files.list_by_patch", "",
         "PaginatedAgentFiles", files_query, Trait::paged},
        {Method::patch, "/v1/agents/{agent_id}/files/{file_id}/open", open_file, "agents.files.open", "", "string[]"},
        {Method::patch, "/v1/agents/{agent_id}/files/{file_id}/close", close_file, "agents.files.close", "", "Deleted"},
        {Method::patch, "/v1/agents/{agent_id}/files/close-all", close_all, "agents.files.close_all", "", "string[]"},
    };
    return routes;
}

}  // namespace stele::api
