#include "api/run_callback.hpp"

#include "api/run_answer.hpp"
#include "base/json_text.hpp"
#include "base/log.hpp"
#include "net/client.hpp"
#include "net/url.hpp"
#include "runtime/runtime.hpp"
#include "storage/database.hpp"
#include "storage/run_repository.hpp"

namespace stele::api {
namespace {

constexpr std::chrono::milliseconds patience{5'000};
constexpr std::size_t answer_bytes_max = 64u << 10;

std::string body_of(const Run& run) {
    return "{\"run_id\":" + json_string(run.id) + ",\"status\":" + json_string(to_string(run.status)) +
           ",\"completed_at\":" + json_string(to_iso8601(run.completed_at.value_or(now()))) +
           ",\"metadata\":" + run.metadata.text + "}";
}

net::ClientRequest request_of(std::string url, std::string body) {
    net::ClientRequest request;
    request.method = net::Method::post;
    request.url = std::move(url);
    request.headers.add("Content-Type", "application/json");
    request.headers.add("User-Agent", "stele");
    request.body = std::move(body);
    request.connect_timeout = request.head_timeout = request.idle_timeout = request.total_timeout = patience;
    request.body_bytes_max = answer_bytes_max;
    request.once = true;
    return request;
}

// The attempt is on record before it is made: a crash in between costs a callback, but none comes twice.
awaitable<void> attempt(const Services& services, std::string organization_id, std::string run_id) {
    if (auto log = services.runtime.find(organization_id, run_id)) co_await runtime::wait_for_end(std::move(log));
    Run run = co_await find_run(services, organization_id, run_id);
    run = co_await with_result(services, std::move(organization_id), std::move(run));
    std::string body = body_of(run);
    storage::Transaction claim;
    services.runs.claim_callback(claim, run);
    co_await services.database.commit(std::move(claim));
    try {
        run.callback_status_code = co_await call_back(services, *run.callback_url, std::move(body));
    } catch (const Error& error) {
        run.callback_error = error.what();
    }
    storage::Transaction outcome;
    services.runs.save_callback(outcome, run);
    co_await services.database.commit(std::move(outcome));
    log::info("run.called_back", {{"run_id", run.id}, {"status", run.callback_status_code.value_or(0)}});
}

}  // namespace

awaitable<int> call_back(const Services& services, std::string url, std::string body) {
    net::ClientRequest request = request_of(std::move(url), std::move(body));
    const auto answer = co_await services.egress.open(std::move(request));
    co_return answer->status();
}

void check_callback_url(const std::optional<std::string>& url) {
    if (url && !net::parse_url(*url)) throw invalid_field("body.callback_url", "must be an http or https URL");
}

awaitable<void> send_callback(const Services& services, std::string organization_id, std::string run_id) {
    try {
        co_await attempt(services, std::move(organization_id), run_id);
    } catch (const std::exception& error) {
        log::warn("run.not_called_back", {{"run_id", run_id}, {"why", error.what()}});
    }
}

awaitable<void> send_due_callbacks(const Services& services) {
    std::vector<storage::DueCallback> due;
    try {
        due = co_await services.runs.callbacks_due();
    } catch (const std::exception& error) {
        log::warn("run.callbacks_unknown", {{"why", error.what()}});
    }
    for (const storage::DueCallback& each : due) co_await send_callback(services, each.organization_id, each.run_id);
}

}  // namespace stele::api
