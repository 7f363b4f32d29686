// What is linked to whom: identities of agents and of blocks.
#include "api/block_answer.hpp"
#include "api/identity_query.hpp"
#include "storage/agent_repository.hpp"
#include "storage/block_repository.hpp"
#include "storage/database.hpp"
#include "storage/identity_repository.hpp"

namespace stele::api {
namespace {

awaitable<std::string> named_identity(const Services& services, const Request& request) {
    std::string id = co_await identity_id_of(services, request, request.path("identity_id"));
    co_return id;
}

awaitable<Response> link_agent(Services& services, const Request& request, bool linked) {
    const std::string agent_id = request.path_id("agent_id", "agent");
    const bool there = co_await services.agents.exists(request.organization_id, agent_id);
    if (!there) throw not_found("Agent", agent_id);
    const std::string identity_id = co_await named_identity(services, request);
    storage::Transaction transaction;
    if (linked)
        services.identities.link_agent(transaction, identity_id, agent_id);
    else
        services.identities.unlink_agent(transaction, identity_id, agent_id);
    co_await services.database.commit(std::move(transaction));
    co_return json_answer("null");
}

awaitable<Response> link_block(Services& services, const Request& request, bool linked) {
    const std::string block_id = request.path_id("block_id", "block");
    auto block = co_await services.blocks.find(request.organization_id, block_id);
    if (!block) throw not_found("Block", block_id);
    const std::string identity_id = co_await named_identity(services, request);
    storage::Transaction transaction;
    if (linked)
        services.identities.link_block(transaction, identity_id, block_id);
    else
        services.identities.unlink_block(transaction, identity_id, block_id);
    co_await services.database.commit(std::move(transaction));
    co_return block_answer(std::move(*block));
}

awaitable<Response> attach_to_agent(Services& services, const Request& request) {
    return link_agent(services, request, true);
}
awaitable<Response> detach_from_agent(Services& services, const Request& request) {
    return link_agent(services, request, false);
}
awaitable<Response> attach_to_block(Services& services, const Request& request) {
    return link_block(services, request, true);
}
awaitable<Response> detach_from_block(Services& services, const Request& request) {
    return link_block(services, request, false);
}

}  // namespace

std::span<const Route> identity_link_routes() {
    static constexpr Route routes[] = {
        {Method::patch, "/v1/agents/{agent_id}/identities/attach/{identity_id}", attach_to_agent,
         "agents.identities.attach", "", "null"},
        {Method::patch, "/v1/agents/{agent_id}/identities/detach/{identity_id}", detach_from_agent,
         "agents.identities.detach", "", "null"},
        {Method::patch, "/v1/blocks/{block_id}/identities/attach/{identity_id}", attach_to_block,
         "blocks.identities.attach", "", "BlockResponse"},
        {Method::patch, "/v1/blocks/{block_id}/identities/detach/{identity_id}", detach_from_block,
         "blocks.identities.detach", "", "BlockResponse"},
    };
    return routes;
}

}  // namespace stele::api
