#include "api/images.hpp"
#include "api/message_answer.hpp"
#include "api/tool_caller.hpp"
#include "runtime/group_service.hpp"
#include "runtime/message_service.hpp"
#include "storage/agent_repository.hpp"
#include "storage/message_repository.hpp"

#include <algorithm>

// Changing and deleting what has been said.
namespace stele::api {
namespace {

void refuse_if_switched_off(const Services& services) {
    if (!services.allow_message_edit)
        throw Error(ErrorCode::method_not_allowed, "Messages can't be edited: --allow-message-edit is off");
}

std::optional<LettaMessage> shown_as(const std::string& type, const Message& message, const ViewOptions& options) {
    std::vector<LettaMessage> parts = expand(message, options);
    const auto shown = std::find_if(parts.begin(), parts.end(),
                                    [&](const LettaMessage& part) { return head_of(part).message_type == type; });
    if (shown == parts.end()) return std::nullopt;
    return std::move(*shown);
}

awaitable<Response> modify_of(Services& services, const Request& request, std::string agent_id, MessageEdit edit) {
    const std::string message_id = request.path_id("message_id", "message");
    const auto agent = co_await services.agents.find(request.organization_id, agent_id);
    if (!agent) throw not_found("Agent", agent_id);
    will_wait(services, request, agent_id);
    if (edit.content.has_value()) co_await bring_images(services, request, *edit.content);
    const auto edited =
        co_await services.message_service.edit(request.organization_id, agent_id, message_id, std::move(edit));
    const auto view = shown_as(edited.type, edited.message, view_of(agent->agent_type));
    // Conversations show the text of agents that speak by tool as an assistant's, too: that is how their client knows
    // it.
    const auto shown = view ? view : shown_as(edited.type, edited.message, ViewOptions());
    STELE_ASSERT(shown.has_value());
    co_return answer(*shown);
}

awaitable<Response> modify(Services& services, const Request& request) {
    std::string agent_id = request.path_id("agent_id", "agent");
    request.path_id("message_id", "message");
    refuse_if_switched_off(services);
    auto edit = decode<MessageEdit>(request.body());
    co_return co_await modify_of(services, request, std::move(agent_id), std::move(edit));
}

// A message of a group is one of the agent that said or heard it.
awaitable<Response> modify_in_group(Services& services, const Request& request) {
    const std::string group_id = request.path_id("group_id", "group");
    const std::string message_id = request.path_id("message_id", "message");
    refuse_if_switched_off(services);
    auto edit = decode<MessageEdit>(request.body());
    const Group group = co_await services.group_service.get(request.organization_id, group_id);
    const auto message = co_await services.messages.find(request.organization_id, message_id);
    if (!message || message->group_id != group.id) throw not_found("Message", message_id);
    co_return co_await modify_of(services, request, message->agent_id, std::move(edit));
}

awaitable<Response> remove(Services& services, const Request& request) {
    const std::string agent_id = request.path_id("agent_id", "agent");
    const std::string message_id = request.path_id("message_id", "message");
    refuse_if_switched_off(services);
    will_wait(services, request, agent_id);
    DeletedMessages deleted;
    deleted.deleted_message_ids =
        co_await services.message_service.remove(request.organization_id, agent_id, message_id);
    co_return answer(deleted);
}

}  // namespace

std::span<const Route> message_edit_routes() {
    static constexpr Route routes[] = {
        {Method::patch, "/v1/agents/{agent_id}/messages/{message_id}", modify, "agents.messages.modify", "MessageEdit",
         "LettaMessage"},
        {Method::patch, "/v1/groups/{group_id}/messages/{message_id}", modify_in_group, "groups.messages.modify",
         "MessageEdit", "LettaMessage"},
        {Method::delete_, "/v1/agents/{agent_id}/messages/{message_id}", remove, "agents.messages.delete", "",
         "DeletedMessages"},
    };
    return routes;
}

}  // namespace stele::api
