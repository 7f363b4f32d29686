#pragma once

#include "base/time.hpp"
#include "domain/json.hpp"

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

namespace stele {

BOOST_DEFINE_ENUM_CLASS(StopReason, end_turn, error, llm_api_error, invalid_llm_response, invalid_tool_call, max_steps,
                        max_tokens_exceeded, no_tool_call, tool_rule, cancelled, insufficient_credits,
                        requires_approval, context_window_overflow_in_system_prompt)

BOOST_DEFINE_ENUM_CLASS(RunStatus, created, running, completed, failed, cancelled)

/// The status in which a run with this stop reason ends.
RunStatus status_of(StopReason reason);

std::string_view to_string(StopReason reason);
std::string_view to_string(RunStatus status);
std::optional<StopReason> parse_stop_reason(std::string_view word);
std::optional<RunStatus> parse_run_status(std::string_view word);

struct RunRequestConfig {
    bool use_assistant_message = true;
    std::string assistant_message_tool_name = "send_message";
    std::string assistant_message_tool_kwarg = "message";
    std::optional<std::vector<std::string>> include_return_message_types;
};
BOOST_DESCRIBE_STRUCT(RunRequestConfig, (),
                      (use_assistant_message, assistant_message_tool_name, assistant_message_tool_kwarg,
                       include_return_message_types))

/// One message request and what became of it.
struct Run {
    std::string id;  ///< "run-<uuid>"
    RunStatus status = RunStatus::created;
    Timestamp created_at{};
    std::optional<Timestamp> completed_at;
    std::string agent_id;
    std::optional<std::string> conversation_id;
    std::optional<std::string> base_template_id;
    std::optional<bool> background = false;
    Json metadata{"{}"};
    std::optional<RunRequestConfig> request_config;
    std::optional<StopReason> stop_reason;
    std::optional<std::string> callback_url;
    std::optional<Timestamp> callback_sent_at;
    std::optional<std::int64_t> callback_status_code;
    std::optional<std::string> callback_error;
    std::optional<std::int64_t> ttft_ns;
    std::optional<std::int64_t> total_duration_ns;
    std::string job_type = "run";  ///< the older clients read a run as a job
    std::optional<std::string> user_id;
    std::optional<std::string> created_by_id;
    std::optional<std::string> last_updated_by_id;
    std::optional<Timestamp> updated_at;
    std::int64_t step_count = 0;          ///< for metrics; not described
    std::vector<std::string> tools_used;  ///< ids, for metrics; not described
};
BOOST_DESCRIBE_STRUCT(Run, (),
                      (id, status, created_at, completed_at, agent_id, conversation_id, base_template_id, background,
                       metadata, request_config, stop_reason, callback_url, callback_sent_at, callback_status_code,
                       callback_error, ttft_ns, total_duration_ns, job_type, user_id, created_by_id, last_updated_by_id,
                       updated_at))

/// metadata.run_type of a run that was asked for asynchronously.
inline constexpr char async_run_type[] = "send_message_async";

/// A run in the form in which older clients know it.
struct Job {
    std::string id;
    std::optional<std::string> user_id;
    RunStatus status = RunStatus::created;
    std::string job_type = "run";
    Timestamp created_at{};
    std::optional<Timestamp> updated_at;
    std::optional<Timestamp> completed_at;
    std::optional<StopReason> stop_reason;
    Json metadata{"{}"};
    std::optional<bool> background;
    std::optional<std::string> agent_id;
    std::optional<std::string> callback_url;
    std::optional<Timestamp> callback_sent_at;
    std::optional<std::int64_t> callback_status_code;
    std::optional<std::string> callback_error;
    std::optional<std::int64_t> ttft_ns;
    std::optional<std::int64_t> total_duration_ns;
    std::optional<std::string> created_by_id;
    std::optional<std::string> last_updated_by_id;
};
BOOST_DESCRIBE_STRUCT(Job, (),
                      (id, user_id, status, job_type, created_at, updated_at, completed_at, stop_reason, metadata,
                       background, agent_id, callback_url, callback_sent_at, callback_status_code, callback_error,
                       ttft_ns, total_duration_ns, created_by_id, last_updated_by_id))

struct RunMetrics {
    std::string id;
    std::string organization_id;
    std::string agent_id;
    std::optional<std::string> project_id;
    std::int64_t run_start_ns = 0;
    std::optional<std::int64_t> run_ns;
    std::int64_t num_steps = 0;
    std::optional<std::vector<std::string>> tools_used;
    std::optional<std::string> template_id;
    std::optional<std::string> base_template_id;
};
BOOST_DESCRIBE_STRUCT(RunMetrics, (),
                      (id, organization_id, agent_id, project_id, run_start_ns, run_ns, num_steps, tools_used,
                       template_id, base_template_id))

struct CompletionTokensDetails {
    std::optional<std::int64_t> reasoning_tokens;
};
BOOST_DESCRIBE_STRUCT(CompletionTokensDetails, (), (reasoning_tokens))

struct PromptTokensDetails {
    std::optional<std::int64_t> cached_tokens;
    std::optional<std::int64_t> cache_read_tokens;
    std::optional<std::int64_t> cache_creation_tokens;
};
BOOST_DESCRIBE_STRUCT(PromptTokensDetails, (), (cached_tokens, cache_read_tokens, cache_creation_tokens))

/// Answer of GET /v1/runs/{run_id}/usage.
struct RunUsage {
    std::int64_t completion_tokens = 0;
    std::int64_t prompt_tokens = 0;
    std::int64_t total_tokens = 0;
    std::optional<PromptTokensDetails> prompt_tokens_details;
    std::optional<CompletionTokensDetails> completion_tokens_details;
};
BOOST_DESCRIBE_STRUCT(RunUsage, (),
                      (completion_tokens, prompt_tokens, total_tokens, prompt_tokens_details,
                       completion_tokens_details))

/// One model call of a run and what followed from it.
struct Step {
    std::string id;  ///< "step-<uuid>"
    std::optional<std::string> origin;
    std::string organization_id;
    std::optional<std::string> provider_id;
    std::optional<std::string> run_id;
    std::optional<std::string> agent_id;
    std::optional<std::string> provider_name;
    std::optional<std::string> provider_category;
    std::optional<std::string> model;
    std::optional<std::string> model_handle;
    std::optional<std::string> model_endpoint;
    std::optional<std::int64_t> context_window_limit;
    std::int64_t completion_tokens = 0;
    std::int64_t prompt_tokens = 0;
    std::int64_t total_tokens = 0;
    std::optional<std::int64_t> cached_input_tokens;
    std::optional<std::int64_t> cache_write_tokens;
    std::optional<std::int64_t> reasoning_tokens;
    std::optional<CompletionTokensDetails> completion_tokens_details;
    std::optional<PromptTokensDetails> prompt_tokens_details;
    std::optional<StopReason> stop_reason;
    std::vector<std::string> tags;
    std::optional<std::string> tid;
    std::optional<std::string> trace_id;
    std::optional<std::string> request_id;
    std::vector<Json> messages;  ///< deprecated, always empty
    std::optional<std::string> feedback;
    std::optional<std::string> project_id;
    std::optional<std::string> error_type;
    Json error_data;
    std::optional<std::string> status;  ///< pending, success, failed, cancelled
    Timestamp created_at{};             ///< orders lists; not described
};
BOOST_DESCRIBE_STRUCT(Step, (),
                      (id, origin, organization_id, provider_id, run_id, agent_id, provider_name, provider_category,
                       model, model_handle, model_endpoint, context_window_limit, completion_tokens, prompt_tokens,
                       total_tokens, cached_input_tokens, cache_write_tokens, reasoning_tokens,
                       completion_tokens_details, prompt_tokens_details, stop_reason, tags, tid, trace_id, request_id,
                       messages, feedback, project_id, error_type, error_data, status))

struct StepMetrics {
    std::string id;
    std::string organization_id;
    std::optional<std::string> provider_id;
    std::optional<std::string> run_id;
    std::optional<std::string> agent_id;
    std::optional<std::int64_t> step_start_ns;
    std::optional<std::int64_t> llm_request_start_ns;
    std::optional<std::int64_t> llm_request_ns;
    std::optional<std::int64_t> tool_execution_ns;
    std::optional<std::int64_t> step_ns;
    std::optional<std::string> base_template_id;
    std::optional<std::string> template_id;
    std::optional<std::string> project_id;
};
BOOST_DESCRIBE_STRUCT(StepMetrics, (),
                      (id, organization_id, provider_id, run_id, agent_id, step_start_ns, llm_request_start_ns,
                       llm_request_ns, tool_execution_ns, step_ns, base_template_id, template_id, project_id))

/// The exact exchange with the model in one step. Answer of GET /v1/steps/{step_id}/trace.
struct ProviderTrace {
    std::string id;
    Json request_json;
    Json response_json;
    std::optional<std::string> step_id;
    std::optional<std::string> agent_id;
    std::vector<std::string> agent_tags;
    std::optional<std::string> call_type = "agent_step";
    std::optional<std::string> run_id;
    std::optional<std::string> source;
    std::optional<std::string> org_id;
    std::optional<std::string> user_id;
    Json compaction_settings;
    Json llm_config;
    Json billing_context;
    std::optional<Timestamp> created_at;
    std::optional<Timestamp> updated_at;
    std::optional<std::string> created_by_id;
    std::optional<std::string> last_updated_by_id;
};
BOOST_DESCRIBE_STRUCT(ProviderTrace, (),
                      (id, request_json, response_json, step_id, agent_id, agent_tags, call_type, run_id, source,
                       org_id, user_id, compaction_settings, llm_config, billing_context, created_at, updated_at,
                       created_by_id, last_updated_by_id))

/// Body of PATCH /v1/steps/{step_id}/feedback.
struct StepFeedback {
    Patch<std::string> feedback;
    Patch<std::vector<std::string>> tags;
};
BOOST_DESCRIBE_STRUCT(StepFeedback, (), (feedback, tags))
void check(const StepFeedback& feedback, Problems& problems);

/// Body of POST /v1/agents/{agent_id}/messages/cancel.
struct CancelRequest {
    std::optional<std::vector<std::string>> run_ids;  ///< nothing: all that are at work
};
BOOST_DESCRIBE_STRUCT(CancelRequest, (), (run_ids))
void check(const CancelRequest& request, Problems& problems);

/// Body of POST /v1/runs/{run_id}/stream.
struct RetrieveStream {
    std::int64_t starting_after = 0;                    ///< the seq_id that was read last
    std::optional<bool> include_pings;                  ///< null: yes
    std::optional<double> poll_interval;                ///< seconds; readers are woken here, nothing is polled
    std::optional<std::int64_t> batch_size;             ///< events come as they are there
    std::optional<std::string> agent_id, run_id, otid;  ///< the path says which run
};
BOOST_DESCRIBE_STRUCT(RetrieveStream, (),
                      (starting_after, include_pings, poll_interval, batch_size, agent_id, run_id, otid))
void check(const RetrieveStream& request, Problems& problems);

/// Token counts of a whole run, as every message answer ends with them.
struct UsageStatistics {
    std::string message_type = "usage_statistics";
    std::int64_t completion_tokens = 0;
    std::int64_t prompt_tokens = 0;
    std::int64_t total_tokens = 0;
    std::int64_t step_count = 0;
    std::optional<std::vector<std::string>> run_ids;
    std::optional<std::int64_t> cached_input_tokens;
    std::optional<std::int64_t> cache_write_tokens;
    std::optional<std::int64_t> reasoning_tokens;
    std::optional<std::int64_t> context_tokens;
};
BOOST_DESCRIBE_STRUCT(UsageStatistics, (),
                      (message_type, completion_tokens, prompt_tokens, total_tokens, step_count, run_ids,
                       cached_input_tokens, cache_write_tokens, reasoning_tokens, context_tokens))

/// How a run ended, as it is kept for the readers of its stream.
struct RunOutcome {
    StopReason stop_reason = StopReason::end_turn;
    UsageStatistics usage;
    std::optional<std::string> error_type;  ///< why, if it failed
    std::optional<std::string> error_detail;
};
BOOST_DESCRIBE_STRUCT(RunOutcome, (), (stop_reason, usage, error_type, error_detail))

struct StopReasonMessage {
    std::string message_type = "stop_reason";
    StopReason stop_reason = StopReason::end_turn;
};
BOOST_DESCRIBE_STRUCT(StopReasonMessage, (), (message_type, stop_reason))

/// Adds the counts of one step.
void add(UsageStatistics& total, const Step& step);

}  // namespace stele
