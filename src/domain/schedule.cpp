#include "domain/schedule.hpp"

#include "base/cron.hpp"
#include "domain/json_mapping.hpp"

namespace stele {
namespace {

constexpr double milliseconds_from = 1e11;           // numbers below are seconds: in milliseconds they would be 1973
constexpr double milliseconds_max = 253402300800e3;  // the year 10000
constexpr std::chrono::minutes past_max{1};
constexpr std::chrono::hours late_max{24};

Timestamp time_of(double epoch) {
    const double micros = epoch < milliseconds_from ? epoch * 1e6 : epoch * 1e3;
    return from_micros(static_cast<std::int64_t>(micros));
}

Error bad_expression(const std::string& problem) {
    const std::string text = "body.schedule.cron_expression: " + problem;
    Error error = refused(text);
    error.members.emplace_back("message", text);
    error.members.emplace_back("errorCode", "invalidCronExpression");
    return error;
}

CronExpression expression_of(const SchedulePlan& plan) {
    auto parsed = CronExpression::parse(*plan.cron_expression);
    if (const auto* problem = std::get_if<CronExpression::Problem>(&parsed)) throw bad_expression(problem->text);
    return std::get<CronExpression>(std::move(parsed));
}

}  // namespace

void check(const SchedulePlan& plan, Problems& problems) {
    if (plan.type != "one-time" && plan.type != "recurring")
        return problems.add("type", "must be one of: one-time, recurring", "literal_error", json_string(plan.type));
    if (is_recurring(plan)) {
        if (!plan.cron_expression.has_value()) problems.add("cron_expression", "is required", "missing");
        return;
    }
    if (!plan.scheduled_at.has_value()) return problems.add("scheduled_at", "is required", "missing");
    if (!(*plan.scheduled_at >= 0 && *plan.scheduled_at < milliseconds_max))
        problems.add("scheduled_at", "must be milliseconds (or seconds) since 1970, before the year 10000");
}

void check(const PlannedRequest& request, Problems& problems) {
    if (request.messages.empty()) problems.add("messages", "must not be empty", "too_short");
    for (std::size_t i = 0; i < request.messages.size(); ++i)
        if (is_approval(request.messages[i]))
            problems.add("messages." + std::to_string(i) + ".type", "must be message: nothing else can be planned",
                         "literal_error");
    if (request.max_steps.has_value() && *request.max_steps < 1)
        problems.add("max_steps", "must be at least 1", "greater_than_equal");
    if (request.include_return_message_types.has_value())
        for (const std::string& type : *request.include_return_message_types)
            if (!is_returned_type(type))
                problems.add("include_return_message_types", "holds an unknown message type", "enum",
                             json_string(type));
}

bool is_recurring(const SchedulePlan& plan) { return plan.type == "recurring"; }

Timestamp first_time(const SchedulePlan& plan, Timestamp time, const std::string& timezone) {
    if (is_recurring(plan)) {
        const auto first = next_time(plan, time, timezone);
        if (!first) throw bad_expression("there is no such day");
        return *first;
    }
    const Timestamp at = time_of(*plan.scheduled_at);
    if (at < time - past_max) throw refused("body.schedule.scheduled_at: this time has passed: " + to_iso8601(at));
    return at;
}

std::optional<Timestamp> next_time(const SchedulePlan& plan, Timestamp time, const std::string& timezone) {
    if (!is_recurring(plan)) return std::nullopt;
    return expression_of(plan).next(time, WallClock(timezone));
}

bool is_missed(const SchedulePlan& plan, Timestamp due, Timestamp time) {
    return !is_recurring(plan) && time - due > late_max;
}

MessageRequest message_request(const PlannedRequest& planned) {
    MessageRequest request;
    request.messages = planned.messages;
    for (InputMessage& message : *request.messages) message.otid = Patch<std::string>();
    planned.max_steps.set_into(request.max_steps);
    request.include_return_message_types = planned.include_return_message_types.optional();
    request.callback_url = planned.callback_url.optional();
    request.identity_id = planned.identity_id.optional();
    return request;
}

STELE_JSON(SchedulePlan)
STELE_JSON(PlannedRequest)
STELE_JSON_READ(CreateSchedule)
STELE_JSON_WRITTEN(ScheduleMade)
STELE_JSON_WRITTEN(ScheduledMessage)
STELE_JSON_WRITTEN(ScheduledMessages)
STELE_JSON_WRITTEN(ScheduleFiring)
STELE_JSON_WRITTEN(ScheduleHistory)

}  // namespace stele
