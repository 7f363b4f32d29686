#pragma once

#include "domain/json.hpp"

#include <boost/describe/class.hpp>

namespace stele {

/// How an agent's model is called: the older, flat form that answers still carry.
struct LlmConfig {
    std::string model;
    std::optional<std::string> display_name;
    std::string model_endpoint_type = "openai";
    std::optional<std::string> model_endpoint;
    std::optional<std::string> provider_name;
    std::optional<std::string> provider_category;
    std::optional<std::string> model_wrapper;
    std::int64_t context_window = 30'000;
    std::optional<bool> put_inner_thoughts_in_kwargs = false;
    std::optional<std::string> handle;
    double temperature = 1.0;
    std::optional<std::int64_t> max_tokens;
    bool enable_reasoner = true;
    std::optional<std::string> reasoning_effort;
    std::int64_t max_reasoning_tokens = 0;
    std::optional<std::string> effort;
    std::optional<double> frequency_penalty;
    std::optional<std::string> compatibility_type;
    std::optional<std::string> verbosity;
    std::optional<std::string> tier;
    std::optional<bool> parallel_tool_calls = false;
    Json response_format;
    bool strict = false;
    bool return_logprobs = false;
    std::optional<std::int64_t> top_logprobs;
    bool return_token_ids = false;
    std::optional<std::string> tool_call_parser;
};
BOOST_DESCRIBE_STRUCT(LlmConfig, (),
                      (model, display_name, model_endpoint_type, model_endpoint, provider_name, provider_category,
                       model_wrapper, context_window, put_inner_thoughts_in_kwargs, handle, temperature, max_tokens,
                       enable_reasoner, reasoning_effort, max_reasoning_tokens, effort, frequency_penalty,
                       compatibility_type, verbosity, tier, parallel_tool_calls, response_format, strict,
                       return_logprobs, top_logprobs, return_token_ids, tool_call_parser))
void check(const LlmConfig& config, Problems& problems);

struct EmbeddingConfig {
    std::string embedding_endpoint_type = "openai";
    std::optional<std::string> embedding_endpoint;
    std::string embedding_model;
    std::int64_t embedding_dim = 1536;
    std::optional<std::int64_t> embedding_chunk_size = 300;
    std::optional<std::string> handle;
    std::int64_t batch_size = 32;
    std::optional<std::string> azure_endpoint;
    std::optional<std::string> azure_version;
    std::optional<std::string> azure_deployment;
};
BOOST_DESCRIBE_STRUCT(EmbeddingConfig, (),
                      (embedding_endpoint_type, embedding_endpoint, embedding_model, embedding_dim,
                       embedding_chunk_size, handle, batch_size, azure_endpoint, azure_version, azure_deployment))
void check(const EmbeddingConfig& config, Problems& problems);

struct ReasoningSettings {
    Patch<std::string> reasoning_effort;
};
BOOST_DESCRIBE_STRUCT(ReasoningSettings, (), (reasoning_effort))

/// How an agent's model is called: the newer form, a union on `provider_type`. Members of other providers are absent.
struct ModelSettings {
    Patch<std::int64_t> max_output_tokens;
    Patch<bool> parallel_tool_calls;
    std::string provider_type = "openai";
    Patch<double> temperature;
    Patch<ReasoningSettings> reasoning;
    Patch<Json> thinking;         ///< anthropic, zai
    Patch<Json> thinking_config;  ///< google_ai, google_vertex
    Patch<Json> response_format;
    Patch<Json> response_schema;
    Patch<std::string> verbosity;
    Patch<std::string> effort;
    Patch<std::string> tool_call_parser;
    Patch<bool> strict;
};
BOOST_DESCRIBE_STRUCT(ModelSettings, (),
                      (max_output_tokens, parallel_tool_calls, provider_type, temperature, reasoning, thinking,
                       thinking_config, response_format, response_schema, verbosity, effort, tool_call_parser, strict))
void check(const ModelSettings& settings, Problems& problems);

/// Writes what `settings` holds over `config`: the sent members, with max_output_tokens only when it was sent.
void apply(const ModelSettings& settings, LlmConfig& config);

/// The newer form of `config`, for answers.
ModelSettings settings_of(const LlmConfig& config);

struct CompactionSettings {
    std::optional<std::string> model;
    Json model_settings;
    std::optional<std::string> prompt;
    bool prompt_acknowledgement = false;
    std::optional<std::int64_t> clip_chars = 50'000;
    std::string mode = "sliding_window";
    double sliding_window_percentage = 0.3;
};
BOOST_DESCRIBE_STRUCT(CompactionSettings, (),
                      (model, model_settings, prompt, prompt_acknowledgement, clip_chars, mode,
                       sliding_window_percentage))
void check(const CompactionSettings& settings, Problems& problems);

struct CompactionSettingsUpdate {
    Patch<std::string> model;
    Patch<Json> model_settings;
    Patch<std::string> prompt;
    Patch<bool> prompt_acknowledgement;
    Patch<std::int64_t> clip_chars;
    Patch<std::string> mode;
    Patch<double> sliding_window_percentage;
};
BOOST_DESCRIBE_STRUCT(CompactionSettingsUpdate, (),
                      (model, model_settings, prompt, prompt_acknowledgement, clip_chars, mode,
                       sliding_window_percentage))
void check(const CompactionSettingsUpdate& settings, Problems& problems);

/// Merges the members that were sent; a new mode without a prompt gets that mode's own.
bool apply(const CompactionSettingsUpdate& update, CompactionSettings& settings);

/// The prompt that asks for a summary, by mode.
std::string default_compaction_prompt(const std::string& mode);

/// An element of GET /v1/models.
struct ModelListing {
    std::string handle;
    std::string name;
    std::string display_name;
    std::string provider_type;
    std::string provider_name;
    std::string model_type = "llm";
    std::string model;
    std::string model_endpoint_type = "openai";
    std::optional<std::string> model_endpoint;
    std::string provider_category = "base";
    std::optional<std::string> model_wrapper;
    std::int64_t context_window = 0;
    bool put_inner_thoughts_in_kwargs = false;
    double temperature = 1.0;
    std::optional<std::int64_t> max_tokens;
    bool enable_reasoner = true;
    std::optional<std::string> reasoning_effort;
    std::int64_t max_reasoning_tokens = 0;
    std::optional<std::string> effort;
    std::optional<double> frequency_penalty;
    std::optional<std::string> compatibility_type;
    std::optional<std::string> verbosity;
    std::optional<std::string> tier;
    bool parallel_tool_calls = false;
    Json response_format;
    bool strict = false;
    bool return_logprobs = false;
    std::optional<std::int64_t> top_logprobs;
    bool return_token_ids = false;
    std::optional<std::string> tool_call_parser;
    std::int64_t max_context_window = 0;
};
BOOST_DESCRIBE_STRUCT(ModelListing, (),
                      (handle, name, display_name, provider_type, provider_name, model_type, model, model_endpoint_type,
                       model_endpoint, provider_category, model_wrapper, context_window, put_inner_thoughts_in_kwargs,
                       temperature, max_tokens, enable_reasoner, reasoning_effort, max_reasoning_tokens, effort,
                       frequency_penalty, compatibility_type, verbosity, tier, parallel_tool_calls, response_format,
                       strict, return_logprobs, top_logprobs, return_token_ids, tool_call_parser, max_context_window))

/// An element of GET /v1/models/embedding.
struct EmbeddingListing {
    std::string handle;
    std::string name;
    std::string display_name;
    std::string provider_type;
    std::string provider_name;
    std::string model_type = "embedding";
    std::string embedding_endpoint_type = "openai";
    std::optional<std::string> embedding_endpoint;
    std::string embedding_model;
    std::int64_t embedding_dim = 0;
    std::int64_t embedding_chunk_size = 300;
    std::int64_t batch_size = 32;
    std::optional<std::string> azure_endpoint;
    std::optional<std::string> azure_version;
    std::optional<std::string> azure_deployment;
};
BOOST_DESCRIBE_STRUCT(EmbeddingListing, (),
                      (handle, name, display_name, provider_type, provider_name, model_type, embedding_endpoint_type,
                       embedding_endpoint, embedding_model, embedding_dim, embedding_chunk_size, batch_size,
                       azure_endpoint, azure_version, azure_deployment))

}  // namespace stele
