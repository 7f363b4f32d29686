#include "api/identity_query.hpp"
#include "api/images.hpp"
#include "api/message_answer.hpp"
#include "api/message_page.hpp"
#include "api/tool_caller.hpp"
#include "domain/answer.hpp"
#include "runtime/group_service.hpp"
#include "runtime/runtime.hpp"
#include "storage/agent_repository.hpp"
#include "storage/group_repository.hpp"

namespace stele::api {
namespace {

std::optional<ManagerType> manager_type_of(const Query& query) {
    const auto word = query.text("manager_type");
    if (!word) return std::nullopt;
    const auto type = parse_manager_type(*word);
    if (!type && *word != "swarm")  // a word of the API that no group can have
        throw invalid_field("query.manager_type",
                            "must be one of: round_robin, supervisor, dynamic, sleeptime, voice_sleeptime");
    return type;
}

awaitable<Response> list_of(Services& services, const Request& request, storage::GroupFilter filter,
                            storage::Page page) {
    filter.manager_type = manager_type_of(request.query);
    std::vector<Group> groups;
    if (filter.manager_type || !request.query.has("manager_type"))
        groups = co_await services.groups.list(request.organization_id, std::move(filter), std::move(page));
    co_return answer(groups);
}

awaitable<Response> list(Services& services, const Request& request) {
    storage::Page page = page_of(request.query, {.ascending = true});
    storage::GroupFilter filter;
    filter.project_id = request.query.text("project_id");
    co_return co_await list_of(services, request, std::move(filter), std::move(page));
}

awaitable<Response> list_of_agent(Services& services, const Request& request) {
    storage::Page page = page_of(request.query, {.limit = 100});
    storage::GroupFilter filter;
    filter.agent_id = request.path_id("agent_id", "agent");
    const bool there = co_await services.agents.exists(request.organization_id, *filter.agent_id);
    if (!there) throw not_found("Agent", *filter.agent_id);
    co_return co_await list_of(services, request, std::move(filter), std::move(page));
}

awaitable<Response> create(Services& services, const Request& request) {
    auto body = decode<GroupCreate>(request.body());
    if (!body.project_id.present() && request.project_id) body.project_id = *request.project_id;
    const Group made = co_await services.group_service.create(request.organization_id, request.user_id, std::move(body),
                                                              request.idempotency_key);
    co_return answer(made);
}

awaitable<Response> count(Services& services, const Request& request) {
    const std::int64_t number = co_await services.groups.count(request.organization_id);
    co_return json_answer(std::to_string(number));
}

awaitable<Response> retrieve(Services& services, const Request& request) {
    const std::string id = request.path_id("group_id", "group");
    const Group group = co_await services.group_service.get(request.organization_id, id);
    co_return answer(group);
}

awaitable<Response> update(Services& services, const Request& request) {
    const std::string id = request.path_id("group_id", "group");
    auto change = decode<GroupUpdate>(request.body());
    const Group group =
        co_await services.group_service.update(request.organization_id, request.user_id, id, std::move(change));
    co_return answer(group);
}

awaitable<Response> remove(Services& services, const Request& request) {
    const std::string id = request.path_id("group_id", "group");
    co_await services.group_service.remove(request.organization_id, id);
    Deleted shown;
    shown.message = "Group id=" + id + " successfully deleted";
    co_return answer(shown);
}

awaitable<Response> share(Services& services, const Request& request, bool shared) {
    const std::string id = request.path_id("group_id", "group"), block_id = request.path_id("block_id", "block");
    co_await services.group_service.share_block(request.organization_id, request.user_id, id, block_id, shared);
    co_return json_answer("null");
}

awaitable<Response> attach_block(Services& services, const Request& request) { return share(services, request, true); }
awaitable<Response> detach_block(Services& services, const Request& request) { return share(services, request, false); }

awaitable<Response> reset_messages(Services& services, const Request& request) {
    const std::string id = request.path_id("group_id", "group");
    will_wait(services, request, id);
    const Group group = co_await services.group_service.get(request.organization_id, id);
    for (const std::string& agent_id : runtime::agents_of(group)) will_wait(services, request, agent_id);
    co_await services.group_service.reset_messages(request.organization_id, id);
    co_return json_answer("null");
}

awaitable<Response> talk(Services& services, const Request& request, bool stream) {
    const std::string id = request.path_id("group_id", "group");
    auto body = decode<MessageRequest>(request.body());
    stream = stream || body.streaming.value_or(false);
    will_wait(services, request, id);
    co_await bring_images(services, request, body);
    StreamOptions options;
    options.include_pings = body.include_pings;
    runtime::TurnRequest turn = turn_of(request, MessageTarget(), std::move(body), stream);
    turn.run_type = "group_messages";
    if (!stream) turn.idempotency_key.reset();  // dispatch keeps the whole answer
    auto run_log = co_await services.runtime.start_talk(std::move(turn), id);
    if (stream) co_return stream_answer(std::move(run_log), options);
    Response told = co_await blocking_answer(std::move(run_log));
    co_return json_answer(std::move(told.body));
}

awaitable<Response> send_messages(Services& services, const Request& request) { return talk(services, request, false); }
awaitable<Response> stream_messages(Services& services, const Request& request) {
    return talk(services, request, true);
}

awaitable<Response> list_messages(Services& services, const Request& request) {
    const std::string id = request.path_id("group_id", "group");
    const std::vector<std::string> types = wanted_types(request.query);
    const storage::Page page = page_of(request.query, {.limit = 10});
    const Group group = co_await services.group_service.get(request.organization_id, id);
    ViewOptions view;
    view.text_is_assistant_message = true;  // of the members that speak in text; the others have none beside calls
    view.use_assistant_message = request.query.flag("use_assistant_message").value_or(true);
    view.assistant_message_tool_name =
        request.query.text("assistant_message_tool_name").value_or(view.assistant_message_tool_name);
    view.assistant_message_tool_kwarg =
        request.query.text("assistant_message_tool_kwarg").value_or(view.assistant_message_tool_kwarg);
    if (!types.empty()) view.include_types = &types;
    std::optional<std::string> named = request.query.text("identity_id");
    std::optional<std::string> identity_id = co_await identity_filter(services, request, std::move(named));
    storage::MessageFilter filter;
    filter.identity_id = std::move(identity_id);
    filter.said_in = group.id;
    const std::vector<Message> messages =
        co_await page_that_shows(services, request.organization_id, filter, in_time_order(page), view);
    std::vector<LettaMessage> shown = expand_all(messages, view);
    co_return answer(page.ascending ? shown : newest_first(std::move(shown)));
}

}  // namespace

std::span<const Route> group_routes() {
    static constexpr Route routes[] = {
        {Method::get, "/v1/agents/{agent_id}/groups", list_of_agent, "agents.groups.list", "", "Group[]",
         "manager_type", Trait::paged},
        {Method::get, "/v1/groups", list, "groups.list", "", "Group[]", "manager_type, project_id", Trait::paged},
        {Method::post, "/v1/groups", create, "groups.create", "GroupCreate", "Group"},
        {Method::get, "/v1/groups/count", count, "groups.count", "", "integer"},
        {Method::get, "/v1/groups/{group_id}", retrieve, "groups.retrieve", "", "Group"},
        {Method::patch, "/v1/groups/{group_id}", update, "groups.modify", "GroupUpdate", "Group"},
        {Method::delete_, "/v1/groups/{group_id}", remove, "groups.delete", "", "Deleted"},
        {Method::get, "/v1/groups/{group_id}/messages", list_messages, "groups.messages.list", "", "LettaMessage[]",
         "identity_id, use_assistant_message:boolean, assistant_message_tool_name, assistant_message_tool_kwarg,"
         " include_return_message_types[]",
         Trait::paged},
        {Method::post, "/v1/groups/{group_id}/messages", send_messages, "groups.messages.create", "MessageRequest",
         "LettaResponse"},
        {Method::post, "/v1/groups/{group_id}/messages/stream", stream_messages, "groups.messages.create_stream",
         "MessageRequest", "LettaStreamingResponse"},
        {Method::patch, "/v1/groups/{group_id}/reset-messages", reset_messages, "groups.messages.reset", "", "null"},
        {Method::patch, "/v1/groups/{group_id}/blocks/attach/{block_id}", attach_block, "groups.blocks.attach", "",
         "null"},
        {Method::patch, "/v1/groups/{group_id}/blocks/detach/{block_id}", detach_block, "groups.blocks.detach", "",
         "null"},
    };
    return routes;
}

}  // namespace stele::api
