#include "api/route.hpp"
#include "base/json_text.hpp"
#include "storage/agent_repository.hpp"

namespace stele::api {
namespace {

awaitable<Response> list(Services& services, const Request& request) {
    storage::Page page = page_of(request.query, {.ascending = true, .order_by = {"name", "created_at"}});
    std::optional<std::string> query = request.query.text("query_text");
    if (!query) query = request.query.text("name");
    std::vector<std::string> tags =
        co_await services.agents.all_tags(request.organization_id, std::move(query), std::move(page));
    std::string body = "[";
    for (const std::string& tag : tags) body += (body.size() > 1 ? "," : "") + json_string(tag);
    co_return json_answer(body + "]");
}

}  // namespace

std::span<const Route> tag_routes() {
    static constexpr Route routes[] = {
        {Method::get, "/v1/tags", list, "tags.list", "", "string[]", "name, query_text", Trait::paged},
    };
    return routes;
}

}  // namespace stele::api
