#include "api/message_answer.hpp"

#include <algorithm>

namespace stele::api {
namespace {

storage::RunFilter filter_of(const Query& query) {
    storage::RunFilter filter;
    if (const auto agent_id = query.text("agent_id"); agent_id && !agent_id->empty())
        filter.agent_ids = {*agent_id};
    else
        filter.agent_ids = query.list("agent_ids");
    filter.statuses = query.list("statuses");
    for (const std::string& status : filter.statuses)
        if (!parse_run_status(status)) throw invalid_field("query.statuses", "is no status of a run: " + status);
    if (filter.statuses.empty() && query.flag("active").value_or(false)) filter.statuses = {"created", "running"};
    filter.stop_reason = query.text("stop_reason");
    filter.conversation_id = query.text("conversation_id");
    filter.project_id = query.text("project_id");
    filter.background = query.flag("background");
    return filter;
}

bool matches(const storage::RunFilter& filter, const Run& run) {
    const auto among = [](const std::vector<std::string>& list, std::string_view item) {
        return list.empty() || std::find(list.begin(), list.end(), item) != list.end();
    };
    return among(filter.agent_ids, run.agent_id) && among(filter.statuses, to_string(run.status)) &&
           !filter.stop_reason &&
           (!filter.conversation_id || filter.conversation_id == run.conversation_id.value_or("")) &&
           (!filter.background || filter.background == run.background);
}

// A run at work may have no row yet: the first page shows it all the same.
void add_active(const Services& services, const storage::RunFilter& filter, const storage::Page& page,
                std::vector<Run>& runs) {
    if (page.before || page.after || page.ascending) return;
    std::vector<Run> at_work = services.runtime.active();
    std::erase_if(at_work, [&](const Run& run) {
        return !matches(filter, run) ||
               std::any_of(runs.begin(), runs.end(), [&](const Run& stored) { return stored.id == run.id; });
    });
    runs.insert(runs.begin(), at_work.begin(), at_work.end());
    if (runs.size() > static_cast<std::size_t>(page.limit)) runs.resize(static_cast<std::size_t>(page.limit));
}

awaitable<Response> list(Services& services, const Request& request) {
    storage::Page page = page_of(request.query, {.limit = 100, .refuse_above_max = true});
    storage::RunFilter filter = filter_of(request.query);
    std::vector<Run> runs = co_await services.runs.list(request.organization_id, filter, page);
    add_active(services, filter, page, runs);
    co_return answer(runs);
}

awaitable<Response> list_active(Services& services, const Request& request) {
    storage::Page page;
    page.limit = 100;
    storage::RunFilter filter = filter_of(request.query);
    filter.statuses = {"created", "running"};
    std::vector<Run> runs = co_await services.runs.list(request.organization_id, filter, page);
    add_active(services, filter, page, runs);
    co_return answer(runs);
}

awaitable<Run> find_run(const Services& services, const Request& request) {
    const std::string id = request.path_id("run_id", "run");
    if (const auto log = services.runtime.find(id)) co_return log->run();
    auto run = co_await services.runs.find(request.organization_id, id);
    if (!run) throw not_found("Run", id);
    co_return std::move(*run);
}

awaitable<Response> retrieve(Services& services, const Request& request) {
    const Run run = co_await find_run(services, request);
    co_return answer(run);
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

awaitable<Response> list_messages(Services& services, const Request& request) {
    storage::Page page = page_of(request.query, {.limit = 100, .ascending = true});
    const Run run = co_await find_run(services, request);
    const auto agent = co_await services.agents.find(request.organization_id, run.agent_id);
    storage::MessageFilter filter;
    filter.run_id = run.id;
    const bool ascending = page.ascending;
    const std::vector<Message> messages =
        co_await services.messages.list(request.organization_id, filter, std::move(page));
    ViewOptions view = view_of(agent ? agent->agent_type : AgentType::letta_v1_agent);
    if (run.request_config && run.request_config->include_return_message_types)
        view.include_types = &*run.request_config->include_return_message_types;
    std::vector<LettaMessage> shown = expand_all(messages, view);
    if (!ascending) std::reverse(shown.begin(), shown.end());
    co_return answer(shown);
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

}  // namespace

std::span<const Route> run_routes() {
    static constexpr Route routes[] = {
        {Method::get, "/v1/runs", list, "runs.list", "", "Run[]"},
        {Method::get, "/v1/runs/active", list_active, "runs.list_active", "", "Run[]"},
        {Method::get, "/v1/runs/{run_id}", retrieve, "runs.retrieve", "", "Run"},
        {Method::delete_, "/v1/runs/{run_id}", remove, "runs.delete", "", "Run"},
        {Method::get, "/v1/runs/{run_id}/messages", list_messages, "runs.messages.list", "", "LettaMessage[]"},
        {Method::get, "/v1/runs/{run_id}/steps", list_steps, "runs.steps.list", "", "Step[]"},
        {Method::get, "/v1/runs/{run_id}/usage", usage, "runs.usage.retrieve", "", "RunUsage"},
        {Method::get, "/v1/runs/{run_id}/metrics", metrics, "runs.metrics.retrieve", "", "RunMetrics"},
    };
    return routes;
}

}  // namespace stele::api
