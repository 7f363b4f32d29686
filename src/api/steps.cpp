#include "api/message_answer.hpp"
#include "api/message_page.hpp"
#include "base/ids.hpp"
#include "storage/agent_repository.hpp"
#include "storage/database.hpp"
#include "storage/run_repository.hpp"

#include <algorithm>

namespace stele::api {
namespace {

storage::StepFilter filter_of(const Query& query) {
    storage::StepFilter filter;
    filter.agent_id = query.text("agent_id");
    filter.model = query.text("model");
    filter.project_id = query.text("project_id");
    filter.feedback = query.text("feedback");
    if (filter.feedback && *filter.feedback != "positive" && *filter.feedback != "negative")
        throw invalid_field("query.feedback", "must be positive or negative");
    filter.tags = query.list("tags");
    filter.trace_ids = query.list("trace_ids");
    filter.has_feedback = query.flag("has_feedback");
    filter.after_time = query.time("start_date", false);
    filter.before_time = query.time("end_date", true);
    return filter;
}

awaitable<Step> find_step(const Services& services, const Request& request) {
    const std::string id = request.path_id("step_id", "step");
    auto step = co_await services.runs.find_step(request.organization_id, id);
    if (!step) throw not_found("Step", id);
    co_return std::move(*step);
}

awaitable<Response> list(Services& services, const Request& request) {
    storage::Page page = page_of(request.query, {});
    storage::StepFilter filter = filter_of(request.query);
    const std::vector<Step> steps =
        co_await services.runs.list_steps(request.organization_id, std::move(filter), std::move(page));
    co_return answer(steps);
}

awaitable<Response> retrieve(Services& services, const Request& request) {
    const Step step = co_await find_step(services, request);
    co_return answer(step);
}

awaitable<Response> metrics(Services& services, const Request& request) {
    const std::string id = request.path_id("step_id", "step");
    const auto found = co_await services.runs.step_metrics(request.organization_id, id);
    if (!found) throw not_found("Step", id);
    co_return answer(*found);
}

// null for an unknown step and for one whose trace was not kept.
awaitable<Response> trace_of(const Services& services, std::string organization_id, std::string step_id) {
    const auto found = co_await services.runs.step_trace(std::move(organization_id), std::move(step_id));
    if (!found) co_return json_answer("null");
    co_return answer(*found);
}

awaitable<Response> trace(Services& services, const Request& request) {
    return trace_of(services, request.organization_id, request.path_id("step_id", "step"));
}

// The older spelling, with the id in the query.
awaitable<Response> trace_by_query(Services& services, const Request& request) {
    const std::string id = request.query.text("step_id").value_or("");
    if (!is_id(id, "step")) throw invalid_field("query.step_id", "must match 'step-{uuid4}'");
    return trace_of(services, request.organization_id, id);
}

// An id that the client's own books give the step.
awaitable<Response> set_transaction(Services& services, const Request& request) {
    Step step = co_await find_step(services, request);
    step.tid = request.path("transaction_id");
    storage::Transaction transaction;
    services.runs.update_step(transaction, step);
    co_await services.database.commit(std::move(transaction));
    co_return answer(step);
}

// Older clients send the feedback in the query.
awaitable<Response> feedback(Services& services, const Request& request) {
    auto change = decode_optional<StepFeedback>(request);
    if (!change.feedback.present())
        if (auto word = request.query.text("feedback")) change.feedback = std::move(*word);
    Problems problems("body");
    check(change, problems);
    problems.throw_if_any();
    Step step = co_await find_step(services, request);
    change.feedback.set_into(step.feedback);
    change.tags.set_into(step.tags);
    storage::Transaction transaction;
    services.runs.update_step(transaction, step);
    co_await services.database.commit(std::move(transaction));
    co_return answer(step);
}

awaitable<Response> list_messages(Services& services, const Request& request) {
    storage::Page page = page_of(request.query, {.limit = 100, .ascending = true});
    const Step step = co_await find_step(services, request);
    const auto agent = co_await services.agents.find(request.organization_id, step.agent_id.value_or(""));
    storage::MessageFilter filter;
    filter.step_id = step.id;
    filter.agent_id = step.agent_id;
    const bool ascending = page.ascending;
    const ViewOptions view = view_of(agent ? agent->agent_type : AgentType::letta_v1_agent);
    const std::vector<Message> messages =
        co_await page_that_shows(services, request.organization_id, filter, in_time_order(std::move(page)), view);
    std::vector<LettaMessage> shown = expand_all(messages, view);
    if (!ascending) std::reverse(shown.begin(), shown.end());
    co_return answer(shown);
}

constexpr std::string_view filters =
    "agent_id, model, project_id, feedback, has_feedback:boolean, tags[], trace_ids[], start_date:date-time,"
    " end_date:date-time";

}  // namespace

std::span<const Route> step_routes() {
    static constexpr Route routes[] = {
        {Method::get, "/v1/steps", list, "steps.list", "", "Step[]", filters, Trait::paged},
        {Method::get, "/v1/steps/{step_id}", retrieve, "steps.retrieve", "", "Step"},
        {Method::get, "/v1/steps/{step_id}/metrics", metrics, "steps.metrics.retrieve", "", "StepMetrics"},
        {Method::get, "/v1/steps/{step_id}/trace", trace, "steps.trace.retrieve", "", "ProviderTrace?"},
        {Method::get, "/v1/telemetry/{step_id}", trace, "telemetry.retrieve", "", "ProviderTrace?"},
        {Method::get, "/v1/telemetry/provider-trace", trace_by_query, "telemetry.retrieve_alias", "", "ProviderTrace?",
         "step_id!"},
        {Method::patch, "/v1/steps/{step_id}/transaction/{transaction_id}", set_transaction, "steps.transaction", "",
         "Step"},
        {Method::patch, "/v1/steps/{step_id}/feedback", feedback, "steps.feedback.create", "StepFeedback?", "Step",
         "feedback"},
        {Method::get, "/v1/steps/{step_id}/messages", list_messages, "steps.messages.list", "", "LettaMessage[]", "",
         Trait::paged},
    };
    return routes;
}

}  // namespace stele::api
