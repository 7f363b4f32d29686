#pragma once

#include "domain/run.hpp"

namespace stele {

/// A stretch of a run's time. Answer of GET /v1/runs/{run_id}/trace.
struct TraceSpan {
    std::string trace_id;  ///< the run
    std::string span_id;
    std::optional<std::string> parent_span_id;
    std::string span_name;  ///< run, agent_step, time_to_first_token, tool_execution
    std::string span_kind = "internal";
    std::string service_name = "stele";
    Timestamp timestamp{};
    std::int64_t duration = 0;  ///< nanoseconds
    std::string status_code = "ok";
    std::optional<std::string> status_message;
    TextMap attributes;
};
BOOST_DESCRIBE_STRUCT(TraceSpan, (),
                      (trace_id, span_id, parent_span_id, span_name, span_kind, service_name, timestamp, duration,
                       status_code, status_message, attributes))

/// The spans of a run, from what was measured of it and its steps: the run, its time to the first token, each step and
/// the tools within it. A run that has not ended shows the steps it has made.
std::vector<TraceSpan> spans_of(const Run& run, const std::vector<StepMetrics>& steps);

}  // namespace stele
