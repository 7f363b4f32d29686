// Folders, and sources, which is their older name.
#include "api/folder_query.hpp"
#include "runtime/file_service.hpp"

namespace stele::api {
namespace {

template <FolderWord word>
awaitable<Response> list(Services& services, const Request& request) {
    storage::Page page = page_of(request.query, {.ascending = true});
    std::optional<std::string> name = request.query.text("name");
    std::vector<Folder> folders =
        co_await services.folders.list(request.organization_id, std::move(name), std::move(page));
    co_return folder_answer(std::move(folders), word);
}

template <FolderWord word>
awaitable<Response> create(Services& services, const Request& request) {
    auto body = decode<SourceCreate>(request.body());
    Folder made = co_await services.folder_service.create(request.organization_id, request.user_id, std::move(body));
    co_return folder_answer(std::move(made), word);
}

template <FolderWord word>
awaitable<Response> retrieve(Services& services, const Request& request) {
    Folder folder = co_await services.folder_service.get(request.organization_id, folder_id_of(request));
    co_return folder_answer(std::move(folder), word);
}

template <FolderWord word>
awaitable<Response> update(Services& services, const Request& request) {
    const std::string id = folder_id_of(request);
    auto change = decode<SourceUpdate>(request.body());
    Folder folder =
        co_await services.folder_service.update(request.organization_id, request.user_id, id, std::move(change));
    co_return folder_answer(std::move(folder), word);
}

awaitable<Response> remove(Services& services, const Request& request) {
    co_await services.folder_service.remove(request.organization_id, folder_id_of(request));
    co_return json_answer("null");
}

awaitable<Response> count(Services& services, const Request& request) {
    const std::int64_t number = co_await services.folders.count(request.organization_id);
    co_return json_answer(std::to_string(number));
}

awaitable<Response> stats_of(Services& services, const Request& request, std::optional<std::string> folder_id) {
    const bool detailed = request.query.flag("include_detailed_per_source_metadata").value_or(folder_id.has_value());
    const OrganizationSourcesStats stats =
        co_await services.file_service.stats(request.organization_id, std::move(folder_id), detailed);
    co_return answer(stats);
}

awaitable<Response> stats(Services& services, const Request& request) {
    return stats_of(services, request, std::nullopt);
}

awaitable<Response> stats_of_one(Services& services, const Request& request) {
    return stats_of(services, request, folder_id_of(request));
}

awaitable<Response> id_of(Services& services, const Request& request, std::string name) {
    const auto folder = co_await services.folders.find_by_name(request.organization_id, name);
    if (!folder) throw Error(ErrorCode::not_found, "Folder not found: none has this name");
    co_return json_answer("\"" + folder->id + "\"");
}

awaitable<Response> by_name(Services& services, const Request& request) {
    return id_of(services, request, request.path_values.front().second);
}

awaitable<Response> by_name_in_query(Services& services, const Request& request) {
    for (const char* parameter : {"folder_name", "source_name", "name"})
        if (auto name = request.query.text(parameter)) return id_of(services, request, std::move(*name));
    throw invalid_field("query.name", "is required");
}

awaitable<Response> list_agents(Services& services, const Request& request) {
    const std::string id = folder_id_of(request);
    storage::Page page = page_of(request.query, {});
    const Folder folder = co_await services.folder_service.get(request.organization_id, id);
    const std::vector<std::string> ids =
        co_await services.folders.page_of_agents(request.organization_id, folder.id, std::move(page));
    std::string body = "[";
    for (const std::string& each : ids) body += (body.size() > 1 ? ",\"" : "\"") + each + "\"";
    co_return json_answer(body + "]");
}

constexpr std::string_view stats_query = "include_detailed_per_source_metadata:boolean";

}  // namespace

std::span<const Route> folder_routes() {
    using enum FolderWord;
    static constexpr Route routes[] = {
        {Method::get, "/v1/folders", list<folder>, "folders.list", "", "Folder[]", "name", Trait::paged},
        {Method::post, "/v1/folders", create<folder>, "folders.create", "SourceCreate", "Folder"},
        {Method::get, "/v1/folders/count", count, "folders.count", "", "integer"},
        {Method::get, "/v1/folders/metadata", stats, "folders.retrieve_metadata", "", "OrganizationSourcesStats",
         stats_query},
        {Method::get, "/v1/folders/{folder_id}/metadata", stats_of_one, "folders.retrieve_metadata_of_one", "",
         "OrganizationSourcesStats", stats_query},
        {Method::get, "/v1/folders/name/{folder_name}", by_name, "folders.retrieve_by_name", "", "string"},
        {Method::get, "/v1/folders/by-name", by_name_in_query, "folders.retrieve_by_name_alias", "", "string",
         "folder_name, name"},
        {Method::get, "/v1/folders/{folder_id}", retrieve<folder>, "folders.retrieve", "", "Folder"},
        {Method::patch, "/v1/folders/{folder_id}", update<folder>, "folders.update", "SourceUpdate", "Folder"},
        {Method::delete_, "/v1/folders/{folder_id}", remove, "folders.delete", "", "null"},
        {Method::get, "/v1/folders/{folder_id}/agents", list_agents, "folders.agents.list", "", "string[]", "",
         Trait::paged},
    };
    return routes;
}

std::span<const Route> source_routes() {
    using enum FolderWord;
    static constexpr Route routes[] = {
        {Method::get, "/v1/sources", list<source>, "sources.list", "", "Source[]", "name", Trait::paged},
        {Method::post, "/v1/sources", create<source>, "sources.create", "SourceCreate", "Source"},
        {Method::get, "/v1/sources/count", count, "sources.count", "", "integer"},
        {Method::get, "/v1/sources/metadata", stats, "sources.get_sources_metadata", "", "OrganizationSourcesStats",
         stats_query},
        {Method::get, "/v1/sources/name/{source_name}", by_name, "sources.retrieve_by_name", "", "string"},
        {Method::get, "/v1/sources/by-name", by_name_in_query, "sources.retrieve_by_name_alias", "", "string",
         "source_name, name"},
        {Method::get, "/v1/sources/{source_id}", retrieve<source>, "sources.retrieve", "", "Source"},
        {Method::patch, "/v1/sources/{source_id}", update<source>, "sources.modify", "SourceUpdate", "Source"},
        {Method::delete_, "/v1/sources/{source_id}", remove, "sources.delete", "", "null"},
        {Method::get, "/v1/sources/{source_id}/agents", list_agents, "sources.get_agents_for_source", "", "string[]",
         "", Trait::paged},
    };
    return routes;
}

}  // namespace stele::api
