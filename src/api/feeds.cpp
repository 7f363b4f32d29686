#include "api/feed_common.hpp"
#include "api/offset_page.hpp"
#include "base/ids.hpp"
#include "domain/answer.hpp"
#include "domain/hosted_error.hpp"
#include "domain/project.hpp"
#include "runtime/feed_runner.hpp"
#include "runtime/project_service.hpp"
#include "storage/database.hpp"
#include "storage/feed_repository.hpp"
#include "storage/idempotency_repository.hpp"

#include <charconv>

namespace stele::api {

awaitable<Feed> feed_of(Services& services, const Request& request) {
    const std::string id = request.path_id("feed_id", "feed");
    auto feed = co_await services.feeds.find(request.organization_id, id);
    if (!feed) throw hosted_error(ErrorCode::not_found, "Feed not found: " + id, "feedNotFound");
    co_return std::move(*feed);
}

namespace {

awaitable<Response> create(Services& services, const Request& request) {
    auto body = decode<FeedCreate>(request.body());
    Feed made;
    made.id = new_id("feed");
    made.organization_id = request.organization_id;
    made.project_id = co_await services.project_service.id_of(request.organization_id, body.project_id);
    made.name = std::move(body.name);
    made.description = body.description.optional();
    made.created_by_id = request.user_id;
    made.created_at = made.updated_at = now();
    Response response = answer(made);
    response.status = 201;
    storage::Transaction transaction;
    services.feeds.insert(transaction, made);
    if (request.idempotency_key)
        services.idempotency.keep(transaction, request.organization_id, *request.idempotency_key, response.status,
                                  response.body);
    co_await services.database.commit(std::move(transaction));
    co_return response;
}

awaitable<Response> list(Services& services, const Request& request) {
    const OffsetPage page = offset_page(request.query);
    std::optional<std::string> project = request.query.text("project_id");
    if (project) {
        std::string id = co_await services.project_service.id_of(request.organization_id, *project);
        project = std::move(id);
    }
    FeedList shown;
    const std::optional<std::string> name = request.query.text("name");
    shown.feeds = co_await services.feeds.list(request.organization_id, project, name, page.limit + 1, page.offset);
    shown.has_next_page = cut_to(shown.feeds, page.limit);
    co_return answer(shown);
}

awaitable<Response> retrieve(Services& services, const Request& request) {
    const Feed feed = co_await feed_of(services, request);
    co_return answer(feed);
}

awaitable<Response> remove(Services& services, const Request& request) {
    const Feed feed = co_await feed_of(services, request);
    storage::Transaction transaction;
    services.feeds.remove(transaction, feed);
    co_await services.database.commit(std::move(transaction));
    co_return answer(Success());
}

awaitable<Response> publish(Services& services, const Request& request) {
    request.path_id("feed_id", "feed");
    auto body = decode<FeedPublish>(request.body());
    const Feed feed = co_await feed_of(services, request);
    std::vector<std::string> texts;
    for (FeedText& each : body.messages) texts.push_back(std::move(each.content));
    FeedPublished shown;
    shown.inserted_count = static_cast<std::int64_t>(texts.size());
    Response response = answer(shown);
    response.status = 201;
    storage::Transaction transaction;
    services.feeds.publish(transaction, feed, texts);
    if (request.idempotency_key)
        services.idempotency.keep(transaction, request.organization_id, *request.idempotency_key, response.status,
                                  response.body);
    co_await services.database.commit(std::move(transaction));
    co_return response;
}

std::int64_t after_sequence(const Query& query) {
    const auto text = query.text("after_sequence");
    if (!text) return 0;
    std::int64_t number = 0;
    const auto [end, failure] = std::from_chars(text->data(), text->data() + text->size(), number);
    if (failure != std::errc() || end != text->data() + text->size() || number < 0)
        throw hosted_error(ErrorCode::invalid_argument, "query.after_sequence: must be a number");
    return number;
}

awaitable<Response> list_messages(Services& services, const Request& request) {
    const OffsetPage page = offset_page(request.query);
    const std::int64_t after = after_sequence(request.query);
    const Feed feed = co_await feed_of(services, request);
    std::vector<FeedMessage> found =
        co_await services.feeds.messages(feed.id, after, runtime::newest_sequence, page.limit + 1);
    FeedMessageList shown;
    shown.has_next_page = cut_to(found, page.limit);
    for (const FeedMessage& message : found) shown.messages.push_back(preview_of(message));
    if (shown.has_next_page) shown.next_cursor = found.back().sequence;
    co_return answer(shown);
}

awaitable<Response> retrieve_message(Services& services, const Request& request) {
    const std::string id = request.path_id("message_id", "message");
    const Feed feed = co_await feed_of(services, request);
    auto message = co_await services.feeds.message(feed.id, id);
    if (!message) throw hosted_error(ErrorCode::not_found, "Message not found: " + id);
    FeedMessageAnswer shown;
    shown.message = std::move(*message);
    co_return answer(shown);
}

}  // namespace

std::span<const Route> feed_routes() {
    static constexpr Route routes[] = {
        {Method::post, "/v1/feeds", create, "feeds.create", "FeedCreate", "Feed", "", Trait::created},
        {Method::get, "/v1/feeds", list, "feeds.list", "", "FeedList", "project_id, name, limit, offset"},
        {Method::get, "/v1/feeds/{feed_id}", retrieve, "feeds.retrieve", "", "Feed"},
        {Method::delete_, "/v1/feeds/{feed_id}", remove, "feeds.delete", "", "Success"},
        {Method::post, "/v1/feeds/{feed_id}/messages", publish, "feeds.publish", "FeedPublish", "FeedPublished", "",
         Trait::created},
        {Method::get, "/v1/feeds/{feed_id}/messages", list_messages, "feeds.list_messages", "", "FeedMessageList",
         "after_sequence, limit"},
        {Method::get, "/v1/feeds/{feed_id}/messages/{message_id}", retrieve_message, "feeds.retrieve_message", "",
         "FeedMessageAnswer"},
    };
    return routes;
}

}  // namespace stele::api
