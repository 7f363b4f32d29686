#include "api/images.hpp"
#include "api/run_answer.hpp"
#include "api/run_callback.hpp"
#include "base/ids.hpp"
#include "domain/answer.hpp"
#include "runtime/runtime.hpp"
#include "runtime/scheduler.hpp"
#include "storage/agent_repository.hpp"
#include "storage/conversation_repository.hpp"
#include "storage/database.hpp"
#include "storage/idempotency_repository.hpp"
#include "storage/run_repository.hpp"
#include "storage/schedule_repository.hpp"

#include <limits>

namespace stele::api {
namespace {

constexpr std::int64_t history_limit = 50, history_limit_max = 1'000;

awaitable<ScheduledMessage> find(Services& services, const Request& request) {
    const std::string agent_id = request.path_id("agent_id", "agent");
    const std::string id = request.path_id("scheduled_message_id", "sched");
    auto found = co_await services.schedules.find(request.organization_id, agent_id, id);
    if (!found) throw not_found("Scheduled message", id);
    co_return std::move(*found);
}

// Where the message is said: nothing for the agent's default conversation, which clients call by several names.
awaitable<std::optional<std::string>> place_of(Services& services, const Request& request, std::string agent_id,
                                               std::optional<std::string> conversation_id) {
    if (!conversation_id || *conversation_id == "default" || *conversation_id == agent_id) co_return std::nullopt;
    if (!is_id(*conversation_id, "conv")) throw invalid_field("body.conversation_id", "must match 'conv-{uuid4}'");
    const auto owner = co_await services.conversations.agent_of(request.organization_id, *conversation_id);
    if (owner != agent_id) throw not_found("Conversation", *conversation_id);
    co_return conversation_id;
}

ScheduledMessage made_from(CreateSchedule body, const Request& request, const Agent& agent) {
    ScheduledMessage made;
    made.id = new_id("sched");
    made.organization_id = request.organization_id;
    made.created_by_id = request.user_id;
    made.agent_id = agent.id;
    made.created_at = now();
    made.next_scheduled_time = first_time(body.schedule, made.created_at, agent.timezone.value_or("UTC"));
    made.schedule = std::move(body.schedule);
    made.name = std::move(body.name);
    made.description = std::move(body.description);
    made.target_device_id = std::move(body.target_device_id);
    made.use_sandbox = body.use_sandbox;
    made.message = std::move(body);
    return made;
}

awaitable<Response> create(Services& services, const Request& request) {
    const std::string agent_id = request.path_id("agent_id", "agent");
    auto body = decode<CreateSchedule>(request.body());
    check_callback_url(body.callback_url.optional());
    input_messages(message_request(body), agent_id);  // refuses what says nothing, now and not when it is due
    const auto agent = co_await services.agents.find(request.organization_id, agent_id);
    if (!agent) throw not_found("Agent", agent_id);
    if (body.identity_id.has_value()) {
        std::string named = *body.identity_id;
        std::string id = co_await services.runtime.identity_of(request.organization_id, agent_id, std::move(named));
        body.identity_id = std::move(id);
    }
    co_await bring_images(services, request, body.messages);
    auto place = co_await place_of(services, request, agent_id, body.conversation_id);
    ScheduledMessage made = made_from(std::move(body), request, *agent);
    made.conversation_id = std::move(place);
    ScheduleMade shown;
    shown.id = made.id;
    shown.next_scheduled_at = made.next_scheduled_time;
    Response response = answer(shown);
    response.status = 201;

    storage::Transaction transaction;
    services.schedules.insert(transaction, made);
    if (request.idempotency_key)
        services.idempotency.keep(transaction, request.organization_id, *request.idempotency_key, response.status,
                                  response.body);
    co_await services.database.commit(std::move(transaction));
    services.scheduler.wake();
    co_return response;
}

awaitable<Response> list(Services& services, const Request& request) {
    const std::string agent_id = request.path_id("agent_id", "agent");
    storage::Page page = page_of(request.query, {.ascending = true, .order_by = {"next_scheduled_time"}});
    const auto limit = static_cast<std::size_t>(page.limit++);
    const bool there = co_await services.agents.exists(request.organization_id, agent_id);
    if (!there) throw not_found("Agent", agent_id);
    ScheduledMessages shown;
    const bool from_end = page.before && !page.after;
    shown.scheduled_messages = co_await services.schedules.list(request.organization_id, agent_id, std::move(page));
    std::vector<ScheduledMessage>& found = shown.scheduled_messages;
    shown.has_next_page = found.size() > limit;
    if (shown.has_next_page) found.erase(from_end ? found.begin() : found.end() - 1);
    co_return answer(shown);
}

awaitable<Response> retrieve(Services& services, const Request& request) {
    const ScheduledMessage found = co_await find(services, request);
    co_return answer(found);
}

// What is due and waits for its agent is withdrawn too; what the agent has begun to work on goes on.
awaitable<Response> remove(Services& services, const Request& request) {
    const ScheduledMessage gone = co_await find(services, request);
    const std::vector<storage::PendingFiring> pending = co_await services.schedules.pending_of(gone.id);
    storage::Transaction transaction;
    services.schedules.remove(transaction, gone);
    co_await services.database.commit(std::move(transaction));
    for (const storage::PendingFiring& firing : pending) {
        const auto log = services.runtime.find(request.organization_id, firing.run_id);
        if (log && log->run().status == RunStatus::created) co_await services.runtime.cancel(firing.run_id);
    }
    co_return answer(Success());
}

// Fills in what the agent answered, and takes out the id of a run that was never begun or is deleted.
awaitable<void> show_run(Services& services, std::string organization_id, ScheduleFiring& firing) {
    const auto run = co_await services.runs.find(organization_id, *firing.run_id);
    if (!run) firing.run_id.reset();
    if (!run || firing.status != "success") co_return;
    firing.response.text = co_await result_of(services, std::move(organization_id), *run);
}

awaitable<Response> history(Services& services, const Request& request) {
    const ScheduledMessage of = co_await find(services, request);
    const std::int64_t limit = request.query.integer("limit").value_or(history_limit);
    const std::int64_t offset = request.query.integer("offset").value_or(0);
    if (limit < 1 || limit > history_limit_max) throw invalid_field("query.limit", "must be within 1 and 1000");
    if (offset < 0 || offset > std::numeric_limits<std::int32_t>::max())
        throw invalid_field("query.offset", "must not be negative, nor beyond every history");
    ScheduleHistory shown;
    shown.history = co_await services.schedules.history(of.id, limit + 1, offset);
    shown.has_next_page = shown.history.size() > static_cast<std::size_t>(limit);
    if (shown.has_next_page) {
        shown.history.pop_back();
        shown.next_offset = offset + limit;
    }
    for (ScheduleFiring& firing : shown.history) co_await show_run(services, request.organization_id, firing);
    co_return answer(shown);
}

}  // namespace

std::span<const Route> schedule_routes() {
    static constexpr Route routes[] = {
        {Method::get, "/v1/agents/{agent_id}/schedule", list, "agents.schedule.list", "", "ScheduledMessages", "",
         Trait::paged},
        {Method::post, "/v1/agents/{agent_id}/schedule", create, "agents.schedule.create", "CreateSchedule",
         "ScheduleMade", "", Trait::created},
        {Method::get, "/v1/agents/{agent_id}/schedule/{scheduled_message_id}", retrieve, "agents.schedule.retrieve", "",
         "ScheduledMessage"},
        {Method::delete_, "/v1/agents/{agent_id}/schedule/{scheduled_message_id}", remove, "agents.schedule.delete", "",
         "Success"},
        {Method::get, "/v1/agents/{agent_id}/schedule/{scheduled_message_id}/history", history,
         "agents.schedule.history", "", "ScheduleHistory", "limit:integer, offset:integer"},
    };
    return routes;
}

}  // namespace stele::api
