// Pipelines: outside sources that are read into feeds (docs/guide/hosted-rows.md).
#include "api/feed_common.hpp"
#include "api/offset_page.hpp"
#include "api/pipeline_source.hpp"
#include "base/ids.hpp"
#include "domain/agent_search.hpp"
#include "domain/answer.hpp"
#include "domain/hosted_error.hpp"
#include "domain/pipeline.hpp"
#include "runtime/feed_runner.hpp"
#include "runtime/project_service.hpp"
#include "storage/database.hpp"
#include "storage/feed_repository.hpp"
#include "storage/feed_subscription_repository.hpp"
#include "storage/idempotency_repository.hpp"
#include "storage/pipeline_repository.hpp"

namespace stele::api {
namespace {

constexpr char cron_default[] = "0 * * * *";
constexpr std::size_t samples_max = 5;

awaitable<Pipeline> find(Services& services, const Request& request) {
    const std::string id = request.path_id("pipeline_id", "pipeline");
    auto found = co_await services.pipelines.find(request.organization_id, id);
    if (!found) throw hosted_error(ErrorCode::not_found, "Pipeline not found: " + id, "pipelineNotFound");
    co_return std::move(*found);
}

awaitable<Response> shown(Services& services, std::string organization_id, std::string id) {
    auto found = co_await services.pipelines.find(std::move(organization_id), id);
    if (!found) throw hosted_error(ErrorCode::not_found, "Pipeline not found: " + id, "pipelineNotFound");
    PipelineAnswer told;
    told.pipeline = std::move(*found);
    co_return answer(told);
}

storage::PipelineFilter filter_of(const Query& query) {
    storage::PipelineFilter filter;
    filter.search = query.text("search");
    filter.integration_type = query.text("integration_type");
    filter.integration_id = query.text("integration_id");
    return filter;
}

awaitable<Response> list(Services& services, const Request& request) {
    const OffsetPage page = offset_page(request.query);
    storage::PipelineFilter filter = filter_of(request.query);
    PipelineList told;
    told.pipelines =
        co_await services.pipelines.list(request.organization_id, std::move(filter), page.limit + 1, page.offset);
    told.hasNextPage = cut_to(told.pipelines, page.limit);
    co_return answer(told);
}

awaitable<Response> count(Services& services, const Request& request) {
    storage::PipelineFilter filter = filter_of(request.query);
    AgentCount told;
    told.count = co_await services.pipelines.count(request.organization_id, std::move(filter));
    co_return answer(told);
}

Feed feed_for(const PipelineCreate& body, const Request& request, std::string project_id) {
    Feed feed;
    feed.id = new_id("feed");
    feed.organization_id = request.organization_id;
    feed.project_id = std::move(project_id);
    feed.name = body.name;
    feed.created_by_id = request.user_id;
    feed.created_at = feed.updated_at = now();
    return feed;
}

// The pipeline, its feed and its subscriptions at once.
awaitable<Response> create(Services& services, const Request& request) {
    const auto body = decode<PipelineCreate>(request.body());
    demand_config(body.producer_config, body.integration_type);
    std::string project_id = co_await services.project_service.id_of(request.organization_id, body.project_id);
    const Feed feed = feed_for(body, request, std::move(project_id));
    storage::Transaction transaction;
    services.feeds.insert(transaction, feed);
    for (const std::string& agent_id : body.subscriber_agent_ids.value_or({})) {
        FeedSubscribe wanted;
        wanted.agent_id = agent_id;
        wanted.cron_schedule = body.subscriber_cron_schedule.value_or(cron_default);
        wanted.prompt_template = body.prompt_template;
        std::optional<Error> unknown;
        try {
            const FeedSubscription made = co_await new_subscription(services, request, feed, std::move(wanted));
            services.feed_subscriptions.insert(transaction, made, already_subscribed(agent_id));
        } catch (const Error& error) {
            if (error.code != ErrorCode::not_found) throw;
            unknown = error;
        }
        if (unknown) throw hosted_error(ErrorCode::invalid_argument, unknown->what(), "agentNotFound");
    }
    Pipeline made;
    made.id = new_id("pipeline");
    made.organization_id = request.organization_id;
    made.project_id = feed.project_id;
    made.feed_id = feed.id;
    made.name = body.name;
    made.integration_id = body.integration_id.optional();
    made.integration_type = body.integration_type;
    made.config = body.producer_config;
    made.created_at = made.updated_at = feed.created_at;
    services.pipelines.insert(transaction, made);
    if (request.idempotency_key)
        services.idempotency.keep_made(transaction, request.organization_id, *request.idempotency_key, made.id);
    co_await services.database.commit(std::move(transaction));
    services.feed_runner.wake();
    co_return co_await shown(services, request.organization_id, made.id);
}

awaitable<Response> retrieve(Services& services, const Request& request) {
    PipelineAnswer told;
    told.pipeline = co_await find(services, request);
    co_return answer(told);
}

awaitable<Response> save(Services& services, Pipeline changed) {
    changed.updated_at = now();
    storage::Transaction transaction;
    services.pipelines.update(transaction, changed);
    co_await services.database.commit(std::move(transaction));
    co_return co_await shown(services, changed.organization_id, changed.id);
}

awaitable<Response> update(Services& services, const Request& request) {
    request.path_id("pipeline_id", "pipeline");
    const auto body = decode_optional<PipelineUpdate>(request);
    Pipeline pipeline = co_await find(services, request);
    body.name.set_into(pipeline.name);
    if (body.disabled.has_value() && *body.disabled != pipeline.disabled_at.has_value())
        pipeline.disabled_at = *body.disabled ? std::optional(now()) : std::nullopt;
    co_return co_await save(services, std::move(pipeline));
}

awaitable<Response> update_config(Services& services, const Request& request) {
    request.path_id("pipeline_id", "pipeline");
    auto body = decode<PipelineConfig>(request.body());
    Pipeline pipeline = co_await find(services, request);
    if (body.producer_config.type != pipeline.config.type)
        throw hosted_error(ErrorCode::invalid_argument,
                           "producer_config.type: the pipeline's is " + pipeline.config.type, "configTypeMismatch");
    demand_config(body.producer_config, pipeline.integration_type);
    pipeline.config = std::move(body.producer_config);
    co_return co_await save(services, std::move(pipeline));
}

awaitable<Response> remove(Services& services, const Request& request) {
    const Pipeline pipeline = co_await find(services, request);
    const auto feed = co_await services.feeds.find(request.organization_id, pipeline.feed_id);
    storage::Transaction transaction;
    services.pipelines.remove(transaction, pipeline);
    if (feed) services.feeds.remove(transaction, *feed);
    co_await services.database.commit(std::move(transaction));
    co_return answer(Success());
}

awaitable<Response> preview(Services& services, const Request& request) {
    const auto body = decode<PipelinePreview>(request.body());
    demand_config(body.producer_config, body.integration_type);
    demand_source(body.producer_config, "invalidProducerConfig");
    std::vector<std::string> texts;
    try {
        std::vector<std::string> read = co_await read_source(services, source_url(body.producer_config));
        texts = std::move(read);
    } catch (const Error& error) {
        throw hosted_error(ErrorCode::invalid_argument, error.what(), "invalidProducerConfig");
    }
    PipelineSample told;
    told.messageCount = static_cast<std::int64_t>(texts.size());
    if (texts.size() > samples_max) texts.resize(samples_max);
    told.sampleMessages = std::move(texts);
    co_return answer(told);
}

// What came is in the feed, and the sync on record, with one commit. What the feed holds already stays as it is.
awaitable<Response> sync(Services& services, const Request& request) {
    const Pipeline pipeline = co_await find(services, request);
    if (pipeline.disabled_at)
        throw hosted_error(ErrorCode::invalid_argument, "The pipeline is disabled", "pipelineDisabled");
    demand_source(pipeline.config, "pipelineNotSyncable");
    const auto feed = co_await services.feeds.find(request.organization_id, pipeline.feed_id);
    if (!feed) throw hosted_error(ErrorCode::invalid_argument, "The pipeline's feed is deleted", "pipelineNotSyncable");
    PipelineSync made;
    made.workflow_id = new_id("pipeline_sync");
    made.started_at = now();
    std::vector<std::string> texts;
    std::optional<std::string> failure;
    try {
        std::vector<std::string> read = co_await read_source(services, source_url(pipeline.config));
        std::vector<std::string> fresh = co_await services.feeds.new_texts(feed->id, std::move(read));
        texts = std::move(fresh);
    } catch (const Error& error) {
        failure = error.what();
    }
    made.completed_at = now();
    made.status = failure ? "failed" : "completed";
    if (failure) {
        PipelineSyncError& error = made.error.emplace();
        error.error_type = "syncFailed";
        error.error_message = *failure;
    }
    PipelineSynced told;
    told.messages_ingested = static_cast<std::int64_t>(texts.size());
    told.workflow_id = made.workflow_id;
    storage::Transaction transaction;
    if (!texts.empty()) services.feeds.publish(transaction, *feed, texts);
    services.pipelines.add_sync(transaction, pipeline.id, made);
    co_await services.database.commit(std::move(transaction));
    if (failure) throw hosted_error(ErrorCode::invalid_argument, *failure, "syncFailed");
    co_return answer(told);
}

awaitable<Response> history(Services& services, const Request& request) {
    const Pipeline pipeline = co_await find(services, request);
    PipelineSyncHistory told;
    told.runs = co_await services.pipelines.syncs(pipeline.id);
    co_return answer(told);
}

}  // namespace

std::span<const Route> pipeline_routes() {
    static constexpr Route routes[] = {
        {Method::get, "/v1/pipelines", list, "pipelines.list", "", "PipelineList",
         "search, integration_type, integration_id, offset, limit"},
        {Method::post, "/v1/pipelines", create, "pipelines.create", "PipelineCreate", "PipelineAnswer"},
        {Method::get, "/v1/pipelines/count", count, "pipelines.count", "", "AgentCount",
         "search, integration_type, integration_id"},
        {Method::post, "/v1/pipelines/preview", preview, "pipelines.preview", "PipelinePreview", "PipelineSample"},
        {Method::get, "/v1/pipelines/{pipeline_id}", retrieve, "pipelines.retrieve", "", "PipelineAnswer"},
        {Method::patch, "/v1/pipelines/{pipeline_id}", update, "pipelines.update", "PipelineUpdate?", "PipelineAnswer"},
        {Method::delete_, "/v1/pipelines/{pipeline_id}", remove, "pipelines.delete", "", "Success"},
        {Method::patch, "/v1/pipelines/{pipeline_id}/config", update_config, "pipelines.update_config",
         "PipelineConfig", "PipelineAnswer"},
        {Method::post, "/v1/pipelines/{pipeline_id}/sync", sync, "pipelines.sync", "", "PipelineSynced"},
        {Method::get, "/v1/pipelines/{pipeline_id}/sync/history", history, "pipelines.sync_history", "",
         "PipelineSyncHistory"},
    };
    return routes;
}

}  // namespace stele::api
