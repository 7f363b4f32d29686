#include "domain/run_trace.hpp"

#include "domain/json_mapping.hpp"

namespace stele {
namespace {

TraceSpan child_of(const TraceSpan& parent, const std::string& id, const std::string& name, Timestamp begin,
                   std::int64_t duration) {
    TraceSpan span;
    span.trace_id = parent.trace_id;
    span.span_id = id;
    span.parent_span_id = parent.span_id;
    span.span_name = name;
    span.timestamp = begin;
    span.duration = duration;
    return span;
}

Timestamp at_ns(std::int64_t nanoseconds) { return from_micros(nanoseconds / 1'000); }

}  // namespace

std::vector<TraceSpan> spans_of(const Run& run, const std::vector<StepMetrics>& steps) {
    std::vector<TraceSpan> spans;
    TraceSpan root;
    root.trace_id = root.span_id = run.id;
    root.span_name = "run";
    root.span_kind = "server";
    root.timestamp = run.created_at;
    root.duration = run.total_duration_ns.value_or(0);
    root.attributes = {{"run_id", run.id}, {"agent_id", run.agent_id}};
    if (run.status == RunStatus::failed) {
        root.status_code = "error";
        root.status_message = run.stop_reason ? std::string(to_string(*run.stop_reason)) : std::string("failed");
    }
    spans.push_back(root);
    if (run.ttft_ns)
        spans.push_back(child_of(root, run.id + ":ttft", "time_to_first_token", run.created_at, *run.ttft_ns));
    for (const StepMetrics& step : steps) {
        const std::int64_t begin = step.step_start_ns.value_or(0);
        TraceSpan& span =
            spans.emplace_back(child_of(root, step.id, "agent_step", at_ns(begin), step.step_ns.value_or(0)));
        span.attributes = {{"step_id", step.id}};
        if (step.llm_request_ns) span.attributes.emplace_back("llm_request_ns", std::to_string(*step.llm_request_ns));
        if (!step.tool_execution_ns || *step.tool_execution_ns == 0) continue;
        // Tools run when the model has answered.
        const std::int64_t tools_begin = step.llm_request_start_ns.value_or(begin) + step.llm_request_ns.value_or(0);
        const TraceSpan parent = span;
        spans.push_back(
            child_of(parent, step.id + ":tools", "tool_execution", at_ns(tools_begin), *step.tool_execution_ns));
    }
    return spans;
}

STELE_JSON_WRITTEN(TraceSpan)

}  // namespace stele
