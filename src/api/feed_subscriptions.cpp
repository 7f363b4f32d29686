#include "api/feed_common.hpp"
#include "api/offset_page.hpp"
#include "base/ids.hpp"
#include "domain/answer.hpp"
#include "domain/hosted_error.hpp"
#include "domain/project.hpp"
#include "runtime/feed_runner.hpp"
#include "storage/agent_repository.hpp"
#include "storage/database.hpp"
#include "storage/feed_repository.hpp"
#include "storage/feed_subscription_repository.hpp"
#include "storage/idempotency_repository.hpp"

#include <charconv>

namespace stele::api {

Error already_subscribed(const std::string& agent_id) {
    return hosted_error(ErrorCode::invalid_argument, "The agent is subscribed already: " + agent_id,
                        "agentAlreadySubscribed");
}

awaitable<FeedSubscription> new_subscription(Services& services, const Request& request, Feed feed,
                                             FeedSubscribe wanted) {
    const auto agent = co_await services.agents.find(request.organization_id, wanted.agent_id);
    if (!agent) throw hosted_error(ErrorCode::not_found, "Agent not found: " + wanted.agent_id, "agentNotFound");
    if (project_of(agent->project_id) != feed.project_id)
        throw hosted_error(ErrorCode::invalid_argument, "The agent belongs to another project: " + wanted.agent_id,
                           "agentNotInProject");
    FeedSubscription made;
    made.id = new_id("feed_subscription");
    made.organization_id = request.organization_id;
    made.feed_id = feed.id;
    made.agent_id = agent->id;
    made.agent_name = agent->name;
    made.created_at = made.updated_at = now();
    made.created_by_id = request.user_id;
    made.next_scheduled_at = next_cron_time(wanted.cron_schedule, made.created_at, agent->timezone.value_or("UTC"));
    made.cron_schedule = std::move(wanted.cron_schedule);
    made.merge_strategy = wanted.merge_strategy.value_or(made.merge_strategy);
    made.prompt_template = wanted.prompt_template.optional();
    co_return made;
}

namespace {

constexpr int trigger_attempts_max = 8;

awaitable<FeedSubscription> find(Services& services, const Request& request, std::string feed_id) {
    const std::string id = request.path_id("subscription_id", "feed_subscription");
    auto found = co_await services.feed_subscriptions.find(request.organization_id, std::move(feed_id), id);
    if (!found) throw hosted_error(ErrorCode::not_found, "Subscription not found: " + id, "subscriptionNotFound");
    co_return std::move(*found);
}

awaitable<FeedSubscription> find(Services& services, const Request& request) {
    request.path_id("subscription_id", "feed_subscription");
    const Feed feed = co_await feed_of(services, request);
    co_return co_await find(services, request, feed.id);
}

awaitable<Response> subscribe(Services& services, const Request& request) {
    request.path_id("feed_id", "feed");
    auto body = decode<FeedSubscribe>(request.body());
    Feed feed = co_await feed_of(services, request);
    const FeedSubscription made = co_await new_subscription(services, request, std::move(feed), std::move(body));
    Response response = answer(made);
    response.status = 201;
    storage::Transaction transaction;
    services.feed_subscriptions.insert(transaction, made, already_subscribed(made.agent_id));
    if (request.idempotency_key)
        services.idempotency.keep(transaction, request.organization_id, *request.idempotency_key, response.status,
                                  response.body);
    co_await services.database.commit(std::move(transaction));
    services.feed_runner.wake();
    co_return response;
}

awaitable<void> take_away(Services& services, FeedSubscription gone) {
    storage::Transaction transaction;
    services.feed_subscriptions.remove(transaction, gone);
    co_await services.database.commit(std::move(transaction));
}

awaitable<Response> unsubscribe(Services& services, const Request& request) {
    request.path_id("feed_id", "feed");
    const auto body = decode<FeedUnsubscribe>(request.body());
    const Feed feed = co_await feed_of(services, request);
    const std::optional<std::string> agent_id = body.agent_id;
    std::vector<FeedSubscription> found =
        co_await services.feed_subscriptions.list(request.organization_id, feed.id, agent_id, 1, 0);
    if (found.empty())
        throw hosted_error(ErrorCode::not_found, "Subscription not found of " + body.agent_id, "subscriptionNotFound");
    co_await take_away(services, std::move(found.front()));
    co_return answer(Success());
}

awaitable<Response> list(Services& services, const Request& request) {
    const OffsetPage page = offset_page(request.query);
    const Feed feed = co_await feed_of(services, request);
    FeedSubscriptionList shown;
    const std::optional<std::string> agent_id = request.query.text("agent_id");
    shown.subscriptions = co_await services.feed_subscriptions.list(request.organization_id, feed.id, agent_id,
                                                                    page.limit + 1, page.offset);
    shown.has_next_page = cut_to(shown.subscriptions, page.limit);
    co_return answer(shown);
}

// A plan by the clocks of its agent.
awaitable<void> retime(Services& services, FeedSubscription& subscription) {
    const auto agent = co_await services.agents.find(subscription.organization_id, subscription.agent_id);
    const std::string timezone = agent ? agent->timezone.value_or("UTC") : "UTC";
    const Timestamp next = next_cron_time(subscription.cron_schedule, now(), timezone);
    if (!subscription.disabled_at) subscription.next_scheduled_at = next;
}

awaitable<Response> update(Services& services, const Request& request) {
    request.path_id("subscription_id", "feed_subscription");
    request.path_id("feed_id", "feed");
    auto body = decode_optional<FeedSubscriptionUpdate>(request);
    FeedSubscription subscription = co_await find(services, request);
    body.prompt_template.set_into(subscription.prompt_template);
    body.merge_strategy.set_into(subscription.merge_strategy);
    const bool replanned = body.cron_schedule.set_into(subscription.cron_schedule);
    const bool was_disabled = subscription.disabled_at.has_value();
    if (body.disabled.has_value() && *body.disabled != was_disabled) {
        subscription.disabled_at = *body.disabled ? std::optional(now()) : std::nullopt;
        subscription.next_scheduled_at.reset();
    }
    if (replanned || was_disabled != subscription.disabled_at.has_value()) co_await retime(services, subscription);
    subscription.updated_at = now();
    storage::Transaction transaction;
    services.feed_subscriptions.update(transaction, subscription);
    co_await services.database.commit(std::move(transaction));
    services.feed_runner.wake();
    co_return answer(subscription);
}

awaitable<Response> update_all(Services& services, const Request& request) {
    request.path_id("feed_id", "feed");
    const auto body = decode<FeedCron>(request.body());
    const Feed feed = co_await feed_of(services, request);
    const Timestamp checked = next_cron_time(body.cron_schedule, now(), "UTC");
    static_cast<void>(checked);
    constexpr std::int64_t all = 1'000'000;
    const std::optional<std::string> any_agent;
    std::vector<FeedSubscription> subscriptions =
        co_await services.feed_subscriptions.list(request.organization_id, feed.id, any_agent, all, 0);
    storage::Transaction transaction;
    for (FeedSubscription& subscription : subscriptions) {
        subscription.cron_schedule = body.cron_schedule;
        co_await retime(services, subscription);
        subscription.updated_at = now();
        services.feed_subscriptions.update(transaction, subscription);
    }
    if (!transaction.empty()) co_await services.database.commit(std::move(transaction));
    services.feed_runner.wake();
    FeedUpdated shown;
    shown.updated_count = static_cast<std::int64_t>(subscriptions.size());
    co_return answer(shown);
}

awaitable<Response> remove(Services& services, const Request& request) {
    FeedSubscription gone = co_await find(services, request);
    co_await take_away(services, std::move(gone));
    co_return answer(Success());
}

// Hands over what is new; the answer does not wait for what the agent makes of it.
awaitable<Response> trigger_once(Services& services, const Request& request) {
    FeedSubscription subscription = co_await find(services, request);
    const std::int64_t after = subscription.last_consumed_sequence;
    const auto range = co_await services.feeds.range(subscription.feed_id, after, runtime::newest_sequence);
    FeedTriggered shown;
    storage::Transaction transaction;
    std::string type = "manual";
    const auto delivery =
        co_await services.feed_runner.plan(transaction, std::move(subscription), std::move(type), after, range.last);
    if (!delivery) co_return answer(shown);
    shown.messages_sent = range.count;
    Response response = answer(shown);
    if (request.idempotency_key)
        services.idempotency.keep(transaction, request.organization_id, *request.idempotency_key, response.status,
                                  response.body);
    co_await services.database.commit(std::move(transaction));
    services.feed_runner.begin(delivery->id);
    co_return response;
}

// A delivery may end between reading and writing: what is new is less then.
awaitable<Response> trigger(Services& services, const Request& request) {
    for (int attempt = 1;; ++attempt) {
        try {
            Response response = co_await trigger_once(services, request);
            co_return response;
        } catch (const Error& error) {
            if (error.type != changed_meanwhile_type || attempt == trigger_attempts_max) throw;
        }
    }
}

awaitable<Response> backfill(Services& services, const Request& request) {
    request.path_id("subscription_id", "feed_subscription");
    request.path_id("feed_id", "feed");
    const auto body = decode_optional<FeedBackfill>(request);
    FeedSubscription subscription = co_await find(services, request);
    const std::int64_t from = body.from_sequence.value_or(1), to = body.to_sequence.value_or(runtime::newest_sequence);
    if (from < 1 || to < from)
        throw hosted_error(ErrorCode::invalid_argument, "from_sequence: must be at least 1 and not above to_sequence");
    storage::Transaction transaction;
    std::string type = "backfill";
    const auto delivery =
        co_await services.feed_runner.plan(transaction, std::move(subscription), std::move(type), from - 1, to);
    if (!delivery) throw hosted_error(ErrorCode::invalid_argument, "The feed holds nothing in this range");
    FeedWorkflow shown;
    shown.workflow_id = delivery->id;
    Response response = answer(shown);
    if (request.idempotency_key)
        services.idempotency.keep(transaction, request.organization_id, *request.idempotency_key, response.status,
                                  response.body);
    co_await services.database.commit(std::move(transaction));
    services.feed_runner.begin(delivery->id);
    co_return response;
}

std::int64_t page_size(const Query& query) {
    const auto text = query.text("page_size");
    if (!text) return 50;
    std::int64_t number = 0;
    const auto [end, failure] = std::from_chars(text->data(), text->data() + text->size(), number);
    if (failure != std::errc() || end != text->data() + text->size() || number < 1 || number > 100)
        throw hosted_error(ErrorCode::invalid_argument, "query.page_size: must be a number within 1 and 100");
    return number;
}

awaitable<Response> history(Services& services, const Request& request) {
    const std::int64_t limit = page_size(request.query);
    const FeedSubscription subscription = co_await find(services, request);
    FeedHistory shown;
    const std::optional<std::string> token = request.query.text("next_page_token");
    shown.runs = co_await services.feed_subscriptions.history(subscription.id, token, limit + 1);
    if (cut_to(shown.runs, limit)) shown.next_page_token = shown.runs.back().workflow_id;
    co_return answer(shown);
}

}  // namespace

#define STELE_FEED "/v1/feeds/{feed_id}/"

std::span<const Route> feed_subscription_routes() {
    static constexpr Route routes[] = {
        {Method::post, STELE_FEED "subscribe", subscribe, "feeds.subscribe", "FeedSubscribe", "FeedSubscription", "",
         Trait::created},
        {Method::post, STELE_FEED "unsubscribe", unsubscribe, "feeds.unsubscribe", "FeedUnsubscribe", "Success"},
        {Method::get, STELE_FEED "subscriptions", list, "feeds.subscriptions.list", "", "FeedSubscriptionList",
         "limit, offset, agent_id"},
        {Method::patch, STELE_FEED "subscriptions/cron", update_all, "feeds.subscriptions.update_cron", "FeedCron",
         "FeedUpdated"},
        {Method::patch, STELE_FEED "subscriptions/{subscription_id}", update, "feeds.subscriptions.update",
         "FeedSubscriptionUpdate?", "FeedSubscription"},
        {Method::delete_, STELE_FEED "subscriptions/{subscription_id}", remove, "feeds.subscriptions.delete", "",
         "Success"},
        {Method::post, STELE_FEED "subscriptions/{subscription_id}/trigger", trigger, "feeds.subscriptions.trigger", "",
         "FeedTriggered"},
        {Method::post, STELE_FEED "subscriptions/{subscription_id}/backfill", backfill, "feeds.subscriptions.backfill",
         "FeedBackfill?", "FeedWorkflow"},
        {Method::get, STELE_FEED "subscriptions/{subscription_id}/history", history, "feeds.subscriptions.history", "",
         "FeedHistory", "page_size, next_page_token"},
    };
    return routes;
}

}  // namespace stele::api
