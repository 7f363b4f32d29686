#include "api/agent_query.hpp"
#include "api/block_answer.hpp"
#include "runtime/agent_service.hpp"
#include "storage/agent_repository.hpp"
#include "storage/block_repository.hpp"
#include "storage/database.hpp"

namespace stele::api {
namespace {

awaitable<Response> list(Services& services, const Request& request) {
    storage::Page page = page_of(request.query, {.ascending = true});
    storage::BlockFilter filter = co_await block_filter(services, request);
    co_return co_await block_list(services, request, std::move(filter), std::move(page));
}

awaitable<Response> count(Services& services, const Request& request) {
    storage::BlockFilter filter = co_await block_filter(services, request);
    const std::int64_t number = co_await services.blocks.count(request.organization_id, std::move(filter));
    co_return json_answer(std::to_string(number));
}

awaitable<Response> retrieve(Services& services, const Request& request) {
    const std::string id = request.path_id("block_id", "block");
    auto block = co_await services.blocks.find(request.organization_id, id);
    if (!block) throw not_found("Block", id);
    co_return block_answer(std::move(*block));
}

awaitable<Response> update(Services& services, const Request& request) {
    const std::string id = request.path_id("block_id", "block");
    auto change = decode<BlockUpdate>(request.body());
    auto block = co_await services.blocks.find(request.organization_id, id);
    if (!block) throw not_found("Block", id);
    co_return co_await change_block(services, request, std::move(*block), std::move(change));
}

}  // namespace

awaitable<Response> delete_block(Services& services, const Request& request) {
    const std::string id = request.path_id("block_id", "block");
    const auto block = co_await services.blocks.find(request.organization_id, id);
    if (!block) throw not_found("Block", id);
    storage::Transaction transaction;
    services.blocks.remove(transaction, request.organization_id, *block);
    co_await services.database.commit(std::move(transaction));
    co_return json_answer("null");
}

awaitable<Response> agents_of_block(Services& services, const Request& request) {
    const std::string id = request.path_id("block_id", "block");
    storage::Page page = page_of(request.query, {});
    const auto block = co_await services.blocks.find(request.organization_id, id);
    if (!block) throw not_found("Block", id);
    storage::AgentFilter filter;
    filter.block_id = block->id;
    co_return co_await linked_agents(services, request, std::move(filter), std::move(page));
}

std::span<const Route> block_routes() {
    static constexpr Route routes[] = {
        {Method::get, "/v1/blocks", list, "blocks.list", "", "BlockResponse[]", block_filters, Trait::paged},
        {Method::post, "/v1/blocks", create_block, "blocks.create", "CreateBlock", "BlockResponse"},
        {Method::get, "/v1/blocks/count", count, "blocks.count", "", "integer", block_filters},
        {Method::get, "/v1/blocks/{block_id}", retrieve, "blocks.retrieve", "", "BlockResponse"},
        {Method::patch, "/v1/blocks/{block_id}", update, "blocks.update", "BlockUpdate", "BlockResponse"},
        {Method::delete_, "/v1/blocks/{block_id}", delete_block, "blocks.delete", "", "null"},
        {Method::get, "/v1/blocks/{block_id}/agents", agents_of_block, "blocks.agents.list", "", "AgentState[]",
         "include[], include_relationships[]", Trait::paged},
    };
    return routes;
}

}  // namespace stele::api
