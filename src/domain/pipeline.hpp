#pragma once

#include "domain/json.hpp"

#include <boost/describe/class.hpp>

#include <array>

namespace stele {

/// What a pipeline reads: {"type": "custom_webhook", "data": {"url"}} or {"type": "slack_channel_reader", "data":
/// {"channels": [{"channel_id", ...}], ...}}.
struct ProducerConfig {
    std::string type;
    Json data{"{}"};
};
BOOST_DESCRIBE_STRUCT(ProducerConfig, (), (type, data))
constexpr std::array<std::string_view, 2> required_members(const ProducerConfig*) { return {"type", "data"}; }

/// Reads an outside source into a feed.
struct Pipeline {
    std::string id;  ///< "pipeline-<uuid>"
    std::string name;
    std::string organization_id;
    std::string project_id;
    std::optional<std::string> integration_id;
    std::string integration_type;  ///< slack, discord, microsoftTeams or custom_webhook
    std::string feed_id;
    ProducerConfig config;
    std::optional<Timestamp> next_scheduled_at;  ///< always nothing here: a source is read when it is asked for
    std::optional<Timestamp> last_run_at;
    std::optional<Timestamp> disabled_at;
    Timestamp created_at{};
    Timestamp updated_at{};
    std::optional<std::string> integration_display_name;
    std::optional<std::string> feed_name;
    std::int64_t subscriber_count = 0;
    std::int64_t error_count = 0;  ///< syncs that failed since the last one that did not
    std::optional<std::string> project_name;
    std::optional<std::string> project_slug;
};
BOOST_DESCRIBE_STRUCT(Pipeline, (),
                      (id, name, organization_id, project_id, integration_id, integration_type, feed_id, config,
                       next_scheduled_at, last_run_at, disabled_at, created_at, updated_at, integration_display_name,
                       feed_name, subscriber_count, error_count, project_name, project_slug))

/// Body of POST /v1/pipelines.
struct PipelineCreate {
    std::string name;
    std::string project_id;
    std::string integration_type;
    ProducerConfig producer_config;
    Patch<std::vector<std::string>> subscriber_agent_ids;
    Patch<std::string> subscriber_cron_schedule;
    Patch<std::string> prompt_template;
    Patch<std::string> integration_id;
};
BOOST_DESCRIBE_STRUCT(PipelineCreate, (),
                      (name, project_id, integration_type, producer_config, subscriber_agent_ids,
                       subscriber_cron_schedule, prompt_template, integration_id))
void check(const PipelineCreate& request, Problems& problems);
constexpr std::array<std::string_view, 4> required_members(const PipelineCreate*) {
    return {"name", "project_id", "integration_type", "producer_config"};
}

struct PipelineAnswer {
    Pipeline pipeline;
};
BOOST_DESCRIBE_STRUCT(PipelineAnswer, (), (pipeline))

struct PipelineList {
    std::vector<Pipeline> pipelines;
    bool hasNextPage = false;
};
BOOST_DESCRIBE_STRUCT(PipelineList, (), (pipelines, hasNextPage))

struct PipelineUpdate {
    Patch<std::string> name;
    Patch<bool> disabled;
};
BOOST_DESCRIBE_STRUCT(PipelineUpdate, (), (name, disabled))
void check(const PipelineUpdate& request, Problems& problems);

struct PipelineConfig {
    ProducerConfig producer_config;
};
BOOST_DESCRIBE_STRUCT(PipelineConfig, (), (producer_config))
constexpr std::array<std::string_view, 1> required_members(const PipelineConfig*) { return {"producer_config"}; }

struct PipelinePreview {
    std::string integration_type;
    Patch<std::string> integration_id;
    ProducerConfig producer_config;
};
BOOST_DESCRIBE_STRUCT(PipelinePreview, (), (integration_type, integration_id, producer_config))
void check(const PipelinePreview& request, Problems& problems);
constexpr std::array<std::string_view, 2> required_members(const PipelinePreview*) {
    return {"integration_type", "producer_config"};
}

struct PipelineSample {
    std::vector<std::string> sampleMessages;
    std::int64_t messageCount = 0;
};
BOOST_DESCRIBE_STRUCT(PipelineSample, (), (sampleMessages, messageCount))

struct PipelineSynced {
    bool success = true;
    std::int64_t messages_ingested = 0;
    std::string workflow_id;
};
BOOST_DESCRIBE_STRUCT(PipelineSynced, (), (success, messages_ingested, workflow_id))

struct PipelineSyncError {
    std::string error_type;
    std::string error_message;
};
BOOST_DESCRIBE_STRUCT(PipelineSyncError, (), (error_type, error_message))

struct PipelineSync {
    std::string workflow_id;  ///< "pipeline_sync-<uuid>"
    std::string status;
    Timestamp started_at{};
    std::optional<Timestamp> completed_at;
    std::optional<PipelineSyncError> error;
};
BOOST_DESCRIBE_STRUCT(PipelineSync, (), (workflow_id, status, started_at, completed_at, error))

struct PipelineSyncHistory {
    std::vector<PipelineSync> runs;
    std::optional<std::string> next_page_token;
};
BOOST_DESCRIBE_STRUCT(PipelineSyncHistory, (), (runs, next_page_token))

/// Throws Error{invalid_argument} for a config that does not fit the integration.
void demand_config(const ProducerConfig& config, const std::string& integration_type);

/// The address that a webhook's config names; empty for others.
std::string source_url(const ProducerConfig& config);

/// The texts that a source answered with: a JSON list, an object with a list under "messages", or a JSON value a line.
/// An element is a text, an object with a text under "content" or "text", or anything else, kept as its JSON. Nothing
/// if it is none of these.
std::optional<std::vector<std::string>> source_texts(const std::string& body);

}  // namespace stele
