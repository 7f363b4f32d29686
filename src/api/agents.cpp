#include "api/agent_query.hpp"
#include "api/identity_query.hpp"
#include "api/message_answer.hpp"
#include "api/tool_caller.hpp"
#include "domain/answer.hpp"
#include "runtime/agent_service.hpp"
#include "runtime/credentials.hpp"
#include "runtime/scheduler.hpp"
#include "storage/agent_repository.hpp"

namespace stele::api {
namespace {

awaitable<storage::AgentFilter> filter_of(const Services& services, const Request& request) {
    const Query& query = request.query;
    storage::AgentFilter filter;
    filter.name = query.text("name");
    filter.query_text = query.text("query_text");
    filter.project_id = query.text("project_id");
    filter.template_id = query.text("template_id");
    filter.base_template_id = query.text("base_template_id");
    filter.created_by_id = query.text("created_by_id");
    filter.last_stop_reason = query.text("last_stop_reason");
    if (filter.last_stop_reason && !parse_stop_reason(*filter.last_stop_reason))
        throw invalid_field("query.last_stop_reason", "is no stop reason");
    filter.identifier_keys = query.list("identifier_keys");
    filter.tags = query.list("tags");
    filter.match_all_tags = query.flag("match_all_tags").value_or(false);
    filter.show_hidden = query.flag("show_hidden_agents").value_or(false);
    std::optional<std::string> named = query.text("identity_id");
    auto id = co_await identity_filter(services, request, std::move(named));
    filter.identity_id = std::move(id);
    co_return filter;
}

// Their names stay: what an agent needs is no secret.
void blank_secrets(AgentState& state) {
    for (AgentVariable& each : state.secrets) each.value.clear();
    for (AgentVariable& each : state.tool_exec_environment_variables) each.value.clear();
}

awaitable<Response> list(Services& services, const Request& request) {
    const runtime::AgentInclude include = agent_include(request);
    const std::vector<std::string> ids = request.query.list("ids");
    std::vector<Agent> agents;
    if (!ids.empty()) {
        agents = co_await services.agents.find_all(request.organization_id, ids);
    } else {
        storage::Page page = page_of(request.query, {.order_by = {"created_at", "updated_at", "last_run_completion"}});
        storage::AgentFilter filter = co_await filter_of(services, request);
        agents = co_await services.agents.list(request.organization_id, std::move(filter), std::move(page));
    }
    const std::vector<AgentState> states = co_await services.agent_service.states(std::move(agents), include);
    co_return answer(states);
}

awaitable<Response> create(Services& services, const Request& request) {
    auto body = decode<CreateAgent>(request.body());
    if (!body.project_id.present() && request.project_id) body.project_id = *request.project_id;
    const AgentState state = co_await services.agent_service.create(request.organization_id, request.user_id,
                                                                    std::move(body), request.idempotency_key);
    co_return answer(state);
}

awaitable<Response> count(Services& services, const Request& request) {
    storage::AgentFilter filter = co_await filter_of(services, request);
    const std::int64_t number = co_await services.agents.count(request.organization_id, std::move(filter));
    co_return json_answer(std::to_string(number));
}

awaitable<Response> retrieve(Services& services, const Request& request) {
    const std::string id = request.path_id("agent_id", "agent");
    const runtime::AgentInclude include = agent_include(request);
    AgentState state = co_await services.agent_service.get(request.organization_id, id, include);
    if (request.token) blank_secrets(state);
    co_return answer(state);
}

awaitable<Response> update(Services& services, const Request& request) {
    const std::string id = request.path_id("agent_id", "agent");
    auto change = decode<UpdateAgent>(request.body());
    const bool moves = change.timezone.has_value();
    AgentState state =
        co_await services.agent_service.update(request.organization_id, request.user_id, id, std::move(change));
    if (request.token) blank_secrets(state);
    if (moves) services.scheduler.wake();
    co_return answer(state);
}

awaitable<Response> remove(Services& services, const Request& request) {
    const std::string id = request.path_id("agent_id", "agent");
    will_wait(services, request, id);
    co_await services.agent_service.remove(request.organization_id, id);
    services.credentials.agent_deleted();
    Deleted shown;
    shown.message = "Agent id=" + id + " successfully deleted";
    co_return answer(shown);
}

awaitable<Response> context(Services& services, const Request& request) {
    const std::string id = request.path_id("agent_id", "agent");
    const std::string conversation_id = stored_conversation_id(request.query.text("conversation_id").value_or(""));
    const ContextWindowOverview overview =
        co_await services.agent_service.context(request.organization_id, id, conversation_id);
    co_return answer(overview);
}

awaitable<Response> reset_messages(Services& services, const Request& request) {
    const std::string id = request.path_id("agent_id", "agent");
    const auto body = decode_optional<ResetMessages>(request);
    const bool defaults =
        request.query.flag("add_default_initial_messages").value_or(body.add_default_initial_messages);
    will_wait(services, request, id);
    co_await services.agent_service.reset_messages(request.organization_id, id, defaults);
    const runtime::AgentInclude everything;
    const AgentState state = co_await services.agent_service.get(request.organization_id, id, everything);
    co_return answer(state);
}

}  // namespace

#define STELE_AGENT_FILTERS                                                                        \
    "name, query_text, tags[], match_all_tags:boolean, project_id, template_id, base_template_id," \
    " created_by_id, identity_id, identifier_keys[], last_stop_reason, show_hidden_agents:boolean"

std::span<const Route> agent_routes() {
    static constexpr Route routes[] = {
        {Method::get, "/v1/agents", list, "agents.list", "", "AgentState[]",
         STELE_AGENT_FILTERS ", ids[], include[], include_relationships[]", Trait::paged},
        {Method::post, "/v1/agents", create, "agents.create", "CreateAgent", "AgentState"},
        {Method::get, "/v1/agents/count", count, "agents.count", "", "integer", STELE_AGENT_FILTERS},
        {Method::get, "/v1/agents/{agent_id}", retrieve, "agents.retrieve", "", "AgentState",
         "include[], include_relationships[]"},
        {Method::patch, "/v1/agents/{agent_id}", update, "agents.update", "UpdateAgent", "AgentState"},
        {Method::delete_, "/v1/agents/{agent_id}", remove, "agents.delete", "", "Deleted"},
        {Method::get, "/v1/agents/{agent_id}/context", context, "agents.context.retrieve", "", "ContextWindowOverview",
         "conversation_id"},
        {Method::patch, "/v1/agents/{agent_id}/reset-messages", reset_messages, "agents.messages.reset",
         "ResetMessages?", "AgentState", "add_default_initial_messages:boolean"},
    };
    return routes;
}

}  // namespace stele::api
