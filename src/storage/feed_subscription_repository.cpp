#include "storage/feed_subscription_repository.hpp"

#include "domain/hosted_error.hpp"

namespace stele::storage {
namespace {

using boost::asio::awaitable;

constexpr std::chrono::hours kept_for{30 * 24};

// The columns of `to_subscription`.
#define STELE_SUBSCRIPTION_COLUMNS                                                                        \
    "s.id, s.organization_id, s.feed_id, s.agent_id, a.name, s.cron_schedule, s.merge_strategy,"          \
    " s.prompt_template, s.next_at, s.last_sequence, s.last_consumed_at, s.disabled_at, s.created_by_id," \
    " s.created_at, s.updated_at FROM feed_subscription s JOIN agent a ON a.id = s.agent_id"

// The columns of `to_delivery`.
#define STELE_DELIVERY_COLUMNS \
    "d.id, d.subscription_id, d.type, d.run_id, d.done_sequence, d.piece_end, d.to_sequence FROM feed_delivery d"

constexpr Statement select_one{"feed_subscription.by_id",
                               "SELECT " STELE_SUBSCRIPTION_COLUMNS
                               " WHERE s.organization_id = $1 AND s.feed_id = $2 AND s.id = $3"};
constexpr Statement select_any{"feed_subscription.any", "SELECT " STELE_SUBSCRIPTION_COLUMNS " WHERE s.id = $1"};
constexpr Statement insert_row{
    "feed_subscription.insert",
    "INSERT INTO feed_subscription (id, organization_id, feed_id, agent_id, cron_schedule, merge_strategy,"
    " prompt_template, next_at, last_sequence, created_by_id, created_at, updated_at)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"};
constexpr Statement update_row{
    "feed_subscription.update",
    "UPDATE feed_subscription SET cron_schedule = $2, merge_strategy = $3, prompt_template = $4, next_at = $5,"
    " disabled_at = $6, updated_at = $7 WHERE id = $1"};
constexpr Statement delete_row{"feed_subscription.delete", "DELETE FROM feed_subscription WHERE id = $1"};
// Those of agents in the trash wait for them to come back.
#define STELE_AGENT_IS_THERE \
    " AND EXISTS (SELECT 1 FROM agent q WHERE q.id = s.agent_id AND q.organization_id = s.organization_id)"
constexpr Statement select_due{"feed_subscription.due",
                               "SELECT " STELE_SUBSCRIPTION_COLUMNS " WHERE s.next_at <= $1" STELE_AGENT_IS_THERE
                               " ORDER BY s.next_at, s.id LIMIT $2"};
constexpr Statement select_next_due{
    "feed_subscription.next_due",
    "SELECT MIN(s.next_at) FROM feed_subscription s WHERE s.next_at IS NOT NULL" STELE_AGENT_IS_THERE};
constexpr Statement update_next{"feed_subscription.move_on",
                                "UPDATE feed_subscription SET next_at = $3 WHERE id = $1 AND next_at = $2"};
constexpr Statement insert_delivery{
    "feed_delivery.begin",
    "INSERT INTO feed_delivery (id, subscription_id, type, status, run_id, done_sequence, piece_end, to_sequence,"
    " started_at) SELECT CAST($1 AS TEXT), s.id, CAST($3 AS TEXT), 'running', CAST($4 AS TEXT), CAST($5 AS BIGINT),"
    " CAST($6 AS BIGINT), CAST($7 AS BIGINT), CAST($8 AS BIGINT) FROM feed_subscription s"
    " WHERE s.id = $2 AND ($3 = 'backfill' OR s.last_sequence = $5)"};
constexpr Statement select_running{"feed_delivery.running",
                                   "SELECT " STELE_DELIVERY_COLUMNS " WHERE d.id = $1 AND d.status = 'running'"};
constexpr Statement select_all_running{"feed_delivery.all_running",
                                       "SELECT " STELE_DELIVERY_COLUMNS
                                       " WHERE d.status = 'running' ORDER BY d.started_at, d.id"};
constexpr Statement select_busy{"feed_delivery.busy",
                                "SELECT 1 FROM feed_delivery d WHERE d.subscription_id = $1"
                                " AND d.status = 'running' AND d.type <> 'backfill'"};
constexpr Statement update_delivery{"feed_delivery.advance",
                                    "UPDATE feed_delivery SET run_id = $3, done_sequence = $4, piece_end = $5"
                                    " WHERE id = $1 AND run_id = $2 AND status = 'running'"};
constexpr Statement update_consumed{
    "feed_subscription.consumed",
    "UPDATE feed_subscription SET last_sequence = $2, last_consumed_at = $3 WHERE id = $1 AND last_sequence < $2"};
constexpr Statement update_ended{"feed_delivery.finish",
                                 "UPDATE feed_delivery SET status = $3, error = $4, completed_at = $5"
                                 " WHERE id = $1 AND run_id = $2 AND status = 'running'"};
constexpr Statement select_started{"feed_delivery.started",
                                   "SELECT started_at FROM feed_delivery WHERE subscription_id = $1 AND id = $2"};
constexpr Statement delete_old{"feed_delivery.forget_old",
                               "DELETE FROM feed_delivery WHERE started_at < $1 AND status <> 'running'"};
// A step count of 0: no step of the run was committed, and the texts are stored with the first.
constexpr Statement delete_unsent{"feed_delivery.forget_unsent",
                                  "DELETE FROM run WHERE status IN ('created', 'running') AND step_count = 0 AND id IN"
                                  " (SELECT run_id FROM feed_delivery WHERE status = 'running')"};

std::optional<std::int64_t> micros(const std::optional<Timestamp>& time) {
    return time ? std::optional(to_micros(*time)) : std::nullopt;
}

std::optional<Timestamp> time_at(const Row& row, std::size_t column) {
    const auto at = row.optional_integer(column);
    return at ? std::optional(from_micros(*at)) : std::nullopt;
}

FeedSubscription to_subscription(Row& row) {
    FeedSubscription found;
    found.id = row.take_text(0);
    found.organization_id = row.take_text(1);
    found.feed_id = row.take_text(2);
    found.agent_id = row.take_text(3);
    found.agent_name = row.optional_text(4);
    found.cron_schedule = row.take_text(5);
    found.merge_strategy = row.take_text(6);
    found.prompt_template = row.optional_text(7);
    found.next_scheduled_at = time_at(row, 8);
    found.last_consumed_sequence = row.integer(9);
    found.last_consumed_at = time_at(row, 10);
    found.disabled_at = time_at(row, 11);
    found.created_by_id = row.take_text(12);
    found.created_at = from_micros(row.integer(13));
    found.updated_at = from_micros(row.integer(14));
    return found;
}

std::vector<FeedSubscription> to_subscriptions(Rows rows) {
    std::vector<FeedSubscription> found;
    for (Row& row : rows) found.push_back(to_subscription(row));
    return found;
}

FeedDelivery to_delivery(Row& row) {
    FeedDelivery found;
    found.id = row.take_text(0);
    found.subscription_id = row.take_text(1);
    found.type = row.take_text(2);
    found.run_id = row.take_text(3);
    found.done_sequence = row.integer(4);
    found.piece_end = row.integer(5);
    found.to_sequence = row.integer(6);
    return found;
}

Select select_list(const std::string& organization_id, const std::string& feed_id,
                   const std::optional<std::string>& agent_id) {
    Select select("SELECT " STELE_SUBSCRIPTION_COLUMNS " WHERE s.organization_id = ?", to_value(organization_id));
    select.where("s.feed_id = ?", feed_id);
    if (agent_id) select.where("s.agent_id = ?", agent_id);
    return select;
}

constexpr char list_end[] = " ORDER BY s.created_at DESC, s.id DESC LIMIT ? OFFSET ?";

Select select_history(const std::string& subscription_id) {
    return Select(
        "SELECT d.id, d.type, d.status, d.started_at, d.completed_at FROM feed_delivery d"
        " WHERE d.subscription_id = ?",
        to_value(subscription_id));
}

constexpr char history_end[] = " ORDER BY d.started_at DESC, d.id DESC LIMIT ?";

Error gone_meanwhile(const std::string& id) { return changed_meanwhile("Delivery", id); }

}  // namespace

awaitable<std::optional<FeedSubscription>> FeedSubscriptionRepository::find(std::string organization_id,
                                                                            std::string feed_id, std::string id) const {
    Rows rows = co_await database_.query(select_one, std::move(organization_id), std::move(feed_id), std::move(id));
    if (rows.empty()) co_return std::nullopt;
    co_return to_subscription(rows.front());
}

awaitable<std::optional<FeedSubscription>> FeedSubscriptionRepository::find_any(std::string id) const {
    Rows rows = co_await database_.query(select_any, std::move(id));
    if (rows.empty()) co_return std::nullopt;
    co_return to_subscription(rows.front());
}

awaitable<std::vector<FeedSubscription>> FeedSubscriptionRepository::list(std::string organization_id,
                                                                          std::string feed_id,
                                                                          std::optional<std::string> agent_id,
                                                                          std::int64_t limit,
                                                                          std::int64_t offset) const {
    Select select = select_list(organization_id, feed_id, agent_id);
    select.finish(list_end, limit, offset);
    Query query = select.query();
    Rows rows = co_await database_.query_packed(std::move(query));
    co_return to_subscriptions(std::move(rows));
}

void FeedSubscriptionRepository::insert(Transaction& transaction, const FeedSubscription& made, Error if_taken) const {
    transaction
        .add(insert_row, made.id, made.organization_id, made.feed_id, made.agent_id, made.cron_schedule,
             made.merge_strategy, made.prompt_template, micros(made.next_scheduled_at), made.last_consumed_sequence,
             made.created_by_id, to_micros(made.created_at), to_micros(made.updated_at))
        .expect_free(std::move(if_taken));
}

void FeedSubscriptionRepository::update(Transaction& transaction, const FeedSubscription& changed) const {
    transaction
        .add(update_row, changed.id, changed.cron_schedule, changed.merge_strategy, changed.prompt_template,
             micros(changed.next_scheduled_at), micros(changed.disabled_at), to_micros(changed.updated_at))
        .expect_row(
            hosted_error(ErrorCode::not_found, "Subscription not found: " + changed.id, "subscriptionNotFound"));
}

void FeedSubscriptionRepository::remove(Transaction& transaction, const FeedSubscription& gone) const {
    transaction.add(delete_row, gone.id)
        .expect_row(hosted_error(ErrorCode::not_found, "Subscription not found: " + gone.id, "subscriptionNotFound"));
}

awaitable<std::vector<FeedSubscription>> FeedSubscriptionRepository::due(Timestamp time, std::int64_t limit) const {
    Rows rows = co_await database_.query(select_due, to_micros(time), limit);
    co_return to_subscriptions(std::move(rows));
}

awaitable<std::optional<Timestamp>> FeedSubscriptionRepository::next_due() const {
    const Rows rows = co_await database_.query(select_next_due);
    if (rows.empty() || rows.front().is_null(0)) co_return std::nullopt;
    co_return from_micros(rows.front().integer(0));
}

void FeedSubscriptionRepository::move_on(Transaction& transaction, const FeedSubscription& due, Timestamp next) const {
    transaction.add(update_next, due.id, micros(due.next_scheduled_at), to_micros(next))
        .expect_row(changed_meanwhile("Subscription", due.id));
}

void FeedSubscriptionRepository::begin(Transaction& transaction, const FeedDelivery& delivery) const {
    auto added = transaction.add(insert_delivery, delivery.id, delivery.subscription_id, delivery.type, delivery.run_id,
                                 delivery.done_sequence, delivery.piece_end, delivery.to_sequence, to_micros(now()));
    added.expect_row(changed_meanwhile("Subscription", delivery.subscription_id));
    added.expect_free(hosted_error(ErrorCode::conflict, "The subscription is being delivered now", "deliveryRunning"));
}

awaitable<std::optional<FeedDelivery>> FeedSubscriptionRepository::running(std::string id) const {
    Rows rows = co_await database_.query(select_running, std::move(id));
    if (rows.empty()) co_return std::nullopt;
    co_return to_delivery(rows.front());
}

awaitable<std::vector<FeedDelivery>> FeedSubscriptionRepository::all_running() const {
    Rows rows = co_await database_.query(select_all_running);
    std::vector<FeedDelivery> found;
    for (Row& row : rows) found.push_back(to_delivery(row));
    co_return found;
}

awaitable<bool> FeedSubscriptionRepository::is_busy(std::string subscription_id) const {
    const Rows rows = co_await database_.query(select_busy, std::move(subscription_id));
    co_return !rows.empty();
}

void FeedSubscriptionRepository::advance(Transaction& transaction, const FeedDelivery& before,
                                         const FeedDelivery& next) const {
    transaction.add(update_delivery, before.id, before.run_id, next.run_id, next.done_sequence, next.piece_end)
        .expect_row(gone_meanwhile(before.id));
    if (before.type != "backfill")
        transaction.add(update_consumed, before.subscription_id, next.done_sequence, to_micros(now()));
}

void FeedSubscriptionRepository::finish(Transaction& transaction, const FeedDelivery& delivery,
                                        const std::string& status, const std::string& error) const {
    transaction
        .add(update_ended, delivery.id, delivery.run_id, status, error.empty() ? std::nullopt : std::optional(error),
             to_micros(now()))
        .expect_row(gone_meanwhile(delivery.id));
}

awaitable<std::vector<FeedDeliveryInfo>> FeedSubscriptionRepository::history(std::string subscription_id,
                                                                             std::optional<std::string> after,
                                                                             std::int64_t limit) const {
    Select select = select_history(subscription_id);
    if (after) {
        const Rows place = co_await database_.query(select_started, subscription_id, *after);
        if (place.empty())
            throw hosted_error(ErrorCode::invalid_argument, "next_page_token: is none that this list gave");
        select.where("(d.started_at, d.id) < (?, ?)", place.front().integer(0), *after);
    }
    select.finish(history_end, limit);
    Query query = select.query();
    Rows rows = co_await database_.query_packed(std::move(query));
    std::vector<FeedDeliveryInfo> found;
    for (Row& row : rows) {
        FeedDeliveryInfo& each = found.emplace_back();
        each.workflow_id = row.take_text(0);
        each.type = row.take_text(1);
        each.status = row.take_text(2);
        each.started_at = from_micros(row.integer(3));
        each.completed_at = time_at(row, 4);
    }
    co_return found;
}

void FeedSubscriptionRepository::forget_old(Transaction& transaction) const {
    transaction.add(delete_old, to_micros(now() - kept_for));
}

void FeedSubscriptionRepository::forget_unsent(Transaction& transaction) { transaction.add(delete_unsent); }

std::vector<Statement> FeedSubscriptionRepository::statements() {
    Select list = select_list("o", "f", "a");
    list.finish(list_end, 1, 0);
    Select history = select_history("s");
    history.where("(d.started_at, d.id) < (?, ?)", 1, "d");
    history.finish(history_end, 1);
    return {select_one,
            select_any,
            insert_row,
            update_row,
            delete_row,
            select_due,
            select_next_due,
            update_next,
            insert_delivery,
            select_running,
            select_all_running,
            select_busy,
            update_delivery,
            update_consumed,
            update_ended,
            select_started,
            delete_old,
            delete_unsent,
            list.query().statement,
            history.query().statement};
}

}  // namespace stele::storage
