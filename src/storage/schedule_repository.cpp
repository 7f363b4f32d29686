#include "storage/schedule_repository.hpp"

#include "base/json_text.hpp"
#include "storage/trash_organization.hpp"

#include <limits>

namespace stele::storage {
namespace {

constexpr std::chrono::hours kept_for{30 * 24};

// The columns of `to_schedule`.
#define STELE_SCHEDULE_COLUMNS                                                                      \
    "s.id, s.organization_id, s.agent_id, s.conversation_id, s.next_at, s.message, s.plan, s.name," \
    " s.description, s.target_device_id, s.use_sandbox, s.created_by_id, s.created_at"

// The columns of `to_due`.
#define STELE_DUE_COLUMNS "s.id, s.organization_id, s.agent_id, s.plan, s.next_at"

// The columns of `to_pending`.
#define STELE_PENDING_COLUMNS "f.id, f.schedule_id, f.run_id, s.organization_id"

constexpr Statement select_by_id{"schedule.by_id", "SELECT " STELE_SCHEDULE_COLUMNS
                                                   " FROM schedule s WHERE s.organization_id = $1 AND s.agent_id = $2"
                                                   " AND s.id = $3"};
constexpr Statement select_any{"schedule.any", "SELECT " STELE_SCHEDULE_COLUMNS " FROM schedule s WHERE s.id = $1"};
constexpr Statement select_history{"schedule.history",
                                   "SELECT f.id, f.schedule_id, f.status, f.response, f.run_id, f.sent_at"
                                   " FROM schedule_firing f WHERE f.schedule_id = $1 AND f.status <> 'pending'"
                                   " ORDER BY f.sent_at DESC, f.id DESC LIMIT $2 OFFSET $3"};
constexpr Statement insert_row{
    "schedule.insert",
    "INSERT INTO schedule (id, organization_id, agent_id, conversation_id, recurring, next_at, message, plan, name,"
    " description, target_device_id, use_sandbox, created_by_id, created_at)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"};
constexpr Statement delete_row{"schedule.delete", "DELETE FROM schedule WHERE organization_id = $1 AND id = $2"};
constexpr Statement select_recurring{"schedule.recurring_of", "SELECT " STELE_DUE_COLUMNS
                                                              " FROM schedule s WHERE s.agent_id = $1"
                                                              " AND s.recurring = 1 AND s.next_at IS NOT NULL"
                                                              " ORDER BY s.id"};
constexpr Statement update_next{"schedule.retime", "UPDATE schedule SET next_at = $3 WHERE id = $1 AND next_at = $2"};
// Those of deleted agents wait for them to come back.
#define STELE_NOT_IN_TRASH " AND s.organization_id <> '" STELE_TRASH_ORGANIZATION_ID "'"
constexpr Statement select_due{"schedule.due",
                               "SELECT " STELE_DUE_COLUMNS " FROM schedule s WHERE s.next_at <= $1" STELE_NOT_IN_TRASH
                               " ORDER BY s.next_at, s.id"
                               " LIMIT $2"};
constexpr Statement select_next_due{
    "schedule.next_due", "SELECT MIN(s.next_at) FROM schedule s WHERE s.next_at IS NOT NULL" STELE_NOT_IN_TRASH};
constexpr Statement insert_firing{"schedule.fire",
                                  "INSERT INTO schedule_firing (id, schedule_id, status, run_id, sent_at)"
                                  " VALUES ($1, $2, 'pending', $3, $4)"};
constexpr Statement select_pending{"schedule.pending",
                                   "SELECT " STELE_PENDING_COLUMNS
                                   " FROM schedule_firing f"
                                   " JOIN schedule s ON s.id = f.schedule_id"
                                   " WHERE f.status = 'pending'" STELE_NOT_IN_TRASH " ORDER BY f.sent_at, f.id"};
constexpr Statement select_pending_of{"schedule.pending_of", "SELECT " STELE_PENDING_COLUMNS
                                                             " FROM schedule_firing f"
                                                             " JOIN schedule s ON s.id = f.schedule_id"
                                                             " WHERE f.schedule_id = $1 AND f.status = 'pending'"
                                                             " ORDER BY f.sent_at, f.id"};
constexpr Statement update_ended{
    "schedule.finish", "UPDATE schedule_firing SET status = $2, response = $3 WHERE id = $1 AND status = 'pending'"};
constexpr Statement update_succeeded{"schedule.succeeded",
                                     "UPDATE schedule SET failures = 0 WHERE id = $1 AND failures > 0"};
constexpr Statement update_failed{
    "schedule.failed",
    "UPDATE schedule SET failures = failures + 1, next_at = CASE WHEN failures + 1 >= $2 THEN NULL ELSE next_at END"
    " WHERE id = $1"};
constexpr Statement delete_old_firings{"schedule.forget_old_firings",
                                       "DELETE FROM schedule_firing WHERE sent_at < $1 AND status <> 'pending'"};
constexpr Statement delete_old{"schedule.forget_old",
                               "DELETE FROM schedule WHERE recurring = 0 AND next_at IS NULL AND NOT EXISTS"
                               " (SELECT 1 FROM schedule_firing f WHERE f.schedule_id = schedule.id)"};
// A step count of 0: no step of the run was committed, and the message is stored with the first.
constexpr Statement delete_unsent{"schedule.forget_unsent",
                                  "DELETE FROM run WHERE status IN ('created', 'running') AND step_count = 0 AND id IN"
                                  " (SELECT run_id FROM schedule_firing WHERE status = 'pending')"};

std::optional<std::int64_t> micros(const std::optional<Timestamp>& time) {
    return time ? std::optional(to_micros(*time)) : std::nullopt;
}

ScheduledMessage to_schedule(Row& row) {
    ScheduledMessage made;
    made.id = row.take_text(0);
    made.organization_id = row.take_text(1);
    made.agent_id = row.take_text(2);
    made.conversation_id = row.optional_text(3);
    if (const auto at = row.optional_integer(4)) made.next_scheduled_time = from_micros(*at);
    made.message = decode_stored<PlannedRequest>(row.text(5));
    made.schedule = decode_stored<SchedulePlan>(row.text(6));
    made.name = row.optional_text(7);
    made.description = row.optional_text(8);
    made.target_device_id = row.optional_text(9);
    made.use_sandbox = row.flag(10);
    made.created_by_id = row.take_text(11);
    made.created_at = from_micros(row.integer(12));
    return made;
}

std::vector<ScheduledMessage> to_schedules(Rows rows) {
    std::vector<ScheduledMessage> found;
    for (Row& row : rows) found.push_back(to_schedule(row));
    return found;
}

std::vector<DueSchedule> to_due(Rows rows) {
    std::vector<DueSchedule> found;
    for (Row& row : rows) {
        DueSchedule& due = found.emplace_back();
        due.id = row.take_text(0);
        due.organization_id = row.take_text(1);
        due.agent_id = row.take_text(2);
        due.plan = decode_stored<SchedulePlan>(row.text(3));
        due.due = from_micros(row.integer(4));
    }
    return found;
}

std::vector<PendingFiring> to_pending(Rows rows) {
    std::vector<PendingFiring> found;
    for (Row& row : rows) {
        PendingFiring& firing = found.emplace_back();
        firing.id = row.take_text(0);
        firing.schedule_id = row.take_text(1);
        firing.run_id = row.take_text(2);
        firing.organization_id = row.take_text(3);
    }
    return found;
}

ScheduleFiring to_firing(Row& row) {
    ScheduleFiring firing;
    firing.id = row.take_text(0);
    firing.scheduled_message_id = row.take_text(1);
    firing.status = row.take_text(2);
    if (!row.is_null(3)) firing.response.text = row.take_text(3);
    firing.run_id = row.take_text(4);
    firing.sent_at = from_micros(row.integer(5));
    return firing;
}

Select select_schedules(const std::string& organization_id, const std::string& agent_id) {
    Select select("SELECT " STELE_SCHEDULE_COLUMNS " FROM schedule s WHERE s.organization_id = ?",
                  to_value(organization_id));
    select.where("s.agent_id = ?", agent_id);
    select.where("(s.next_at IS NOT NULL OR s.recurring = 1)");
    return select;
}

}  // namespace

boost::asio::awaitable<std::optional<ScheduledMessage>> ScheduleRepository::find(std::string organization_id,
                                                                                 std::string agent_id,
                                                                                 std::string id) const {
    Rows rows = co_await database_.query(select_by_id, std::move(organization_id), std::move(agent_id), std::move(id));
    if (rows.empty()) co_return std::nullopt;
    co_return to_schedule(rows.front());
}

boost::asio::awaitable<std::optional<ScheduledMessage>> ScheduleRepository::find_any(std::string id) const {
    Rows rows = co_await database_.query(select_any, std::move(id));
    if (rows.empty()) co_return std::nullopt;
    co_return to_schedule(rows.front());
}

boost::asio::awaitable<std::vector<ScheduledMessage>> ScheduleRepository::list(std::string organization_id,
                                                                               std::string agent_id, Page page) const {
    Select select = select_schedules(organization_id, agent_id);
    PageOrder order{"schedule s", "sched", "s.next_at", "s.id"};
    order.nullable_key = true;
    Rows rows = co_await read_page(database_, std::move(select), std::move(page), order, organization_id);
    co_return to_schedules(std::move(rows));
}

boost::asio::awaitable<std::vector<ScheduleFiring>> ScheduleRepository::history(std::string schedule_id,
                                                                                std::int64_t limit,
                                                                                std::int64_t offset) const {
    Rows rows = co_await database_.query(select_history, std::move(schedule_id), limit, offset);
    std::vector<ScheduleFiring> found;
    for (Row& row : rows) found.push_back(to_firing(row));
    co_return found;
}

void ScheduleRepository::insert(Transaction& transaction, const ScheduledMessage& made) const {
    transaction.add(insert_row, made.id, made.organization_id, made.agent_id, made.conversation_id,
                    std::int64_t{is_recurring(made.schedule)}, micros(made.next_scheduled_time), to_json(made.message),
                    to_json(made.schedule), made.name, made.description, made.target_device_id,
                    std::int64_t{made.use_sandbox}, made.created_by_id, to_micros(made.created_at));
}

void ScheduleRepository::remove(Transaction& transaction, const ScheduledMessage& gone) const {
    SortKeys keys;
    keys.created = micros(gone.next_scheduled_time).value_or(std::numeric_limits<std::int64_t>::max());
    add_tombstone(transaction, gone.organization_id, gone.id, keys);
    transaction.add(delete_row, gone.organization_id, gone.id).expect_row(not_found("Scheduled message", gone.id));
}

boost::asio::awaitable<std::vector<DueSchedule>> ScheduleRepository::recurring_of(std::string agent_id) const {
    Rows rows = co_await database_.query(select_recurring, std::move(agent_id));
    co_return to_due(std::move(rows));
}

void ScheduleRepository::retime(Transaction& transaction, const DueSchedule& schedule,
                                std::optional<Timestamp> next) const {
    transaction.add(update_next, schedule.id, to_micros(schedule.due), micros(next));
}

boost::asio::awaitable<std::vector<DueSchedule>> ScheduleRepository::due(Timestamp time, std::int64_t limit) const {
    Rows rows = co_await database_.query(select_due, to_micros(time), limit);
    co_return to_due(std::move(rows));
}

boost::asio::awaitable<std::optional<Timestamp>> ScheduleRepository::next_due() const {
    const Rows rows = co_await database_.query(select_next_due);
    if (rows.empty() || rows.front().is_null(0)) co_return std::nullopt;
    co_return from_micros(rows.front().integer(0));
}

void ScheduleRepository::claim(Transaction& transaction, const DueSchedule& schedule, std::optional<Timestamp> next,
                               const PendingFiring& firing) const {
    transaction.add(update_next, schedule.id, to_micros(schedule.due), micros(next))
        .expect_row(changed_meanwhile("Scheduled message", schedule.id));
    transaction.add(insert_firing, firing.id, firing.schedule_id, firing.run_id, to_micros(now()));
}

boost::asio::awaitable<std::vector<PendingFiring>> ScheduleRepository::pending() const {
    Rows rows = co_await database_.query(select_pending);
    co_return to_pending(std::move(rows));
}

boost::asio::awaitable<std::vector<PendingFiring>> ScheduleRepository::pending_of(std::string schedule_id) const {
    Rows rows = co_await database_.query(select_pending_of, std::move(schedule_id));
    co_return to_pending(std::move(rows));
}

void ScheduleRepository::finish(Transaction& transaction, const PendingFiring& firing,
                                const std::optional<std::string>& failure) const {
    const std::optional<std::string> response =
        failure ? std::optional("{\"error\":" + json_string(*failure) + "}") : std::nullopt;
    transaction.add(update_ended, firing.id, failure ? "failed" : "success", response)
        .expect_row(changed_meanwhile("Firing", firing.id));
    if (failure)
        transaction.add(update_failed, firing.schedule_id, failures_max);
    else
        transaction.add(update_succeeded, firing.schedule_id);
}

void ScheduleRepository::forget_old(Transaction& transaction) const {
    transaction.add(delete_old_firings, to_micros(now() - kept_for));
    transaction.add(delete_old);
}

void ScheduleRepository::forget_unsent(Transaction& transaction) const { transaction.add(delete_unsent); }

std::vector<Statement> ScheduleRepository::statements() {
    return {select_by_id,
            select_any,
            select_history,
            insert_row,
            delete_row,
            select_recurring,
            update_next,
            select_due,
            select_next_due,
            insert_firing,
            select_pending,
            select_pending_of,
            update_ended,
            update_succeeded,
            update_failed,
            delete_old_firings,
            delete_old,
            delete_unsent,
            select_schedules("o", "a").query().statement};
}

}  // namespace stele::storage
