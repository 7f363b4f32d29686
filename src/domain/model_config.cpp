#include "domain/model_config.hpp"

#include "domain/json_mapping.hpp"

namespace stele {
namespace {

constexpr std::string_view modes[] = {"sliding_window", "all", "self_compact_all", "self_compact_sliding_window"};

void check_mode(const std::string& mode, Problems& problems) {
    if (std::find(std::begin(modes), std::end(modes), mode) == std::end(modes))
        problems.add("mode", "must be one of: sliding_window, all, self_compact_all, self_compact_sliding_window",
                     "literal_error", json_string(mode));
}

void check_percentage(double percentage, Problems& problems) {
    if (percentage <= 0.0 || percentage > 1.0)
        problems.add("sliding_window_percentage", "must be above 0 and at most 1", "less_than_equal");
}

}  // namespace

void check(const LlmConfig& config, Problems& problems) {
    if (config.model.empty()) problems.add("model", "is required", "missing");
    if (config.context_window < 1) problems.add("context_window", "must be at least 1", "greater_than_equal");
}

void check(const EmbeddingConfig& config, Problems& problems) {
    if (config.embedding_model.empty()) problems.add("embedding_model", "is required", "missing");
    if (config.embedding_dim < 1) problems.add("embedding_dim", "must be at least 1", "greater_than_equal");
}

void check(const ModelSettings& settings, Problems& problems) {
    if (settings.max_output_tokens.has_value() && *settings.max_output_tokens < 1)
        problems.add("max_output_tokens", "must be at least 1", "greater_than_equal");
    if (settings.temperature.has_value() && (*settings.temperature < 0.0 || *settings.temperature > 2.0))
        problems.add("temperature", "must be between 0 and 2", "less_than_equal");
}

void check(const CompactionSettings& settings, Problems& problems) {
    check_mode(settings.mode, problems);
    check_percentage(settings.sliding_window_percentage, problems);
}

void check(const CompactionSettingsUpdate& settings, Problems& problems) {
    if (settings.mode.has_value()) check_mode(*settings.mode, problems);
    if (settings.sliding_window_percentage.has_value()) check_percentage(*settings.sliding_window_percentage, problems);
}

void apply(const ModelSettings& settings, LlmConfig& config) {
    if (settings.max_output_tokens.has_value()) config.max_tokens = *settings.max_output_tokens;
    if (settings.parallel_tool_calls.has_value()) config.parallel_tool_calls = *settings.parallel_tool_calls;
    settings.temperature.set_into(config.temperature);
    if (settings.reasoning.has_value() && settings.reasoning->reasoning_effort.present())
        config.reasoning_effort = settings.reasoning->reasoning_effort.optional();
    if (settings.thinking.has_value()) {
        const auto type = json_member_text(settings.thinking->text, "type");
        if (type) config.enable_reasoner = *type != "disabled";
        if (const auto budget = json_member_text(settings.thinking->text, "budget_tokens"))
            config.max_reasoning_tokens = std::atoll(budget->c_str());
    }
    if (settings.thinking_config.has_value()) {
        const auto include = json_member_text(settings.thinking_config->text, "include_thoughts");
        const auto budget = json_member_text(settings.thinking_config->text, "thinking_budget");
        config.max_reasoning_tokens = include && *include == "false" ? 0 : budget ? std::atoll(budget->c_str()) : 1024;
    }
    if (settings.response_format.present())
        config.response_format = settings.response_format.has_value() ? *settings.response_format : Json{};
    if (settings.verbosity.present()) config.verbosity = settings.verbosity.optional();
    if (settings.effort.present()) config.effort = settings.effort.optional();
    if (settings.tool_call_parser.present()) config.tool_call_parser = settings.tool_call_parser.optional();
    settings.strict.set_into(config.strict);
}

ModelSettings settings_of(const LlmConfig& config) {
    ModelSettings settings;
    settings.max_output_tokens = config.max_tokens.value_or(4096);
    settings.parallel_tool_calls = config.parallel_tool_calls.value_or(false);
    settings.provider_type = config.model_endpoint_type;
    settings.temperature = config.temperature;
    if (settings.provider_type == "openai" || settings.provider_type == "sglang") {
        ReasoningSettings reasoning;
        reasoning.reasoning_effort = config.reasoning_effort.value_or("minimal");
        settings.reasoning = reasoning;
    }
    if (config.response_format.is_null())
        settings.response_format = std::nullopt;
    else
        settings.response_format = config.response_format;
    settings.strict = config.strict;
    return settings;
}

bool apply(const CompactionSettingsUpdate& update, CompactionSettings& settings) {
    bool changed = update.model.set_into(settings.model);
    if (update.model_settings.present()) {
        settings.model_settings = update.model_settings.has_value() ? *update.model_settings : Json{};
        changed = true;
    }
    if (update.mode.set_into(settings.mode)) {
        changed = true;
        if (!update.prompt.has_value()) settings.prompt = default_compaction_prompt(settings.mode);
    }
    changed |= update.prompt.set_into(settings.prompt);
    changed |= update.prompt_acknowledgement.set_into(settings.prompt_acknowledgement);
    changed |= update.clip_chars.set_into(settings.clip_chars);
    changed |= update.sliding_window_percentage.set_into(settings.sliding_window_percentage);
    return changed;
}

std::string default_compaction_prompt(const std::string& mode) {
    const bool window = mode == "sliding_window" || mode == "self_compact_sliding_window";
    std::string prompt =
        "The conversation below is about to leave your context. Write the notes that let you go on as if you still saw "
        "it. Keep: who the people are and what they want; every decision, promise, number, name, path and identifier; "
        "what was tried and how it ended; what is still open and the very next step. Leave out greetings and anything "
        "that the memory blocks already hold. Write plain sentences in the language of the conversation, facts before "
        "impressions, newest state last, at most 400 words. Answer with the notes alone.";
    if (window)
        prompt +=
            " Later messages stay visible after your notes, so describe only what happens in the part you are shown.";
    return prompt;
}

STELE_JSON(LlmConfig)
STELE_JSON(EmbeddingConfig)
STELE_JSON(ModelSettings)
STELE_JSON(CompactionSettings)
STELE_JSON_WRITTEN(ModelListing)
STELE_JSON_WRITTEN(EmbeddingListing)

}  // namespace stele
