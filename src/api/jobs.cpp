#include "api/batches.hpp"
#include "api/run_answer.hpp"
#include "base/ids.hpp"
#include "runtime/runtime.hpp"
#include "storage/batch_repository.hpp"
#include "storage/database.hpp"
#include "storage/run_repository.hpp"

namespace stele::api {
namespace {

// Older clients know runs as jobs, and may look them up here by their ids. Of jobs of a kind of their own there are
// batches; the work on a file is told by the file itself.
bool names_batch(const Request& request) {
    if (is_id(request.path("job_id"), "run")) return false;
    request.path_id("job_id", "job");
    return true;
}

awaitable<BatchJob> batch_of(const Services& services, const Request& request) {
    auto batch = co_await services.batches.find(request.organization_id, request.path("job_id"));
    if (!batch) throw not_found("Job", request.path("job_id"));
    co_return std::move(*batch);
}

awaitable<Run> find_job(const Services& services, const Request& request) {
    const Run run = co_await find_run(services, request.organization_id, request.path("job_id"));
    co_return co_await with_result(services, request.organization_id, run);
}

Job job_of(Run run) {
    Job job;
    job.id = std::move(run.id);
    job.user_id = std::move(run.user_id);
    job.status = run.status;
    job.created_at = run.created_at;
    job.updated_at = run.updated_at;
    job.completed_at = run.completed_at;
    job.stop_reason = run.stop_reason;
    job.metadata = std::move(run.metadata);
    job.background = run.background;
    job.agent_id = std::move(run.agent_id);
    job.callback_url = std::move(run.callback_url);
    job.callback_sent_at = run.callback_sent_at;
    job.callback_status_code = run.callback_status_code;
    job.callback_error = std::move(run.callback_error);
    job.ttft_ns = run.ttft_ns;
    job.total_duration_ns = run.total_duration_ns;
    job.created_by_id = std::move(run.created_by_id);
    job.last_updated_by_id = std::move(run.last_updated_by_id);
    return job;
}

// None of a kind of their own: runs are listed as runs.
awaitable<Response> list(Services&, const Request& request) {
    page_of(request.query, {.limit = 50});
    request.query.flag("active");
    co_return answer(std::vector<Job>());
}

awaitable<Response> retrieve(Services& services, const Request& request) {
    if (names_batch(request)) {
        const BatchJob batch = co_await batch_of(services, request);
        co_return answer(batch);
    }
    Run run = co_await find_job(services, request);
    co_return answer(job_of(std::move(run)));
}

awaitable<Response> cancel_batch_job(Services& services, const Request& request) {
    const BatchJob batch = co_await batch_of(services, request);
    co_await cancel_batch(services, request.organization_id, batch.id);  // one that has ended stays as it is
    co_return co_await retrieve(services, request);
}

awaitable<Response> cancel(Services& services, const Request& request) {
    if (names_batch(request)) co_return co_await cancel_batch_job(services, request);
    const Run run = co_await find_job(services, request);
    co_await services.runtime.cancel(run.id);
    co_return co_await retrieve(services, request);
}

// Its runs and what they said stay.
awaitable<Response> remove_batch_job(Services& services, const Request& request) {
    Response ended = co_await cancel_batch_job(services, request);
    const BatchJob batch = co_await batch_of(services, request);
    storage::Transaction transaction;
    services.batches.remove(transaction, request.organization_id, batch);
    co_await services.database.commit(std::move(transaction));
    co_return ended;
}

awaitable<Response> remove(Services& services, const Request& request) {
    if (names_batch(request)) co_return co_await remove_batch_job(services, request);
    const Run found = co_await find_job(services, request);
    co_await services.runtime.cancel(found.id);
    Run run = co_await find_job(services, request);
    storage::Transaction transaction;
    services.runs.remove(transaction, request.organization_id, run.id);
    co_await services.database.commit(std::move(transaction));
    co_return answer(job_of(std::move(run)));
}

}  // namespace

std::span<const Route> job_routes() {
    static constexpr Route routes[] = {
        {Method::get, "/v1/jobs", list, "jobs.list", "", "Job[]", "source_id, active:boolean", Trait::paged},
        {Method::get, "/v1/jobs/active", list, "jobs.list_active", "", "Job[]", "source_id", Trait::paged},
        {Method::get, "/v1/jobs/{job_id}", retrieve, "jobs.retrieve", "", "Job"},
        {Method::patch, "/v1/jobs/{job_id}/cancel", cancel, "jobs.cancel", "", "Job"},
        {Method::delete_, "/v1/jobs/{job_id}", remove, "jobs.delete", "", "Job"},
    };
    return routes;
}

}  // namespace stele::api
