#include "api/agent_query.hpp"
#include "api/block_answer.hpp"
#include "base/ids.hpp"

namespace stele::api {
namespace {

storage::BlockFilter filter_of(const Query& query) {
    storage::BlockFilter filter;
    filter.label = query.text("label");
    filter.label_search = query.text("label_search");
    filter.description_search = query.text("description_search");
    filter.value_search = query.text("value_search");
    filter.name = query.text("name");
    filter.project_id = query.text("project_id");
    filter.templates_only = query.flag("templates_only");
    filter.tags = query.list("tags");
    filter.match_all_tags = query.flag("match_all_tags").value_or(false);
    filter.agents_above = query.integer("connected_to_agents_count_gt");
    filter.agents_below = query.integer("connected_to_agents_count_lt");
    filter.agents_equal = query.integers("connected_to_agents_count_eq");
    filter.identity_id = query.text("identity_id");
    if (filter.identity_id && !is_id(*filter.identity_id, "identity"))
        throw invalid_field("query.identity_id", "must match 'identity-{uuid4}'");
    filter.identifier_keys = query.list("identifier_keys");
    filter.show_hidden = query.flag("show_hidden_blocks").value_or(false);
    return filter;
}

awaitable<Response> list(Services& services, const Request& request) {
    storage::Page page = page_of(request.query, {.ascending = true});
    storage::BlockFilter filter = filter_of(request.query);
    std::vector<Block> blocks =
        co_await services.blocks.list(request.organization_id, std::move(filter), std::move(page));
    for (Block& block : blocks) block.description = shown_description(block);
    co_return answer(blocks);
}

awaitable<Response> create(Services& services, const Request& request) {
    auto body = decode<CreateBlock>(request.body());
    if (!body.project_id.present() && request.project_id) body.project_id = *request.project_id;
    Block block = make_block(std::move(body), request.user_id);
    storage::Transaction transaction;
    services.blocks.insert(transaction, request.organization_id, block);
    if (request.idempotency_key)
        services.idempotency.keep_made(transaction, request.organization_id, *request.idempotency_key, block.id);
    co_await services.database.commit(std::move(transaction));
    co_return block_answer(std::move(block));
}

awaitable<Response> count(Services& services, const Request& request) {
    storage::BlockFilter filter = filter_of(request.query);
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

awaitable<Response> remove(Services& services, const Request& request) {
    const std::string id = request.path_id("block_id", "block");
    const auto block = co_await services.blocks.find(request.organization_id, id);
    if (!block) throw not_found("Block", id);
    storage::Transaction transaction;
    services.blocks.remove(transaction, request.organization_id, *block);
    co_await services.database.commit(std::move(transaction));
    co_return json_answer("null");
}

awaitable<Response> list_agents(Services& services, const Request& request) {
    const std::string id = request.path_id("block_id", "block");
    storage::Page page = page_of(request.query, {});
    const runtime::AgentInclude include = agent_include(request);
    const auto block = co_await services.blocks.find(request.organization_id, id);
    if (!block) throw not_found("Block", id);
    std::vector<std::string> ids = co_await services.blocks.agents_of(request.organization_id, id, std::move(page));
    std::vector<Agent> agents = co_await services.agents.find_all(request.organization_id, std::move(ids));
    const std::vector<AgentState> states = co_await services.agent_service.states(std::move(agents), include);
    co_return answer(states);
}

}  // namespace

constexpr std::string_view filters =
    "label, label_search, description_search, value_search, name, project_id, identity_id, identifier_keys[],"
    " templates_only:boolean, tags[], match_all_tags:boolean, connected_to_agents_count_gt:integer,"
    " connected_to_agents_count_lt:integer, connected_to_agents_count_eq[]:integer, show_hidden_blocks:boolean";

std::span<const Route> block_routes() {
    static constexpr Route routes[] = {
        {Method::get, "/v1/blocks", list, "blocks.list", "", "Block[]", filters, Trait::paged},
        {Method::post, "/v1/blocks", create, "blocks.create", "CreateBlock", "Block"},
        {Method::get, "/v1/blocks/count", count, "blocks.count", "", "integer", filters},
        {Method::get, "/v1/blocks/{block_id}", retrieve, "blocks.retrieve", "", "Block"},
        {Method::patch, "/v1/blocks/{block_id}", update, "blocks.update", "BlockUpdate", "Block"},
        {Method::delete_, "/v1/blocks/{block_id}", remove, "blocks.delete", "", "null"},
        {Method::get, "/v1/blocks/{block_id}/agents", list_agents, "blocks.agents.list", "", "AgentState[]",
         "include[], include_relationships[]", Trait::paged},
    };
    return routes;
}

}  // namespace stele::api
