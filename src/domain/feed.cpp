#include "domain/feed.hpp"

#include "base/cron.hpp"
#include "base/ids.hpp"
#include "domain/hosted_error.hpp"
#include "domain/json_mapping.hpp"

namespace stele {
namespace {

constexpr std::size_t name_max = 100, description_max = 500;
constexpr std::size_t texts_max = 10'000;
constexpr std::size_t text_bytes_max = 1u << 20;
constexpr std::size_t preview_characters = 200;
constexpr std::size_t piece_texts_max = 50, piece_bytes_max = 128u << 10;
constexpr std::string_view placeholder = "{{content}}";

void check_strategy(const Patch<std::string>& strategy, Problems& problems) {
    if (strategy.has_value() && *strategy != unique_messages && *strategy != combine_messages)
        problems.add("merge_strategy", "must be one of: unique-messages, combine-into-single-message", "literal_error",
                     json_string(first_code_points(*strategy, 64)));
}

void check_agent(const std::string& id, Problems& problems) {
    if (!is_id(id, "agent"))
        problems.add("agent_id", "must match 'agent-{uuid4}'", "string_pattern_mismatch",
                     json_string(first_code_points(id, 64)));
}

std::string prompt_with(const std::optional<std::string>& prompt, const std::string& content) {
    if (!prompt || prompt->empty()) return content;
    std::string text;
    bool placed = false;
    for (std::size_t at = 0; at < prompt->size();) {
        const std::size_t next = std::min(prompt->find(placeholder, at), prompt->size());
        text.append(*prompt, at, next - at);
        if (next < prompt->size()) {
            text += content;
            placed = true;
        }
        at = next < prompt->size() ? next + placeholder.size() : next;
    }
    return placed ? text : text + "\n\n" + content;
}

InputMessage user_message(std::string text) {
    InputMessage message;
    message.role = std::string("user");
    MessageContent content;
    content.parts.push_back(text_part(std::move(text)));
    message.content = std::move(content);
    return message;
}

}  // namespace

void check(const FeedCreate& request, Problems& problems) {
    const std::size_t length = code_points(request.name);
    if (length < 1 || length > name_max)
        problems.add("name", "must have 1 to 100 characters", length < 1 ? "string_too_short" : "string_too_long");
    if (request.project_id.empty()) problems.add("project_id", "must not be empty", "string_too_short");
    if (request.description.has_value() && code_points(*request.description) > description_max)
        problems.add("description", "must have at most 500 characters", "string_too_long");
}

void check(const FeedPublish& request, Problems& problems) {
    if (request.messages.empty()) problems.add("messages", "must not be empty", "too_short");
    if (request.messages.size() > texts_max) problems.add("messages", "must hold at most 10000", "too_long");
    for (std::size_t i = 0; i < request.messages.size(); ++i)
        if (request.messages[i].content.empty() || request.messages[i].content.size() > text_bytes_max)
            problems.add("messages." + std::to_string(i) + ".content", "must have 1 byte to 1 MiB", "string_too_long");
}

void check(const FeedSubscribe& request, Problems& problems) {
    check_agent(request.agent_id, problems);
    check_strategy(request.merge_strategy, problems);
}

void check(const FeedUnsubscribe& request, Problems& problems) { check_agent(request.agent_id, problems); }

void check(const FeedSubscriptionUpdate& request, Problems& problems) {
    check_strategy(request.merge_strategy, problems);
}

FeedMessagePreview preview_of(const FeedMessage& message) {
    FeedMessagePreview shown;
    shown.id = message.id;
    shown.feed_id = message.feed_id;
    shown.sequence = message.sequence;
    shown.content_preview = first_code_points(message.content, preview_characters);
    shown.is_truncated = shown.content_preview.size() < message.content.size();
    shown.content_size_bytes = message.content_size_bytes;
    shown.expires_at = message.expires_at;
    shown.created_at = message.created_at;
    return shown;
}

Timestamp next_cron_time(const std::string& expression, Timestamp time, const std::string& timezone) {
    const auto bad = [](const std::string& problem) {
        return hosted_error(ErrorCode::invalid_argument, "cron_schedule: " + problem, "invalidCronExpression");
    };
    auto parsed = CronExpression::parse(expression);
    if (const auto* problem = std::get_if<CronExpression::Problem>(&parsed)) throw bad(problem->text);
    const auto next = std::get<CronExpression>(parsed).next(time, WallClock(timezone));
    if (!next) throw bad("there is no such day");
    return *next;
}

std::size_t piece_size(const std::vector<FeedMessage>& texts) {
    std::size_t count = 0, bytes = 0;
    while (count < texts.size() && count < piece_texts_max) {
        bytes += texts[count].content.size();
        if (count > 0 && bytes > piece_bytes_max) break;
        ++count;
    }
    return count;
}

MessageRequest feed_request(const FeedSubscription& subscription, const std::vector<FeedMessage>& texts) {
    std::vector<InputMessage> messages;
    if (subscription.merge_strategy == combine_messages) {
        std::string all;
        for (const FeedMessage& text : texts) all += (all.empty() ? "" : "\n\n") + text.content;
        messages.push_back(user_message(prompt_with(subscription.prompt_template, all)));
    } else {
        for (const FeedMessage& text : texts)
            messages.push_back(user_message(prompt_with(subscription.prompt_template, text.content)));
    }
    MessageRequest request;
    request.messages = std::move(messages);
    return request;
}

STELE_JSON_WRITTEN(Feed)
STELE_JSON_READ(FeedCreate)
STELE_JSON_WRITTEN(FeedList)
STELE_JSON_READ(FeedPublish)
STELE_JSON_WRITTEN(FeedPublished)
STELE_JSON_WRITTEN(FeedMessageAnswer)
STELE_JSON_WRITTEN(FeedMessageList)
STELE_JSON_WRITTEN(FeedSubscription)
STELE_JSON_READ(FeedSubscribe)
STELE_JSON_READ(FeedUnsubscribe)
STELE_JSON_READ(FeedSubscriptionUpdate)
STELE_JSON_READ(FeedCron)
STELE_JSON_WRITTEN(FeedUpdated)
STELE_JSON_WRITTEN(FeedSubscriptionList)
STELE_JSON_WRITTEN(FeedTriggered)
STELE_JSON_READ(FeedBackfill)
STELE_JSON_WRITTEN(FeedWorkflow)
STELE_JSON_WRITTEN(FeedHistory)

}  // namespace stele
