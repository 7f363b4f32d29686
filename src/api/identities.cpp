#include "api/agent_query.hpp"
#include "api/block_answer.hpp"
#include "api/identity_query.hpp"
#include "domain/block_value.hpp"
#include "runtime/agent_service.hpp"
#include "storage/agent_repository.hpp"
#include "storage/block_repository.hpp"
#include "storage/database.hpp"
#include "storage/idempotency_repository.hpp"
#include "storage/identity_repository.hpp"
#include "storage/persona_links.hpp"

namespace stele::api {
namespace {

constexpr int put_attempts_max = 8;

awaitable<Identity> find(const Services& services, const Request& request) {
    const std::string id = co_await identity_id_of(services, request, request.path("identity_id"));
    auto identity = co_await services.identities.find(request.organization_id, id);
    if (!identity) throw not_found("Identity", id);
    co_return std::move(*identity);
}

// As it is now: a commit has just changed it.
awaitable<Response> answer_again(const Services& services, std::string organization_id, std::string id) {
    const auto identity = co_await services.identities.find(std::move(organization_id), id);
    if (!identity) throw not_found("Identity", id);
    co_return answer(*identity);
}

storage::IdentityFilter filter_of(const Query& query) {
    storage::IdentityFilter filter;
    filter.name = query.text("name");
    filter.project_id = query.text("project_id");
    filter.identifier_key = query.text("identifier_key");
    filter.identity_type = query.text("identity_type");
    if (filter.identity_type && !parse_identity_type(*filter.identity_type))
        throw invalid_field("query.identity_type", "must be one of: org, user, other");
    return filter;
}

awaitable<Response> list(Services& services, const Request& request) {
    storage::Page page = page_of(request.query, {});
    storage::IdentityFilter filter = filter_of(request.query);
    const std::vector<Identity> identities =
        co_await services.identities.list(request.organization_id, std::move(filter), std::move(page));
    co_return answer(identities);
}

awaitable<Response> count(Services& services, const Request& request) {
    storage::IdentityFilter filter = filter_of(request.query);
    const std::int64_t number = co_await services.identities.count(request.organization_id, std::move(filter));
    co_return json_answer(std::to_string(number));
}

IdentityCreate create_body(const Request& request) {
    auto body = decode<IdentityCreate>(request.body());
    if (!body.project_id.present() && request.project_id) body.project_id = *request.project_id;
    return body;
}

// The block that tells of the identity: made with it, or else the one linked by its label.
void add_core(Services& services, storage::Transaction& transaction, const Request& request, const Identity& identity,
              const IdentityCreate& body) {
    if (!body.core_block.has_value()) {
        if (services.identity_rules.auto_link_persona) storage::link_personas(transaction, identity);
        return;
    }
    CreateBlock wanted;
    wanted.label = std::string(storage::persona_prefix) + identity.identifier_key;
    wanted.value = block_value(*body.core_block);
    wanted.project_id = identity.project_id ? Patch<std::string>(*identity.project_id) : Patch<std::string>();
    Problems problems("body.core_block");
    check(wanted, problems);
    problems.throw_if_any();
    const Block block = make_block(std::move(wanted), request.user_id);
    services.blocks.insert_core(transaction, identity, block);
    services.identities.link_block_if_there(transaction, identity, block.id);
}

awaitable<Response> create(Services& services, const Request& request) {
    const IdentityCreate body = create_body(request);
    const Identity identity = make_identity(body, request.organization_id);
    storage::Transaction transaction;
    services.identities.insert(transaction, identity);
    services.identities.link_agents(transaction, identity, body.agent_ids.value_or({}));
    services.identities.link_blocks(transaction, identity, body.block_ids.value_or({}));
    add_core(services, transaction, request, identity, body);
    if (request.idempotency_key)
        services.idempotency.keep_made(transaction, request.organization_id, *request.idempotency_key, identity.id);
    co_await services.database.commit(std::move(transaction));
    co_return co_await answer_again(services, request.organization_id, identity.id);
}

// One transaction, whoever else does the same: the key decides which row it is.
awaitable<Response> upsert(Services& services, const Request& request) {
    const IdentityCreate body = create_body(request);
    const Identity wanted = make_identity(body, request.organization_id);
    storage::Transaction transaction;
    services.identities.upsert(transaction, wanted, body.properties.has_value());
    if (body.agent_ids.has_value()) {
        services.identities.unlink_agents(transaction, wanted);
        services.identities.link_agents(transaction, wanted, *body.agent_ids);
    }
    if (body.block_ids.has_value()) {
        services.identities.unlink_blocks(transaction, wanted);
        services.identities.link_blocks(transaction, wanted, *body.block_ids);
    }
    add_core(services, transaction, request, wanted, body);
    services.identities.read_links(transaction, wanted);
    std::vector<storage::Rows> rows = co_await services.database.commit(std::move(transaction));
    std::vector<Identity> stored = storage::IdentityRepository::from_rows(std::move(rows.front()));
    Identity& identity = stored.front();
    storage::IdentityRepository::take_links(std::move(rows[rows.size() - 2]), std::move(rows.back()), identity);
    co_return answer(identity);
}

awaitable<Response> retrieve(Services& services, const Request& request) {
    const Identity identity = co_await find(services, request);
    co_return answer(identity);
}

awaitable<Response> update(Services& services, const Request& request) {
    const auto change = decode<IdentityUpdate>(request.body());
    const bool replace = request.query.flag("replace").value_or(false);
    Identity identity = co_await find(services, request);
    storage::Transaction transaction;
    if (apply(change, replace, identity)) services.identities.update(transaction, identity);
    if (replace && change.agent_ids.has_value()) services.identities.unlink_agents(transaction, identity);
    if (replace && change.block_ids.has_value()) services.identities.unlink_blocks(transaction, identity);
    services.identities.link_agents(transaction, identity, change.agent_ids.value_or({}));
    services.identities.link_blocks(transaction, identity, change.block_ids.value_or({}));
    if (transaction.empty()) co_return answer(identity);
    co_await services.database.commit(std::move(transaction));
    co_return co_await answer_again(services, request.organization_id, identity.id);
}

awaitable<Response> put_properties(Services& services, const Request& request) {
    auto properties = decode<IdentityProperties>(request.body());
    for (int attempt = 1;; ++attempt) {  // dispatch repeats PATCH alone
        Identity identity = co_await find(services, request);
        if (!replace_properties(properties, identity)) co_return answer(identity);
        storage::Transaction transaction;
        services.identities.update(transaction, identity);
        std::optional<Error> lost;
        try {
            co_await services.database.commit(std::move(transaction));
        } catch (const Error& error) {
            if (error.type != changed_meanwhile_type || attempt == put_attempts_max) throw;
            lost = error;
        }
        if (!lost) co_return answer(identity);
    }
}

awaitable<Response> remove(Services& services, const Request& request) {
    const Identity identity = co_await find(services, request);
    storage::Transaction transaction;
    services.identities.remove(transaction, identity);
    co_await services.database.commit(std::move(transaction));
    co_return json_answer("null");
}

awaitable<Response> list_agents(Services& services, const Request& request) {
    storage::Page page = page_of(request.query, {});
    const Identity identity = co_await find(services, request);
    storage::AgentFilter filter;
    filter.identity_id = identity.id;
    co_return co_await linked_agents(services, request, std::move(filter), std::move(page));
}

awaitable<Response> list_blocks(Services& services, const Request& request) {
    storage::Page page = page_of(request.query, {});
    const Identity identity = co_await find(services, request);
    storage::BlockFilter filter;
    filter.identity_id = identity.id;
    filter.show_hidden = true;
    co_return co_await block_list(services, request, std::move(filter), std::move(page));
}

constexpr char filters[] = "name, project_id, identifier_key, identity_type";

}  // namespace

std::span<const Route> identity_routes() {
    static constexpr Route routes[] = {
        {Method::get, "/v1/identities", list, "identities.list", "", "Identity[]", filters, Trait::paged},
        {Method::post, "/v1/identities", create, "identities.create", "IdentityCreate", "Identity"},
        {Method::put, "/v1/identities", upsert, "identities.upsert", "IdentityCreate", "Identity"},
        {Method::get, "/v1/identities/count", count, "identities.count", "", "integer", filters},
        {Method::get, "/v1/identities/{identity_id}", retrieve, "identities.retrieve", "", "Identity"},
        {Method::patch, "/v1/identities/{identity_id}", update, "identities.modify", "IdentityUpdate", "Identity",
         "replace:boolean"},
        {Method::delete_, "/v1/identities/{identity_id}", remove, "identities.delete", "", "null"},
        {Method::put, "/v1/identities/{identity_id}/properties", put_properties, "identities.properties.upsert",
         "IdentityProperty[]", "Identity"},
        {Method::get, "/v1/identities/{identity_id}/agents", list_agents, "identities.agents.list", "", "AgentState[]",
         "include[], include_relationships[]", Trait::paged},
        {Method::get, "/v1/identities/{identity_id}/blocks", list_blocks, "identities.blocks.list", "",
         "BlockResponse[]", "", Trait::paged},
    };
    return routes;
}

}  // namespace stele::api
