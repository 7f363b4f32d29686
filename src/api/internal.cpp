// Routes that only the retired server's own tools called. They see hidden agents and blocks, which the others leave
// out.
#include "api/block_answer.hpp"
#include "storage/agent_repository.hpp"

namespace stele::api {
namespace {

awaitable<Response> count_agents(Services& services, const Request& request) {
    storage::AgentFilter filter;
    filter.show_hidden = !request.query.flag("exclude_hidden").value_or(true);
    const std::int64_t number = co_await services.agents.count(request.organization_id, std::move(filter));
    co_return json_answer(std::to_string(number));
}

awaitable<Response> list_blocks(Services& services, const Request& request) {
    storage::Page page = page_of(request.query, {.ascending = true});
    storage::BlockFilter filter = co_await block_filter(services, request);
    filter.show_hidden = true;
    co_return co_await block_list(services, request, std::move(filter), std::move(page));
}

}  // namespace

std::span<const Route> internal_routes() {
    static constexpr Route routes[] = {
        {Method::get, "/v1/_internal_agents/count", count_agents, "_internal_agents.count", "", "integer",
         "exclude_hidden:boolean"},
        {Method::patch, "/v1/_internal_agents/{agent_id}/core-memory/blocks/{block_label...}", update_block_of_agent,
         "_internal_agents.blocks.update", "BlockUpdate", "BlockResponse"},
        {Method::get, "/v1/_internal_blocks", list_blocks, "_internal_blocks.list", "", "BlockResponse[]",
         block_filters, Trait::paged},
        {Method::post, "/v1/_internal_blocks", create_block, "_internal_blocks.create", "CreateBlock", "BlockResponse"},
        {Method::delete_, "/v1/_internal_blocks/{block_id}", delete_block, "_internal_blocks.delete", "", "null"},
        {Method::get, "/v1/_internal_blocks/{block_id}/agents", agents_of_block, "_internal_blocks.agents.list", "",
         "AgentState[]", "include[], include_relationships[]", Trait::paged},
    };
    return routes;
}

}  // namespace stele::api
