#pragma once

#include "domain/message.hpp"

#include <array>

namespace stele {

/// When a planned message is sent.
struct SchedulePlan {
    std::string type = "one-time";       ///< or recurring
    Patch<double> scheduled_at;          ///< one-time: milliseconds since 1970; below 10^11 they are seconds
    Patch<std::string> cron_expression;  ///< recurring: see base/cron.hpp; by the clocks of the agent's timezone
};
BOOST_DESCRIBE_STRUCT(SchedulePlan, (), (type, scheduled_at, cron_expression))
void check(const SchedulePlan& plan, Problems& problems);

/// What is sent.
struct PlannedRequest {
    std::vector<InputMessage> messages;
    Patch<std::int64_t> max_steps;
    Patch<std::string> callback_url;
    Patch<std::vector<std::string>> include_return_message_types;
    Patch<std::string> identity_id;  ///< on whose behalf it is sent
};
BOOST_DESCRIBE_STRUCT(PlannedRequest, (),
                      (messages, max_steps, callback_url, include_return_message_types, identity_id))
void check(const PlannedRequest& request, Problems& problems);

/// Body of POST /v1/agents/{agent_id}/schedule.
struct CreateSchedule : PlannedRequest {
    SchedulePlan schedule;
    std::optional<std::string> name, description;
    std::optional<std::string> conversation_id;  ///< where it is said; nothing: the agent's default conversation
    std::optional<std::string> target_device_id;
    bool use_sandbox = false;
};
BOOST_DESCRIBE_STRUCT(CreateSchedule, (PlannedRequest),
                      (schedule, name, description, conversation_id, target_device_id, use_sandbox))
constexpr std::array<std::string_view, 2> required_members(const CreateSchedule*) { return {"messages", "schedule"}; }

/// Answer of POST /v1/agents/{agent_id}/schedule.
struct ScheduleMade {
    std::string id;
    std::optional<Timestamp> next_scheduled_at;
};
BOOST_DESCRIBE_STRUCT(ScheduleMade, (), (id, next_scheduled_at))

/// A message that is planned to be sent to an agent, once or again and again.
struct ScheduledMessage {
    std::string id;  ///< "sched-<uuid>"
    std::string agent_id;
    PlannedRequest message;
    SchedulePlan schedule;
    std::optional<Timestamp> next_scheduled_time;  ///< nothing: it will not be sent any more
    std::optional<std::string> name, description;
    std::optional<std::string> conversation_id;
    std::optional<std::string> target_device_id;
    bool use_sandbox = false;
    Timestamp created_at{};
    std::string organization_id;  ///< not described, like the next
    std::string created_by_id;
};
BOOST_DESCRIBE_STRUCT(ScheduledMessage, (),
                      (id, agent_id, message, schedule, next_scheduled_time, name, description, conversation_id,
                       target_device_id, use_sandbox, created_at))

struct ScheduledMessages {
    std::vector<ScheduledMessage> scheduled_messages;
    bool has_next_page = false;
};
BOOST_DESCRIBE_STRUCT(ScheduledMessages, (), (scheduled_messages, has_next_page))

/// A planned message that was sent, and what came of it.
struct ScheduleFiring {
    std::string id;  ///< "firing-<uuid>"
    std::string scheduled_message_id;
    std::string status;  ///< success or failed
    Json response;       ///< what the agent answered; of one that failed {"error": why}
    std::optional<std::string> run_id;
    Timestamp sent_at{};
};
BOOST_DESCRIBE_STRUCT(ScheduleFiring, (), (id, scheduled_message_id, status, response, run_id, sent_at))

/// Answer of GET /v1/agents/{agent_id}/schedule/{scheduled_message_id}/history.
struct ScheduleHistory {
    std::vector<ScheduleFiring> history;
    bool has_next_page = false;
    std::optional<std::int64_t> next_offset;
};
BOOST_DESCRIBE_STRUCT(ScheduleHistory, (), (history, has_next_page, next_offset))

bool is_recurring(const SchedulePlan& plan);

/// When a plan that is made at `time` comes up first. Throws Error{invalid_argument} for a cron expression that is none
/// or that never comes, and for a time that lies more than a minute back.
Timestamp first_time(const SchedulePlan& plan, Timestamp time, const std::string& timezone);

/// When it comes up next behind `time`; nothing for a one-time plan.
std::optional<Timestamp> next_time(const SchedulePlan& plan, Timestamp time, const std::string& timezone);

/// True if a plan that was due at `due` is not to be sent any more: a one-time message is, for a day. What recurs is
/// sent once for all the times that were missed.
bool is_missed(const SchedulePlan& plan, Timestamp due, Timestamp time);

/// The request as the agent gets it. Each sending is one of its own, so the messages' otids are left out.
MessageRequest message_request(const PlannedRequest& planned);

}  // namespace stele
