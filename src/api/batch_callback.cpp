#include "api/batch_callback.hpp"

#include "api/run_callback.hpp"
#include "base/json_text.hpp"
#include "base/log.hpp"
#include "storage/batch_repository.hpp"
#include "storage/database.hpp"

namespace stele::api {
namespace {

std::string body_of(const BatchJob& batch) {
    return "{\"job_id\":" + json_string(batch.id) + ",\"status\":" + json_string(batch.status) +
           ",\"completed_at\":" + json_string(to_iso8601(batch.completed_at.value_or(now()))) + "}";
}

// The attempt is on record before it is made: a crash in between costs a callback, but none comes twice.
awaitable<void> attempt(const Services& services, std::string organization_id, std::string batch_id) {
    auto batch = co_await services.batches.find(std::move(organization_id), std::move(batch_id));
    if (!batch || !batch->callback_url) co_return;
    std::string body = body_of(*batch);
    storage::Transaction claim;
    services.batches.claim_callback(claim, *batch);
    co_await services.database.commit(std::move(claim));
    try {
        batch->callback_status_code = co_await call_back(services, *batch->callback_url, std::move(body));
    } catch (const Error& error) {
        batch->callback_error = error.what();
    }
    storage::Transaction outcome;
    services.batches.save_callback(outcome, *batch);
    co_await services.database.commit(std::move(outcome));
    log::info("batch.called_back", {{"batch_id", batch->id}, {"status", batch->callback_status_code.value_or(0)}});
}

}  // namespace

awaitable<void> send_batch_callback(const Services& services, std::string organization_id, std::string batch_id) {
    try {
        co_await attempt(services, std::move(organization_id), batch_id);
    } catch (const std::exception& error) {
        log::warn("batch.not_called_back", {{"batch_id", batch_id}, {"why", error.what()}});
    }
}

awaitable<void> send_due_batch_callbacks(const Services& services) {
    std::vector<storage::BatchKey> due;
    try {
        due = co_await services.batches.callbacks_due();
    } catch (const std::exception& error) {
        log::warn("batch.callbacks_unknown", {{"why", error.what()}});
    }
    for (const storage::BatchKey& each : due) co_await send_batch_callback(services, each.organization_id, each.id);
}

}  // namespace stele::api
