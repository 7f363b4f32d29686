#include "api/route.hpp"
#include "runtime/tool_service.hpp"
#include "storage/tool_repository.hpp"

#include <algorithm>

namespace stele::api {
namespace {

// These lists come with their key repeated or as one text with commas: no name, id or type holds one.
std::vector<std::string> split_list(const Query& query, std::string_view name) {
    std::vector<std::string> items;
    for (const std::string& value : query.list(name)) {
        for (std::size_t begin = 0; begin <= value.size();) {
            const std::size_t end = std::min(value.find(',', begin), value.size());
            if (end > begin) items.push_back(value.substr(begin, end - begin));
            begin = end + 1;
        }
    }
    return items;
}

std::vector<std::string> type_list(const Query& query, std::string_view name) {
    std::vector<std::string> types = split_list(query, name);
    for (const std::string& type : types)
        if (!is_tool_type(type)) throw refused(std::string(name) + ": there is no tool type '" + type + "'");
    return types;
}

storage::ToolFilter filter_of(const Query& query) {
    storage::ToolFilter filter;
    filter.name = query.text("name");
    filter.search = query.text("search");
    filter.project_id = query.text("project_id");
    filter.names = split_list(query, "names");
    filter.tool_ids = split_list(query, "tool_ids");
    filter.tool_types = type_list(query, "tool_types");
    filter.exclude_tool_types = type_list(query, "exclude_tool_types");
    if (query.flag("return_only_letta_tools").value_or(false)) filter.built_in = true;
    if (query.flag("exclude_letta_tools").value_or(false)) filter.built_in = false;
    if (query.flag("include_base_tools") == false) filter.built_in = false;
    return filter;
}

awaitable<Response> list(Services& services, const Request& request) {
    storage::Page page = page_of(request.query, {});
    storage::ToolFilter filter = filter_of(request.query);
    const std::vector<Tool> tools =
        co_await services.tools.list(request.organization_id, std::move(filter), std::move(page));
    co_return answer(tools);
}

awaitable<Response> count(Services& services, const Request& request) {
    storage::ToolFilter filter = filter_of(request.query);
    const std::int64_t number = co_await services.tools.count(request.organization_id, std::move(filter));
    co_return json_answer(std::to_string(number));
}

// Both verbs make the tool, or change the one of the same name.
awaitable<Response> upsert(Services& services, const Request& request) {
    auto body = decode<ToolCreate>(request.body());
    if (!body.project_id.present() && request.project_id) body.project_id = *request.project_id;
    const Tool tool = co_await services.tool_service.upsert(request.organization_id, request.user_id, std::move(body),
                                                            request.idempotency_key);
    co_return answer(tool);
}

awaitable<Response> update(Services& services, const Request& request) {
    const std::string id = request.path_id("tool_id", "tool");
    auto body = decode<ToolUpdate>(request.body());
    const Tool tool =
        co_await services.tool_service.update(request.organization_id, request.user_id, id, std::move(body));
    co_return answer(tool);
}

awaitable<Response> remove(Services& services, const Request& request) {
    const std::string id = request.path_id("tool_id", "tool");
    co_await services.tool_service.remove(request.organization_id, id);
    co_return json_answer("null");
}

awaitable<Response> retrieve(Services& services, const Request& request) {
    const std::string id = request.path_id("tool_id", "tool");
    const auto tool = co_await services.tools.find(request.organization_id, id);
    if (!tool) throw not_found("Tool", id);
    co_return answer(*tool);
}

// The built-ins are seeded at every start; the call only says what is there.
awaitable<Response> add_base_tools(Services& services, const Request& request) {
    storage::ToolFilter filter;
    filter.built_in = true;
    storage::Page page;
    page.limit = 1'000;
    const std::vector<Tool> tools =
        co_await services.tools.list(request.organization_id, std::move(filter), std::move(page));
    co_return answer(tools);
}

}  // namespace

constexpr std::string_view filters =
    "name, names[], tool_ids[], search, project_id, tool_types[], exclude_tool_types[], "
    "return_only_letta_tools:boolean,"
    " exclude_letta_tools:boolean, include_base_tools:boolean";

std::span<const Route> tool_routes() {
    static constexpr Route routes[] = {
        {Method::get, "/v1/tools", list, "tools.list", "", "Tool[]", filters, Trait::paged},
        {Method::post, "/v1/tools", upsert, "tools.create", "ToolCreate", "Tool"},
        {Method::put, "/v1/tools", upsert, "tools.upsert", "ToolCreate", "Tool"},
        {Method::get, "/v1/tools/count", count, "tools.count", "", "integer", filters},
        {Method::post, "/v1/tools/add-base-tools", add_base_tools, "tools.upsert_base_tools", "", "Tool[]"},
        {Method::post, "/v1/tools/upsert-base", add_base_tools, "tools.upsert_base_alias", "", "Tool[]"},
        {Method::get, "/v1/tools/{tool_id}", retrieve, "tools.retrieve", "", "Tool"},
        {Method::patch, "/v1/tools/{tool_id}", update, "tools.update", "ToolUpdate", "Tool"},
        {Method::delete_, "/v1/tools/{tool_id}", remove, "tools.delete", "", "null"},
    };
    return routes;
}

}  // namespace stele::api
