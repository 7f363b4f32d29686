#include "domain/run.hpp"

#include "base/ids.hpp"
#include "domain/json_mapping.hpp"

namespace stele {
namespace {

template <class E>
std::optional<E> parse_word(std::string_view text) {
    std::optional<E> found;
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<E>>([&](auto enumerator) {
        if (text == enumerator.name) found = enumerator.value;
    });
    return found;
}

void add_optional(std::optional<std::int64_t>& total, const std::optional<std::int64_t>& more) {
    if (more) total = total.value_or(0) + *more;
}

}  // namespace

RunStatus status_of(StopReason reason) {
    switch (reason) {
        case StopReason::end_turn:
        case StopReason::tool_rule:
        case StopReason::max_steps:
        case StopReason::requires_approval:
            return RunStatus::completed;
        case StopReason::cancelled:
            return RunStatus::cancelled;
        case StopReason::error:
        case StopReason::llm_api_error:
        case StopReason::invalid_llm_response:
        case StopReason::invalid_tool_call:
        case StopReason::max_tokens_exceeded:
        case StopReason::no_tool_call:
        case StopReason::insufficient_credits:
        case StopReason::context_window_overflow_in_system_prompt:
            return RunStatus::failed;
    }
    return RunStatus::failed;
}

std::string_view to_string(StopReason reason) { return mapping::enum_word(reason); }
std::string_view to_string(RunStatus status) { return mapping::enum_word(status); }
std::optional<StopReason> parse_stop_reason(std::string_view word) { return parse_word<StopReason>(word); }
std::optional<RunStatus> parse_run_status(std::string_view word) { return parse_word<RunStatus>(word); }

void check(const StepFeedback& feedback, Problems& problems) {
    if (feedback.feedback.has_value() && *feedback.feedback != "positive" && *feedback.feedback != "negative")
        problems.add("feedback", "must be one of: positive, negative", "enum", json_string(*feedback.feedback));
}

void check(const CancelRequest& request, Problems& problems) {
    if (!request.run_ids) return;
    for (const std::string& id : *request.run_ids)
        if (!is_id(id, "run"))
            problems.add("run_ids", "must match 'run-{uuid4}'", "string_pattern_mismatch", json_string(id));
}

void check(const RetrieveStream& request, Problems& problems) {
    if (request.starting_after < 0) problems.add("starting_after", "must not be negative", "greater_than_equal");
    if (request.poll_interval && *request.poll_interval < 0)
        problems.add("poll_interval", "must not be negative", "greater_than_equal");
    if (request.batch_size && *request.batch_size < 1)
        problems.add("batch_size", "must be at least 1", "greater_than_equal");
}

void add(UsageStatistics& total, const Step& step) {
    total.completion_tokens += step.completion_tokens;
    total.prompt_tokens += step.prompt_tokens;
    total.total_tokens += step.total_tokens;
    total.step_count += 1;
    add_optional(total.cached_input_tokens, step.cached_input_tokens);
    add_optional(total.cache_write_tokens, step.cache_write_tokens);
    add_optional(total.reasoning_tokens, step.reasoning_tokens);
    total.context_tokens = step.total_tokens;
}

STELE_JSON_WRITTEN(Run)
STELE_JSON_WRITTEN(Job)
STELE_JSON(RunRequestConfig)
STELE_JSON_WRITTEN(RunMetrics)
STELE_JSON_WRITTEN(RunUsage)
STELE_JSON(Step)
STELE_JSON_WRITTEN(StepMetrics)
STELE_JSON_WRITTEN(ProviderTrace)
STELE_JSON_READ(StepFeedback)
STELE_JSON_READ(CancelRequest)
STELE_JSON_READ(RetrieveStream)
STELE_JSON(RunOutcome)
STELE_JSON_WRITTEN(UsageStatistics)
STELE_JSON_WRITTEN(StopReasonMessage)

}  // namespace stele
