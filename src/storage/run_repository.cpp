#include "storage/run_repository.hpp"

#include "base/json_text.hpp"
#include "domain/text_list.hpp"
#include "storage/project_filter.hpp"
#include "storage/run_filter.hpp"

#include <algorithm>

namespace stele::storage {
namespace {

#define STELE_RUN_COLUMNS                                                                                         \
    "r.id, r.agent_id, r.conversation_id, r.status, r.stop_reason, r.background, r.metadata, r.request_config,"   \
    " r.callback_url, r.ttft_ns, r.total_duration_ns, r.step_count, r.tools_used, r.created_by_id, r.created_at," \
    " r.completed_at, r.callback_sent_at, r.callback_status_code, r.callback_error"

constexpr Statement select_by_id{"run.by_id",
                                 "SELECT " STELE_RUN_COLUMNS " FROM run r WHERE r.organization_id = $1 AND r.id = $2"};
constexpr Statement upsert_row{
    "run.save",
    "INSERT INTO run (id, organization_id, agent_id, conversation_id, status, stop_reason, background, metadata,"
    " request_config, callback_url, ttft_ns, total_duration_ns, step_count, tools_used, created_by_id, created_at,"
    " completed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)"
    " ON CONFLICT (id) DO UPDATE SET status = excluded.status, stop_reason = excluded.stop_reason,"
    " metadata = excluded.metadata, ttft_ns = excluded.ttft_ns, total_duration_ns = excluded.total_duration_ns,"
    " step_count = excluded.step_count, tools_used = excluded.tools_used, completed_at = excluded.completed_at"};
constexpr Statement delete_row{"run.delete", "DELETE FROM run WHERE organization_id = $1 AND id = $2"};
constexpr Statement keep_place{
    "run.keep_place",
    "INSERT INTO tombstone (id, organization_id, sort_created, sort_updated, deleted_at)"
    " SELECT r.id, r.organization_id, r.created_at, COALESCE(r.total_duration_ns, 0), CAST($3 AS BIGINT) FROM run r"
    " WHERE r.organization_id = $1 AND r.id = $2 ON CONFLICT (id) DO NOTHING"};
constexpr Statement keep_step_places{
    "run.keep_step_places",
    "INSERT INTO tombstone (id, organization_id, sort_created, sort_updated, deleted_at)"
    " SELECT s.id, s.organization_id, s.created_at, s.created_at, CAST($3 AS BIGINT) FROM step s"
    " WHERE s.organization_id = $1 AND s.run_id = $2 ON CONFLICT (id) DO NOTHING"};
constexpr Statement delete_steps{"run.delete_steps", "DELETE FROM step WHERE organization_id = $1 AND run_id = $2"};
// `metadata` is an object in compact form: the reason joins what stands there.
constexpr Statement update_unfinished{
    "run.fail_unfinished",
    "UPDATE run SET status = 'failed', stop_reason = 'error', completed_at = $1,"
    " metadata = SUBSTR(metadata, 1, LENGTH(metadata) - 1) || CASE WHEN metadata = '{}' THEN '' ELSE ',' END"
    " || '\"error\":\"The server stopped before this run had ended\"}'"
    " WHERE status IN ('created', 'running')"};
// In the JSON of a step that its calls were about to follow there is nothing else of this spelling.
constexpr Statement update_unfinished_steps{
    "step.fail_unfinished",
    "UPDATE step SET status = 'failed', details = REPLACE(details, '\"status\":\"pending\"', '\"status\":\"failed\"')"
    " WHERE status = 'pending' AND run_id IN (SELECT id FROM run WHERE status IN ('created', 'running'))"};
constexpr Statement select_cut_off{
    "run.cut_off",
    "SELECT DISTINCT organization_id, agent_id, conversation_id FROM run WHERE status IN ('created', 'running')"
    " AND EXISTS (SELECT 1 FROM message WHERE message.run_id = run.id)"};

constexpr Statement take_callback{"run.claim_callback",
                                  "UPDATE run SET callback_sent_at = $2 WHERE id = $1 AND callback_sent_at IS NULL"};
constexpr Statement update_callback{"run.save_callback",
                                    "UPDATE run SET callback_status_code = $2, callback_error = $3 WHERE id = $1"};
constexpr Statement select_callbacks_due{
    "run.callbacks_due",
    "SELECT organization_id, id FROM run WHERE callback_url IS NOT NULL AND callback_sent_at IS NULL"
    " AND status NOT IN ('created', 'running') AND (metadata LIKE '{\"run_type\":\"send_message_async\"%'"
    " OR metadata LIKE '{\"run_type\":\"send_message_scheduled\"%')"
    " ORDER BY created_at, id"};

constexpr Statement select_step{"step.by_id",
                                "SELECT s.details, s.feedback, s.tid, s.created_at FROM step s"
                                " WHERE s.organization_id = $1 AND s.id = $2"};
// The columns of `to_metrics`.
#define STELE_METRICS_COLUMNS                                                                                  \
    "s.id, s.organization_id, s.run_id, s.agent_id, s.started_ns, s.model_started_ns, s.model_ns, s.tools_ns," \
    " s.total_ns, s.project_id"

constexpr Statement select_metrics{
    "step.metrics", "SELECT " STELE_METRICS_COLUMNS " FROM step s WHERE s.organization_id = $1 AND s.id = $2"};
constexpr Statement select_metrics_of_run{"step.metrics_of_run",
                                          "SELECT " STELE_METRICS_COLUMNS
                                          " FROM step s WHERE s.organization_id = $1 AND s.run_id = $2"
                                          " ORDER BY s.started_ns, s.id LIMIT $3"};
constexpr Statement select_trace{
    "step.trace",
    "SELECT s.trace_request, s.trace_response, s.agent_id, s.run_id, s.created_at FROM step s"
    " WHERE s.organization_id = $1 AND s.id = $2 AND s.trace_request IS NOT NULL"};
constexpr Statement select_usage{"step.usage", "SELECT s.details FROM step s WHERE s.run_id = $1"};
// The second time, once the step's calls have been made, the request and the answer stay as they are.
constexpr Statement save_step_row{
    "step.save",
    "INSERT INTO step (id, organization_id, agent_id, run_id, model, status, feedback, tid, prompt_tokens,"
    " completion_tokens, total_tokens, started_ns, model_started_ns, model_ns, tools_ns, total_ns, project_id,"
    " created_at, details, trace_request, trace_response)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)"
    " ON CONFLICT (id) DO UPDATE SET status = excluded.status, tools_ns = excluded.tools_ns,"
    " total_ns = excluded.total_ns, details = excluded.details"};
constexpr Statement delete_step_tags{"step.delete_tags", "DELETE FROM step_tag WHERE step_id = $1"};
constexpr Statement insert_step_tag{
    "step.insert_tag", "INSERT INTO step_tag (step_id, tag) VALUES ($1, $2) ON CONFLICT (step_id, tag) DO NOTHING"};
constexpr Statement update_step_row{
    "step.update", "UPDATE step SET feedback = $3, tid = $4, details = $5 WHERE organization_id = $1 AND id = $2"};

Run to_run(Row& row) {
    Run run;
    run.id = row.take_text(0);
    run.agent_id = row.take_text(1);
    if (!row.text(2).empty()) run.conversation_id = row.take_text(2);
    run.status = parse_run_status(row.text(3)).value_or(RunStatus::failed);
    if (!row.is_null(4)) run.stop_reason = parse_stop_reason(row.text(4));
    run.background = row.flag(5);
    run.metadata.text = row.take_text(6);
    if (!row.is_null(7)) run.request_config = decode_stored<RunRequestConfig>(row.text(7));
    run.callback_url = row.optional_text(8);
    run.ttft_ns = row.optional_integer(9);
    run.total_duration_ns = row.optional_integer(10);
    run.step_count = row.integer(11);
    run.tools_used = decode_text_list(row.text(12));
    run.user_id = run.created_by_id = run.last_updated_by_id = row.optional_text(13);
    run.created_at = from_micros(row.integer(14));
    if (const auto at = row.optional_integer(15)) run.completed_at = from_micros(*at);
    if (const auto at = row.optional_integer(16)) run.callback_sent_at = from_micros(*at);
    run.callback_status_code = row.optional_integer(17);
    run.callback_error = row.optional_text(18);
    run.updated_at = run.completed_at ? run.completed_at : std::optional(run.created_at);
    return run;
}

Step to_step(const Row& row) {
    Step step = decode_stored<Step>(row.text(0));
    step.feedback = row.optional_text(1);
    step.tid = row.optional_text(2);
    step.created_at = from_micros(row.integer(3));
    return step;
}

void add_filter(Select& select, const StepFilter& filter) {
    if (filter.agent_id) select.where("s.agent_id = ?", filter.agent_id);
    if (filter.run_id) select.where("s.run_id = ?", filter.run_id);
    if (filter.model)
        select.where("(s.model = ? OR s.details LIKE ? ESCAPE '\\')", filter.model,
                     like_pattern("\"model_handle\":" + json_string(*filter.model)));
    if (!filter.tags.empty())
        select.where_in("EXISTS (SELECT 1 FROM step_tag t WHERE t.step_id = s.id AND t.tag IN (?))", filter.tags);
    // No step carries a trace id of the outside.
    if (!filter.trace_ids.empty()) select.where("1 = 0");
    if (filter.feedback) select.where("s.feedback = ?", filter.feedback);
    if (filter.project_id) where_agent_in_project(select, "s.agent_id", *filter.project_id);
    if (filter.has_feedback) select.where(*filter.has_feedback ? "s.feedback IS NOT NULL" : "s.feedback IS NULL");
    if (filter.after_time) select.where("s.created_at > ?", to_micros(*filter.after_time));
    if (filter.before_time) select.where("s.created_at < ?", to_micros(*filter.before_time));
}

Select select_runs(const std::string& organization_id) {
    return Select("SELECT " STELE_RUN_COLUMNS " FROM run r WHERE r.organization_id = ?", to_value(organization_id));
}

Select select_steps(const std::string& organization_id) {
    return Select("SELECT s.details, s.feedback, s.tid, s.created_at FROM step s WHERE s.organization_id = ?",
                  to_value(organization_id));
}

Place place_of(const Run& run) {
    Place place;
    place.key = to_micros(run.created_at);
    place.id = run.id;
    return place;
}

// Both hold what lies within the page's bounds; `runs` at most the limit.
void merge(std::vector<Run>& runs, std::vector<Run> at_work, const Page& page, bool from_end) {
    for (Run& live : at_work) {
        const auto stored = std::find_if(runs.begin(), runs.end(), [&](const Run& run) { return run.id == live.id; });
        if (stored == runs.end())
            runs.push_back(std::move(live));
        else
            *stored = std::move(live);
    }
    std::sort(runs.begin(), runs.end(), [&](const Run& a, const Run& b) {
        return page.ascending ? place_of(a) < place_of(b) : place_of(b) < place_of(a);
    });
    const auto limit = static_cast<std::ptrdiff_t>(page.limit);
    const auto surplus = static_cast<std::ptrdiff_t>(runs.size()) - limit;
    if (surplus <= 0) return;
    if (from_end)
        runs.erase(runs.begin(), runs.begin() + surplus);
    else
        runs.erase(runs.begin() + limit, runs.end());
}

StepMetrics to_metrics(Row& row) {
    StepMetrics metrics;
    metrics.id = row.take_text(0);
    metrics.organization_id = row.take_text(1);
    metrics.run_id = row.optional_text(2);
    metrics.agent_id = row.optional_text(3);
    metrics.step_start_ns = row.integer(4);
    metrics.llm_request_start_ns = row.optional_integer(5);
    metrics.llm_request_ns = row.optional_integer(6);
    metrics.tool_execution_ns = row.optional_integer(7);
    metrics.step_ns = row.optional_integer(8);
    metrics.project_id = row.optional_text(9);
    return metrics;
}

std::optional<std::string> nullable(const std::string& text) {
    return text.empty() ? std::nullopt : std::optional(text);
}

}  // namespace

boost::asio::awaitable<std::optional<Run>> RunRepository::find(std::string organization_id, std::string id) const {
    Rows rows = co_await database_.query(select_by_id, std::move(organization_id), std::move(id));
    if (rows.empty()) co_return std::nullopt;
    co_return to_run(rows.front());
}

// Those whose agent is of the project and of the template.
boost::asio::awaitable<std::vector<Run>> RunRepository::of_agents(std::string organization_id, RunFilter filter,
                                                                  std::vector<Run> runs) const {
    Select select("SELECT a.id FROM agent a WHERE a.organization_id = ?", to_value(std::move(organization_id)));
    if (filter.project_id) where_project(select, "a.project_id", *filter.project_id);
    if (filter.base_template_id) select.where("a.base_template_id = ?", filter.base_template_id);
    std::vector<std::string> agent_ids;
    for (const Run& run : runs) agent_ids.push_back(run.agent_id);
    select.where_in("a.id IN (?)", agent_ids);
    Query query = select.query();
    const Rows rows = co_await database_.query_packed(std::move(query));
    std::erase_if(runs, [&](const Run& run) {
        return std::none_of(rows.begin(), rows.end(), [&](const Row& row) { return row.text(0) == run.agent_id; });
    });
    co_return runs;
}

boost::asio::awaitable<std::vector<Run>> RunRepository::list(std::string organization_id, RunFilter filter, Page page,
                                                             std::vector<Run> at_work) const {
    Select select = select_runs(organization_id);
    add_filter(select, filter);
    if (filter.duration_percentile) {
        RunFilter compared = filter;
        const std::int64_t from = co_await slow_from(organization_id, std::move(compared));
        select.where("r.total_duration_ns >= ?", from);
        at_work.clear();
    }
    PageOrder order{"run r", "run", "r.created_at", "r.id"};
    order.time_list = true;
    if (page.order_by == "duration") {
        order.key = "r.total_duration_ns";
        order.nullable_key = true;
        select.where("r.total_duration_ns IS NOT NULL");
        at_work.clear();
    }
    std::vector<Place> places;
    for (const Run& run : at_work) places.push_back(place_of(run));
    const PageBounds bounds = co_await find_bounds(database_, page, order, organization_id, std::move(places));
    Rows rows = co_await read_between(database_, std::move(select), page, order, bounds);
    std::vector<Run> runs;
    for (Row& row : rows) runs.push_back(to_run(row));
    std::erase_if(at_work, [&](const Run& run) { return !filter.matches(run) || !bounds.hold(place_of(run)); });
    const bool by_agent = filter.project_id || filter.base_template_id;
    if (by_agent && !at_work.empty())
        at_work = co_await of_agents(std::move(organization_id), std::move(filter), std::move(at_work));
    if (!at_work.empty()) merge(runs, std::move(at_work), page, bounds.from_end);
    co_return runs;
}

boost::asio::awaitable<std::optional<Step>> RunRepository::find_step(std::string organization_id,
                                                                     std::string id) const {
    const Rows rows = co_await database_.query(select_step, std::move(organization_id), std::move(id));
    if (rows.empty()) co_return std::nullopt;
    co_return to_step(rows.front());
}

boost::asio::awaitable<std::vector<Step>> RunRepository::list_steps(std::string organization_id, StepFilter filter,
                                                                    Page page) const {
    Select select = select_steps(organization_id);
    add_filter(select, filter);
    const PageOrder order{"step s", "step", "s.created_at", "s.id"};
    const Rows rows = co_await read_page(database_, std::move(select), std::move(page), order, organization_id);
    std::vector<Step> steps;
    for (const Row& row : rows) steps.push_back(to_step(row));
    co_return steps;
}

boost::asio::awaitable<std::optional<StepMetrics>> RunRepository::step_metrics(std::string organization_id,
                                                                               std::string id) const {
    Rows rows = co_await database_.query(select_metrics, std::move(organization_id), std::move(id));
    if (rows.empty()) co_return std::nullopt;
    co_return to_metrics(rows.front());
}

boost::asio::awaitable<std::vector<StepMetrics>> RunRepository::metrics_of_run(std::string organization_id,
                                                                               std::string run_id,
                                                                               std::int64_t limit) const {
    Rows rows = co_await database_.query(select_metrics_of_run, std::move(organization_id), std::move(run_id), limit);
    std::vector<StepMetrics> metrics;
    for (Row& row : rows) metrics.push_back(to_metrics(row));
    co_return metrics;
}

boost::asio::awaitable<std::optional<ProviderTrace>> RunRepository::step_trace(std::string organization_id,
                                                                               std::string id) const {
    Rows rows = co_await database_.query(select_trace, organization_id, id);
    if (rows.empty()) co_return std::nullopt;
    Row& row = rows.front();
    ProviderTrace trace;
    trace.id = "provider_trace" + id.substr(id.find('-'));
    trace.request_json.text = row.take_text(0);
    if (!row.is_null(1)) trace.response_json.text = row.take_text(1);
    trace.step_id = std::move(id);
    trace.agent_id = row.optional_text(2);
    trace.run_id = row.optional_text(3);
    trace.org_id = std::move(organization_id);
    trace.created_at = trace.updated_at = from_micros(row.integer(4));
    co_return trace;
}

boost::asio::awaitable<RunUsage> RunRepository::usage(std::string run_id) const {
    const Rows rows = co_await database_.query(select_usage, std::move(run_id));
    RunUsage usage;
    const auto add = [](std::optional<std::int64_t>& total, const std::optional<std::int64_t>& more) {
        if (more) total = total.value_or(0) + *more;
    };
    for (const Row& row : rows) {
        const Step step = decode_stored<Step>(row.text(0));
        usage.completion_tokens += step.completion_tokens;
        usage.prompt_tokens += step.prompt_tokens;
        usage.total_tokens += step.total_tokens;
        if (step.cached_input_tokens || step.cache_write_tokens) {
            if (!usage.prompt_tokens_details) usage.prompt_tokens_details.emplace();
            add(usage.prompt_tokens_details->cached_tokens, step.cached_input_tokens);
            add(usage.prompt_tokens_details->cache_read_tokens, step.cached_input_tokens);
            add(usage.prompt_tokens_details->cache_creation_tokens, step.cache_write_tokens);
        }
        if (step.reasoning_tokens) {
            if (!usage.completion_tokens_details) usage.completion_tokens_details.emplace();
            add(usage.completion_tokens_details->reasoning_tokens, step.reasoning_tokens);
        }
    }
    co_return usage;
}

void RunRepository::save(Transaction& transaction, const std::string& organization_id, const Run& run) const {
    transaction.add(upsert_row, run.id, organization_id, run.agent_id, run.conversation_id.value_or(""),
                    std::string(to_string(run.status)),
                    run.stop_reason ? std::optional(std::string(to_string(*run.stop_reason))) : std::nullopt,
                    std::int64_t{run.background.value_or(false)}, run.metadata.text,
                    run.request_config ? std::optional(to_json(*run.request_config)) : std::nullopt, run.callback_url,
                    run.ttft_ns, run.total_duration_ns, run.step_count, encode_text_list(run.tools_used),
                    run.created_by_id, to_micros(run.created_at),
                    run.completed_at ? std::optional(to_micros(*run.completed_at)) : std::nullopt);
}

void RunRepository::remove(Transaction& transaction, const std::string& organization_id, const std::string& id) const {
    transaction.add(keep_place, organization_id, id, to_micros(now()));
    transaction.add(keep_step_places, organization_id, id, to_micros(now()));
    transaction.add(delete_steps, organization_id, id);
    transaction.add(delete_row, organization_id, id).expect_row(not_found("Run", id));
}

void RunRepository::save_step(Transaction& transaction, const Step& step, const StepTimes& times,
                              const StepTrace& trace) const {
    transaction.add(save_step_row, step.id, step.organization_id, step.agent_id.value_or(""), step.run_id.value_or(""),
                    step.model, step.status.value_or("success"), step.feedback, step.tid, step.prompt_tokens,
                    step.completion_tokens, step.total_tokens, times.started_ns, times.model_started_ns, times.model_ns,
                    times.tools_ns, times.total_ns, step.project_id, to_micros(step.created_at), to_json(step),
                    nullable(trace.request_json), nullable(trace.response_json));
}

void RunRepository::update_step(Transaction& transaction, const Step& step) const {
    transaction.add(update_step_row, step.organization_id, step.id, step.feedback, step.tid, to_json(step))
        .expect_row(not_found("Step", step.id));
    transaction.add(delete_step_tags, step.id);
    for (const std::string& tag : step.tags) transaction.add(insert_step_tag, step.id, tag);
}

void RunRepository::claim_callback(Transaction& transaction, const Run& run) const {
    transaction.add(take_callback, run.id, to_micros(now())).expect_row(changed_meanwhile("Run", run.id));
}

void RunRepository::save_callback(Transaction& transaction, const Run& run) const {
    transaction.add(update_callback, run.id, run.callback_status_code, run.callback_error);
}

boost::asio::awaitable<std::vector<DueCallback>> RunRepository::callbacks_due() const {
    Rows rows = co_await database_.query(select_callbacks_due);
    std::vector<DueCallback> due;
    for (Row& row : rows) {
        DueCallback& each = due.emplace_back();
        each.organization_id = row.take_text(0);
        each.run_id = row.take_text(1);
    }
    co_return due;
}

boost::asio::awaitable<std::vector<CutOffConversation>> RunRepository::cut_off() const {
    Rows rows = co_await database_.query(select_cut_off);
    std::vector<CutOffConversation> found;
    for (Row& row : rows) {
        CutOffConversation& each = found.emplace_back();
        each.organization_id = row.take_text(0);
        each.agent_id = row.take_text(1);
        each.conversation_id = row.take_text(2);
    }
    co_return found;
}

void RunRepository::fail_unfinished(Transaction& transaction) const {
    transaction.add(update_unfinished_steps);
    transaction.add(update_unfinished, to_micros(now()));
}

std::vector<Statement> RunRepository::statements() {
    RunFilter runs;
    runs.agent_ids = runs.statuses = {"x"};
    runs.stop_reason = runs.conversation_id = runs.project_id = runs.base_template_id = "x";
    runs.run_id = runs.identity_id = "x";
    runs.tools_used = {"x"};
    runs.step_count = runs.duration_ns = Comparison{">=", 1};
    runs.after_time = runs.before_time = Timestamp{};
    runs.background = true;
    Select run_list = select_runs("o");
    add_filter(run_list, runs);
    StepFilter steps;
    steps.agent_id = steps.run_id = steps.model = steps.feedback = steps.project_id = "x";
    steps.tags = {"x"};
    steps.has_feedback = true;
    steps.after_time = steps.before_time = Timestamp{};
    Select step_list = select_steps("o");
    add_filter(step_list, steps);
    return {select_by_id,
            upsert_row,
            delete_row,
            delete_steps,
            update_unfinished,
            take_callback,
            update_callback,
            select_callbacks_due,
            select_step,
            select_metrics,
            select_metrics_of_run,
            keep_place,
            keep_step_places,
            delete_step_tags,
            insert_step_tag,
            select_trace,
            select_usage,
            save_step_row,
            update_unfinished_steps,
            select_cut_off,
            update_step_row,
            run_list.query().statement,
            select_count_of_runs("o", runs).query().statement,
            select_duration_at("o", runs, 1).query().statement,
            step_list.query().statement};
}

}  // namespace stele::storage
