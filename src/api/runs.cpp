#include "api/identity_query.hpp"
#include "api/run_answer.hpp"
#include "domain/run_trace.hpp"
#include "runtime/runtime.hpp"
#include "storage/database.hpp"
#include "storage/run_repository.hpp"

#include <algorithm>

namespace stele::api {
namespace {

// "<prefix>" the number, "<prefix>_operator" how a run's is compared with it.
std::optional<storage::Comparison> comparison(const Query& query, const std::string& number_name,
                                              const std::string& operator_name, std::string_view usual) {
    struct Operator {
        std::string_view word, sql;
    };
    constexpr Operator operators[] = {{"eq", "="}, {"gte", ">="}, {"lte", "<="}, {"gt", ">"}, {"lt", "<"}};
    const auto number = query.integer(number_name);
    const std::string word = query.text(operator_name).value_or(std::string(usual));
    const auto known = std::find_if(std::begin(operators), std::end(operators),
                                    [&](const Operator& each) { return each.word == word; });
    if (known == std::end(operators)) throw invalid_field("query." + operator_name, "must be eq, gte, lte, gt or lt");
    if (!number) return std::nullopt;
    return storage::Comparison{known->sql, *number};
}

std::optional<std::int64_t> percentile(const Query& query) {
    const auto part = query.integer("duration_percentile");
    if (part && (*part < 1 || *part > 100))
        throw invalid_field("query.duration_percentile", "must lie between 1 and 100");
    return part;
}

awaitable<storage::RunFilter> filter_of(const Services& services, const Request& request) {
    const Query& query = request.query;
    storage::RunFilter filter;
    if (const auto agent_id = query.text("agent_id"))
        filter.agent_ids = {*agent_id};
    else
        filter.agent_ids = query.list("agent_ids");
    filter.statuses = query.list("statuses");
    for (const std::string& status : filter.statuses)
        if (!parse_run_status(status)) throw invalid_field("query.statuses", "is no status of a run: " + status);
    if (filter.statuses.empty() && query.flag("active").value_or(false)) filter.statuses = {"created", "running"};
    filter.stop_reason = query.text("stop_reason");
    if (filter.stop_reason && !parse_stop_reason(*filter.stop_reason))
        throw invalid_field("query.stop_reason", "is no stop reason");
    filter.conversation_id = query.text("conversation_id");
    filter.project_id = query.text("project_id");
    filter.base_template_id = query.text("template_family");
    filter.background = query.flag("background");
    filter.run_id = query.text("run_id");
    filter.tools_used = query.list("tools_used");
    filter.after_time = query.time("start_date", false);
    filter.before_time = query.time("end_date", true);
    filter.step_count = comparison(query, "step_count", "step_count_operator", "eq");
    filter.duration_ns = comparison(query, "duration_value", "duration_operator", "eq");
    filter.duration_percentile = percentile(query);
    std::optional<std::string> named = query.text("identity_id");
    filter.identity_id = co_await identity_filter(services, request, std::move(named));
    co_return filter;
}

awaitable<Response> list(Services& services, const Request& request) {
    storage::Page page =
        page_of(request.query, {.limit = 100, .order_by = {"created_at", "duration"}, .refuse_above_max = true});
    storage::RunFilter filter = co_await filter_of(services, request);
    const std::vector<Run> runs =
        co_await services.runs.list(request.organization_id, std::move(filter), std::move(page),
                                    services.runtime.active_of(request.organization_id));
    co_return answer(runs);
}

awaitable<Response> list_active(Services& services, const Request& request) {
    storage::Page page;
    page.limit = 100;
    storage::RunFilter filter = co_await filter_of(services, request);
    filter.statuses = {"created", "running"};
    const std::vector<Run> runs =
        co_await services.runs.list(request.organization_id, std::move(filter), std::move(page),
                                    services.runtime.active_of(request.organization_id));
    co_return answer(runs);
}

awaitable<Run> find_run(const Services& services, const Request& request) {
    return find_run(services, request.organization_id, request.path_id("run_id", "run"));
}

awaitable<Response> retrieve(Services& services, const Request& request) {
    const Run run = co_await find_run(services, request);
    const Run shown = co_await with_result(services, request.organization_id, run);
    co_return answer(shown);
}

awaitable<Response> remove(Services& services, const Request& request) {
    const Run run = co_await find_run(services, request);
    if (run.status == RunStatus::created || run.status == RunStatus::running)
        throw Error(ErrorCode::conflict, "The run is at work; it can be deleted once it has ended");
    storage::Transaction transaction;
    services.runs.remove(transaction, request.organization_id, run.id);
    co_await services.database.commit(std::move(transaction));
    co_return answer(run);
}

// Older clients may ask for the messages of one role.
std::optional<std::string> role_of(const Query& query) {
    auto role = query.text("role");
    constexpr std::string_view roles[] = {"system", "user", "assistant", "tool", "approval", "summary", "function"};
    if (role && std::find(std::begin(roles), std::end(roles), *role) == std::end(roles))
        throw invalid_field("query.role", "is no role of a message: " + *role);
    return role;
}

awaitable<Response> list_messages(Services& services, const Request& request) {
    storage::Page page = page_of(request.query, {.limit = 100, .ascending = true});
    const Run run = co_await find_run(services, request);
    std::optional<std::string> role = role_of(request.query);
    const std::vector<LettaMessage> messages =
        co_await messages_of_run(services, request.organization_id, run, std::move(page), std::move(role));
    co_return answer(messages);
}

awaitable<Response> list_steps(Services& services, const Request& request) {
    storage::Page page = page_of(request.query, {.limit = 100});
    const Run run = co_await find_run(services, request);
    storage::StepFilter filter;
    filter.run_id = run.id;
    const std::vector<Step> steps =
        co_await services.runs.list_steps(request.organization_id, std::move(filter), std::move(page));
    co_return answer(steps);
}

awaitable<Response> usage(Services& services, const Request& request) {
    const Run run = co_await find_run(services, request);
    const RunUsage counts = co_await services.runs.usage(run.id);
    co_return answer(counts);
}

awaitable<Response> metrics(Services& services, const Request& request) {
    const Run run = co_await find_run(services, request);
    RunMetrics shown;
    shown.id = run.id;
    shown.organization_id = request.organization_id;
    shown.agent_id = run.agent_id;
    shown.run_start_ns = to_micros(run.created_at) * 1'000;
    shown.run_ns = run.total_duration_ns;
    shown.num_steps = run.step_count;
    if (!run.tools_used.empty()) shown.tools_used = run.tools_used;
    co_return answer(shown);
}

awaitable<Response> trace(Services& services, const Request& request) {
    constexpr std::int64_t usual = 1'000, most = 5'000;
    const std::int64_t limit = request.query.integer("limit").value_or(usual);
    if (limit < 1 || limit > most) throw invalid_field("query.limit", "must lie between 1 and 5000");
    const Run run = co_await find_run(services, request);
    const std::vector<StepMetrics> steps =
        co_await services.runs.metrics_of_run(request.organization_id, run.id, limit);
    std::vector<TraceSpan> spans = spans_of(run, steps);
    if (spans.size() > static_cast<std::size_t>(limit)) spans.resize(static_cast<std::size_t>(limit));
    co_return answer(spans);
}

constexpr std::string_view filters =
    "agent_id, agent_ids[], statuses[], active:boolean, stop_reason, conversation_id, project_id, background:boolean,"
    " run_id, tools_used[], start_date:date-time, end_date:date-time, step_count:integer, step_count_operator,"
    " duration_value:integer, duration_operator, duration_percentile:integer, template_family, identity_id";

}  // namespace

std::span<const Route> run_routes() {
    static constexpr Route routes[] = {
        {Method::get, "/v1/runs", list, "runs.list", "", "Run[]", filters, Trait::paged},
        {Method::get, "/v1/_internal_runs", list, "internal_runs.list", "", "Run[]", filters, Trait::paged},
        {Method::get, "/v1/runs/active", list_active, "runs.list_active", "", "Run[]", filters},
        {Method::get, "/v1/runs/{run_id}", retrieve, "runs.retrieve", "", "Run"},
        {Method::delete_, "/v1/runs/{run_id}", remove, "runs.delete", "", "Run"},
        {Method::get, "/v1/runs/{run_id}/messages", list_messages, "runs.messages.list", "", "LettaMessage[]", "role",
         Trait::paged},
        {Method::get, "/v1/runs/{run_id}/steps", list_steps, "runs.steps.list", "", "Step[]", "", Trait::paged},
        {Method::get, "/v1/runs/{run_id}/usage", usage, "runs.usage.retrieve", "", "RunUsage"},
        {Method::get, "/v1/runs/{run_id}/metrics", metrics, "runs.metrics.retrieve", "", "RunMetrics"},
        {Method::get, "/v1/runs/{run_id}/trace", trace, "runs.trace.retrieve", "", "TraceSpan[]", "limit:integer"},
    };
    return routes;
}

}  // namespace stele::api
