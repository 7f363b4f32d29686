#include "api/conversation_place.hpp"
#include "api/terminal_services.hpp"
#include "domain/reflection.hpp"
#include "runtime/agent_service.hpp"
#include "runtime/group_service.hpp"
#include "storage/agent_repository.hpp"
#include "storage/database.hpp"
#include "storage/group_repository.hpp"
#include "storage/message_repository.hpp"
#include "storage/reflection_repository.hpp"

#include <algorithm>

// The terminal client's words for what sleeptime is: a partner that goes over what was said every so many turns.
namespace stele::api {
namespace {

/// An agent and the group by which it is looked after, if there is one.
struct Reflecting {
    Agent agent;
    std::optional<Group> group;
};

awaitable<Reflecting> reflecting(Services& services, const Request& request, std::string agent_id) {
    auto agent = co_await services.agents.find(request.organization_id, agent_id);
    if (!agent) throw not_found("Agent", agent_id);
    std::vector<Group> groups = co_await services.groups.managed_by(agent_id);
    Reflecting found;
    found.agent = std::move(*agent);
    const auto group = std::find_if(groups.begin(), groups.end(), [](const Group& each) { return works_asleep(each); });
    if (group != groups.end()) found.group = std::move(*group);
    co_return found;
}

ReflectionConfig config_of(const Reflecting& of) {
    ReflectionConfig config;
    config.agent_id = of.agent.id;
    config.enabled = of.agent.enable_sleeptime.value_or(false) && of.group;
    config.min_turn_count = sleeptime_frequency_default;
    config.created_at = of.agent.created_at.value_or(Timestamp{});
    config.updated_at = of.agent.updated_at.value_or(config.created_at);
    if (!of.group) return config;
    config.created_at = of.group->created_at;
    config.updated_at = std::max(config.updated_at, of.group->updated_at);
    const bool voice = of.group->manager_type == ManagerType::voice_sleeptime;
    config.min_turn_count = voice ? of.group->max_message_buffer_length.value_or(voice_buffer_max_default)
                                  : of.group->sleeptime_agent_frequency.value_or(1);
    return config;
}

awaitable<Response> retrieve(Services& services, const Request& request) {
    const Reflecting found = co_await reflecting(services, request, request.path_id("agent_id", "agent"));
    co_return answer(config_of(found));
}

awaitable<void> set_turns(Services& services, const Request& request, Group group, std::int64_t turns) {
    if (group.manager_type != ManagerType::sleeptime)
        throw refused("min_turn_count: the partner of a voice agent reads by the lengths of its buffer; see its group");
    if (group.sleeptime_agent_frequency == turns) co_return;
    ManagerConfig config;
    config.manager_type = ManagerType::sleeptime;
    config.manager_agent_id = group.manager_agent_id.value_or("");
    config.sleeptime_agent_frequency = turns;
    GroupUpdate change;
    change.manager_config = std::move(config);
    co_await services.group_service.update(request.organization_id, request.user_id, group.id, std::move(change));
}

// First the partner, then how often it reads: what is lost in between is asked for once more by the same request.
awaitable<Response> update(Services& services, const Request& request) {
    const std::string agent_id = request.path_id("agent_id", "agent");
    const auto body = decode<ReflectionUpdate>(request.body());
    Reflecting found = co_await reflecting(services, request, agent_id);
    const bool enabled = found.agent.enable_sleeptime.value_or(false);
    if (body.enabled.has_value() && (*body.enabled != enabled || (*body.enabled && !found.group))) {
        UpdateAgent change;
        change.enable_sleeptime = *body.enabled;
        co_await services.agent_service.update(request.organization_id, request.user_id, agent_id, std::move(change));
        found = co_await reflecting(services, request, agent_id);
    }
    if (body.min_turn_count.has_value() && found.group) {
        co_await set_turns(services, request, *found.group, *body.min_turn_count);
        found = co_await reflecting(services, request, agent_id);
    }
    co_return answer(config_of(found));
}

awaitable<Response> mark(Services& services, const Request& request) {
    const std::string agent_id = request.path_id("agent_id", "agent");
    const auto body = decode<ReflectionMarkUpdate>(request.body());
    const bool there = co_await services.agents.exists(request.organization_id, agent_id);
    if (!there) throw not_found("Agent", agent_id);
    const ConversationPlace place = co_await conversation_place(services, request, agent_id);
    if (place.agent_id != agent_id) throw not_found("Conversation", request.path("conversation_id"));
    const auto message = co_await services.messages.find(request.organization_id, body.reflected_through_message_id);
    const bool of_agent = message && message->agent_id == agent_id;
    if (!of_agent) throw not_found("Message", body.reflected_through_message_id);
    if (message->conversation_id != place.conversation_id)
        throw refused("reflected_through_message_id: the message is not one of this conversation's own");
    ReflectionMark made;
    made.agent_id = agent_id;
    made.conversation_id = place.conversation_id.empty() ? "default" : place.conversation_id;
    made.reflected_through_message_id = message->id;
    made.updated_at = now();
    storage::Transaction transaction;
    services.terminal.reflections.mark(transaction, request.organization_id, place.conversation_id, *message,
                                       made.updated_at);
    co_await services.database.commit(std::move(transaction));
    co_return answer(made);
}

}  // namespace

std::span<const Route> reflection_routes() {
    static constexpr Route routes[] = {
        {Method::get, "/v1/agents/{agent_id}/reflection", retrieve, "agents.reflection.retrieve", "",
         "ReflectionConfig"},
        {Method::patch, "/v1/agents/{agent_id}/reflection", update, "agents.reflection.update", "ReflectionUpdate",
         "ReflectionConfig"},
        {Method::patch, "/v1/agents/{agent_id}/conversations/{conversation_id}/reflection", mark,
         "agents.reflection.mark", "ReflectionMarkUpdate", "ReflectionMark"},
    };
    return routes;
}

}  // namespace stele::api
