// What a step of a turn leaves on record.
#include "runtime/turn_work.hpp"

namespace stele::runtime {

// What every record of a step of this run says.
Step Turn::step_head(std::string id, const char* status) const {
    Step step;
    step.id = std::move(id);
    step.organization_id = request_.organization_id;
    step.run_id = run_.id;
    step.agent_id = request_.agent_id;
    step.provider_name = model_.info().provider_name;
    step.provider_category = model_.info().provider_category;
    step.model = model_.info().model;
    step.model_handle = loaded_.agent.llm_config.handle && !request_.body.override_model
                            ? loaded_.agent.llm_config.handle
                            : std::optional(model_.info().handle);
    step.model_endpoint = model_.info().model_endpoint;
    step.context_window_limit = loaded_.agent.llm_config.context_window;
    step.status = status;
    step.created_at = now();
    return step;
}

Step Turn::make_step(const StepWork& work) const {
    const char* status = work.part == StepWork::Part::calls ? "pending" : work.cut_off ? "cancelled" : "success";
    Step step = step_head(work.step_id, status);
    step.created_at = work.created_at;
    if (const auto* stop = std::get_if<Stop>(&work.action)) step.stop_reason = stop->reason;
    if (!work.answer.usage) return step;
    const llm::Usage& usage = *work.answer.usage;
    step.prompt_tokens = usage.input.value_or(0);
    step.completion_tokens = usage.output.value_or(0);
    step.total_tokens = usage.total.value_or(step.prompt_tokens + step.completion_tokens);
    step.cached_input_tokens = usage.cached_input;
    step.cache_write_tokens = usage.cache_write;
    step.reasoning_tokens = usage.reasoning;
    if (usage.reasoning) step.completion_tokens_details.emplace().reasoning_tokens = usage.reasoning;
    if (usage.cached_input || usage.cache_write) {
        PromptTokensDetails& details = step.prompt_tokens_details.emplace();
        details.cached_tokens = details.cache_read_tokens = usage.cached_input;
        details.cache_creation_tokens = usage.cache_write;
    }
    return step;
}

}  // namespace stele::runtime
