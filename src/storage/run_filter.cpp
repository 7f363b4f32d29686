#include "storage/run_filter.hpp"

#include "base/json_text.hpp"
#include "storage/project_filter.hpp"

#include <algorithm>

namespace stele::storage {
namespace {

Select durations(const std::string& what, const std::string& organization_id, const RunFilter& filter) {
    Select select("SELECT " + what + " FROM run r WHERE r.organization_id = ?", to_value(organization_id));
    select.where("r.total_duration_ns IS NOT NULL");
    add_filter(select, filter);
    return select;
}

}  // namespace

void add_filter(Select& select, const RunFilter& filter) {
    if (!filter.agent_ids.empty()) select.where_in("r.agent_id IN (?)", filter.agent_ids);
    if (!filter.statuses.empty()) select.where_in("r.status IN (?)", filter.statuses);
    if (filter.stop_reason) select.where("r.stop_reason = ?", filter.stop_reason);
    if (filter.conversation_id) select.where("r.conversation_id = ?", filter.conversation_id);
    if (filter.identity_id)
        select.where("r.id IN (SELECT i.run_id FROM identity_run i WHERE i.identity_id = ?)", filter.identity_id);
    if (filter.project_id) where_agent_in_project(select, "r.agent_id", *filter.project_id);
    if (filter.base_template_id)
        select.where("EXISTS (SELECT 1 FROM agent a WHERE a.id = r.agent_id AND a.base_template_id = ?)",
                     filter.base_template_id);
    if (filter.background) select.where("r.background = ?", std::int64_t{*filter.background});
    if (filter.run_id) select.where("r.id = ?", filter.run_id);
    if (filter.after_time) select.where("r.created_at > ?", to_micros(*filter.after_time));
    if (filter.before_time) select.where("r.created_at < ?", to_micros(*filter.before_time));
    if (filter.step_count)
        select.where("r.step_count " + std::string(filter.step_count->sql) + " ?", filter.step_count->number);
    if (filter.duration_ns)
        select.where("r.total_duration_ns " + std::string(filter.duration_ns->sql) + " ?", filter.duration_ns->number);
    if (filter.tools_used.empty()) return;
    std::string any;
    Params patterns;
    for (const std::string& tool_id : padded(filter.tools_used)) {
        any += std::string(any.empty() ? "(" : " OR ") + "r.tools_used LIKE ? ESCAPE '\\'";
        patterns.push_back(to_value(like_pattern(json_string(tool_id))));
    }
    select.where_packed(any + ")", std::move(patterns));
}

Select select_count_of_runs(const std::string& organization_id, const RunFilter& filter) {
    return durations("COUNT(*)", organization_id, filter);
}

Select select_duration_at(const std::string& organization_id, const RunFilter& filter, std::int64_t rank) {
    Select select = durations("r.total_duration_ns", organization_id, filter);
    select.finish(" ORDER BY r.total_duration_ns LIMIT 1 OFFSET ?", rank - 1);
    return select;
}

bool Comparison::holds(std::int64_t value) const {
    if (sql == "=") return value == number;
    if (sql == ">=") return value >= number;
    if (sql == "<=") return value <= number;
    return sql == ">" ? value > number : value < number;
}

bool RunFilter::matches(const Run& run) const {
    const auto among = [](const std::vector<std::string>& list, std::string_view item) {
        return list.empty() || std::find(list.begin(), list.end(), item) != list.end();
    };
    const auto used = [&](const std::string& tool) { return among(tools_used, tool); };
    const std::string reason = run.stop_reason ? std::string(to_string(*run.stop_reason)) : std::string();
    return among(agent_ids, run.agent_id) && among(statuses, to_string(run.status)) &&
           (tools_used.empty() || std::any_of(run.tools_used.begin(), run.tools_used.end(), used)) &&
           (!identity_id || identity_id == json_member_text(run.metadata.text, "identity_id")) &&
           (!run_id || *run_id == run.id) && (!stop_reason || *stop_reason == reason) &&
           (!conversation_id || *conversation_id == run.conversation_id.value_or("")) &&
           (!background || *background == run.background.value_or(false)) &&
           (!after_time || run.created_at > *after_time) && (!before_time || run.created_at < *before_time) &&
           (!step_count || step_count->holds(run.step_count)) &&
           (!duration_ns || (run.total_duration_ns && duration_ns->holds(*run.total_duration_ns)));
}

// The duration from which on a run is as slow as the filter's percentile asks for (the nearest rank).
boost::asio::awaitable<std::int64_t> RunRepository::slow_from(std::string organization_id, RunFilter filter) const {
    RunFilter compared;
    compared.agent_ids = std::move(filter.agent_ids);
    compared.statuses = std::move(filter.statuses);
    compared.project_id = std::move(filter.project_id);
    Query counting = select_count_of_runs(organization_id, compared).query();
    const Rows counted = co_await database_.query_packed(std::move(counting));
    const std::int64_t rank = (*filter.duration_percentile * counted.front().integer(0) + 99) / 100;
    Query reading = select_duration_at(organization_id, compared, std::max<std::int64_t>(rank, 1)).query();
    const Rows found = co_await database_.query_packed(std::move(reading));
    co_return found.empty() ? 0 : found.front().integer(0);
}

}  // namespace stele::storage
