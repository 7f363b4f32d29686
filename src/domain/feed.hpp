#pragma once

#include "domain/message.hpp"

namespace stele {

/// metadata.run_type of a run that gives an agent what is new in a feed.
inline constexpr char feed_run_type[] = "send_message_feed";

/// An append-only list of texts.
struct Feed {
    std::string id;  ///< "feed-<uuid>"
    std::string name;
    std::optional<std::string> description;
    std::string project_id;
    std::string organization_id;
    std::optional<std::string> created_by_id;
    Timestamp created_at{};
    Timestamp updated_at{};
    Patch<std::int64_t> subscriptions_count;
    Patch<std::int64_t> messages_count;
};
BOOST_DESCRIBE_STRUCT(Feed, (),
                      (id, name, description, project_id, organization_id, created_by_id, created_at, updated_at,
                       subscriptions_count, messages_count))

/// Body of POST /v1/feeds.
struct FeedCreate {
    std::string project_id;
    std::string name;
    Patch<std::string> description;
};
BOOST_DESCRIBE_STRUCT(FeedCreate, (), (project_id, name, description))
void check(const FeedCreate& request, Problems& problems);
constexpr std::array<std::string_view, 2> required_members(const FeedCreate*) { return {"project_id", "name"}; }

struct FeedList {
    std::vector<Feed> feeds;
    bool has_next_page = false;
};
BOOST_DESCRIBE_STRUCT(FeedList, (), (feeds, has_next_page))

struct FeedText {
    std::string content;
};
BOOST_DESCRIBE_STRUCT(FeedText, (), (content))
constexpr std::array<std::string_view, 1> required_members(const FeedText*) { return {"content"}; }

/// Body of POST /v1/feeds/{feed_id}/messages.
struct FeedPublish {
    std::vector<FeedText> messages;
};
BOOST_DESCRIBE_STRUCT(FeedPublish, (), (messages))
void check(const FeedPublish& request, Problems& problems);
constexpr std::array<std::string_view, 1> required_members(const FeedPublish*) { return {"messages"}; }

struct FeedPublished {
    std::int64_t inserted_count = 0;
};
BOOST_DESCRIBE_STRUCT(FeedPublished, (), (inserted_count))

/// A text of a feed, in full.
struct FeedMessage {
    std::string id;  ///< "message-<uuid>"
    std::string feed_id;
    std::int64_t sequence = 0;
    std::string content;
    std::int64_t content_size_bytes = 0;
    Timestamp expires_at{};
    Timestamp created_at{};
};
BOOST_DESCRIBE_STRUCT(FeedMessage, (), (id, feed_id, sequence, content, content_size_bytes, expires_at, created_at))

struct FeedMessageAnswer {
    FeedMessage message;
};
BOOST_DESCRIBE_STRUCT(FeedMessageAnswer, (), (message))

/// The same in a list: the beginning of its content.
struct FeedMessagePreview {
    std::string id;
    std::string feed_id;
    std::int64_t sequence = 0;
    std::string content_preview;
    bool is_truncated = false;
    std::int64_t content_size_bytes = 0;
    Timestamp expires_at{};
    Timestamp created_at{};
};
BOOST_DESCRIBE_STRUCT(FeedMessagePreview, (),
                      (id, feed_id, sequence, content_preview, is_truncated, content_size_bytes, expires_at,
                       created_at))

FeedMessagePreview preview_of(const FeedMessage& message);

struct FeedMessageList {
    std::vector<FeedMessagePreview> messages;
    bool has_next_page = false;
    std::optional<std::int64_t> next_cursor;  ///< the next page's after_sequence
};
BOOST_DESCRIBE_STRUCT(FeedMessageList, (), (messages, has_next_page, next_cursor))

inline constexpr char unique_messages[] = "unique-messages";
inline constexpr char combine_messages[] = "combine-into-single-message";

/// That an agent is given what is new in a feed, by plan.
struct FeedSubscription {
    std::string id;  ///< "feed_subscription-<uuid>"
    std::string feed_id;
    std::string agent_id;
    std::optional<std::string> agent_name;
    std::string cron_schedule;  ///< by the clocks of the agent's timezone
    std::string merge_strategy = unique_messages;
    std::optional<std::string> prompt_template;  ///< "{{content}}" stands for a text; without, it stands in front
    std::optional<Timestamp> next_scheduled_at;
    std::int64_t last_consumed_sequence = 0;
    std::optional<Timestamp> last_consumed_at;
    std::optional<Timestamp> disabled_at;
    Timestamp created_at{};
    Timestamp updated_at{};
    std::string organization_id;  ///< not described, like the next
    std::string created_by_id;
};
BOOST_DESCRIBE_STRUCT(FeedSubscription, (),
                      (id, feed_id, agent_id, agent_name, cron_schedule, merge_strategy, prompt_template,
                       next_scheduled_at, last_consumed_sequence, last_consumed_at, disabled_at, created_at,
                       updated_at))

/// Body of POST /v1/feeds/{feed_id}/subscribe.
struct FeedSubscribe {
    std::string agent_id;
    std::string cron_schedule;
    Patch<std::string> prompt_template;
    Patch<std::string> merge_strategy;  ///< ours
};
BOOST_DESCRIBE_STRUCT(FeedSubscribe, (), (agent_id, cron_schedule, prompt_template, merge_strategy))
void check(const FeedSubscribe& request, Problems& problems);
constexpr std::array<std::string_view, 2> required_members(const FeedSubscribe*) {
    return {"agent_id", "cron_schedule"};
}

struct FeedUnsubscribe {
    std::string agent_id;
};
BOOST_DESCRIBE_STRUCT(FeedUnsubscribe, (), (agent_id))
void check(const FeedUnsubscribe& request, Problems& problems);
constexpr std::array<std::string_view, 1> required_members(const FeedUnsubscribe*) { return {"agent_id"}; }

struct FeedSubscriptionUpdate {
    Patch<std::string> cron_schedule;
    Patch<std::string> prompt_template;
    Patch<bool> disabled;
    Patch<std::string> merge_strategy;  ///< ours
};
BOOST_DESCRIBE_STRUCT(FeedSubscriptionUpdate, (), (cron_schedule, prompt_template, disabled, merge_strategy))
void check(const FeedSubscriptionUpdate& request, Problems& problems);

struct FeedCron {
    std::string cron_schedule;
};
BOOST_DESCRIBE_STRUCT(FeedCron, (), (cron_schedule))
constexpr std::array<std::string_view, 1> required_members(const FeedCron*) { return {"cron_schedule"}; }

struct FeedUpdated {
    std::int64_t updated_count = 0;
};
BOOST_DESCRIBE_STRUCT(FeedUpdated, (), (updated_count))

struct FeedSubscriptionList {
    std::vector<FeedSubscription> subscriptions;
    bool has_next_page = false;
};
BOOST_DESCRIBE_STRUCT(FeedSubscriptionList, (), (subscriptions, has_next_page))

struct FeedTriggered {
    bool success = true;
    std::int64_t messages_sent = 0;
};
BOOST_DESCRIBE_STRUCT(FeedTriggered, (), (success, messages_sent))

struct FeedBackfill {
    Patch<std::int64_t> from_sequence;  ///< the first; absent: the oldest that is left
    Patch<std::int64_t> to_sequence;    ///< the last; absent: the newest
};
BOOST_DESCRIBE_STRUCT(FeedBackfill, (), (from_sequence, to_sequence))

struct FeedWorkflow {
    std::string workflow_id;
};
BOOST_DESCRIBE_STRUCT(FeedWorkflow, (), (workflow_id))

/// A delivery as the history tells it.
struct FeedDeliveryInfo {
    std::string workflow_id;  ///< "feed_delivery-<uuid>"
    std::string type;         ///< scheduled, manual or backfill
    std::string status;       ///< running, completed, failed, canceled or timed_out
    Timestamp started_at{};
    std::optional<Timestamp> completed_at;
};
BOOST_DESCRIBE_STRUCT(FeedDeliveryInfo, (), (workflow_id, type, status, started_at, completed_at))

struct FeedHistory {
    std::vector<FeedDeliveryInfo> runs;
    std::optional<std::string> next_page_token;
};
BOOST_DESCRIBE_STRUCT(FeedHistory, (), (runs, next_page_token))

/// When a plan comes up next behind `time`. Throws Error{invalid_argument} for an expression that is none, or that
/// never comes.
Timestamp next_cron_time(const std::string& expression, Timestamp time, const std::string& timezone);

/// How many of `texts` go into one request: as many as are not too much at once, at least one.
std::size_t piece_size(const std::vector<FeedMessage>& texts);

/// The request that gives an agent these texts.
MessageRequest feed_request(const FeedSubscription& subscription, const std::vector<FeedMessage>& texts);

}  // namespace stele
