#include "runtime/provider_batches.hpp"

#include "base/ids.hpp"
#include "base/log.hpp"
#include "runtime/batch_runner.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>

namespace stele::runtime {
namespace {

using boost::asio::awaitable;

constexpr std::chrono::hours idle_interval{1};
constexpr int failures_max = 20, failures_max_unwanted = 3;  // in a row, of a provider that can't be reached or fails

bool is_final(const Error& error) {
    return error.type == "llm_bad_request" || error.type == "llm_authentication" ||
           error.type == "llm_insufficient_credits";
}

// Decisions about calls that wait, and returns of clients, belong to the state of their conversation.
bool can_wait(const MessageRequest& request) {
    if (!request.messages.has_value()) return true;
    return std::all_of(request.messages->begin(), request.messages->end(),
                       [](const InputMessage& message) { return !is_approval(message); });
}

}  // namespace

/// A provider batch that is being put together.
struct ProviderBatches::Draft {
    storage::ProviderBatch batch;
    std::vector<std::string> item_ids;
    std::size_t bytes = 0;
    std::size_t items_max = 0, bytes_max = 0;
};

ProviderBatches::ProviderBatches(Parts parts, boost::asio::any_io_executor executor)
    : parts_(std::move(parts)), alarm_(std::move(executor)) {}

awaitable<void> ProviderBatches::run() {
    const Presence presence = at_work_;
    Alarm::Round round = [this]() -> awaitable<std::chrono::milliseconds> {
        bool more = co_await offer();
        while (more && !alarm_.stopped()) more = co_await offer();
        const std::vector<storage::ProviderBatch> open = co_await parts_.batches.open();
        const auto executor = co_await boost::asio::this_coro::executor;
        for (const storage::ProviderBatch& batch : open)
            if (!alarm_.stopped() && at_hand_.insert(batch.id).second)
                boost::asio::co_spawn(executor, go_on(batch, at_work_), boost::asio::detached);
        co_return open.empty() ? std::chrono::milliseconds(idle_interval) : parts_.look_interval;
    };
    co_await alarm_.go_on("provider_batches.not_read", parts_.look_interval, std::move(round));
}

// Decides about all items of one batch: those that a provider can take are put together by model, the others go to
// their runs, and so do all but the first of an agent: they build on what comes of that. False if there was nothing to
// do.
awaitable<bool> ProviderBatches::offer() {
    const std::vector<storage::ProviderBatchRepository::Offered> offered = co_await parts_.batches.offered();
    if (offered.empty()) co_return false;
    std::vector<Draft> drafts;
    for (const auto& each : offered)
        if (each.first && can_wait(each.item.request)) co_await draft(each.item, drafts);
    storage::Transaction transaction;
    std::set<std::string> taken;
    for (const Draft& each : drafts) {
        parts_.batches.begin(transaction, each.batch, each.item_ids);
        taken.insert(each.item_ids.begin(), each.item_ids.end());
        begun_here_.insert(each.batch.id);
    }
    for (const auto& each : offered)
        if (!taken.contains(each.item.id)) parts_.batches.queue(transaction, each.item.id);
    co_await parts_.database.commit(std::move(transaction));
    if (taken.size() < offered.size()) parts_.on_queued();
    co_return true;
}

awaitable<void> ProviderBatches::draft(const storage::BatchItem& item, std::vector<Draft>& drafts) {
    std::optional<PreparedRequest> prepared;
    try {
        TurnRequest request = turn_of_item(item);
        prepared = co_await parts_.runtime.prepare(std::move(request));
    } catch (const Error&) {  // its run will say why
        co_return;
    }
    llm::BatchService* service = prepared->model.provider->batches();
    if (service == nullptr || prepared->json.size() > service->bytes_max()) co_return;
    const std::string& handle = prepared->model.info().handle;
    auto fits = std::find_if(drafts.begin(), drafts.end(), [&](const Draft& each) {
        return each.batch.handle == handle && each.item_ids.size() < each.items_max &&
               each.bytes + prepared->json.size() <= each.bytes_max;
    });
    if (fits == drafts.end()) {
        Draft& made = drafts.emplace_back();
        made.batch.id = new_id("provider_batch");
        made.batch.batch_id = item.batch_id;
        made.batch.handle = handle;
        made.batch.created_at = now();
        made.items_max = service->requests_max();
        made.bytes_max = service->bytes_max();
        fits = drafts.end() - 1;
    }
    fits->item_ids.push_back(item.id);
    fits->bytes += prepared->json.size();
}

awaitable<std::shared_ptr<llm::BatchService>> ProviderBatches::service_of(storage::ProviderBatch batch) {
    const auto model = co_await parts_.catalogue.resolve(std::move(batch.organization_id), std::move(batch.handle));
    if (!model) co_return nullptr;
    co_return std::shared_ptr<llm::BatchService>(model->provider, model->provider->batches());
}

// Beside the others: a provider that is slow holds up its own batches alone.
awaitable<void> ProviderBatches::go_on(storage::ProviderBatch batch, Presence presence) {
    std::string type, why;
    bool final = false;
    try {
        co_await take_step(batch);
    } catch (const Error& error) {
        type = error.type;
        why = error.what();
        final = is_final(error);
    } catch (const std::exception& error) {
        why = error.what();
    }
    try {
        if (why.empty())
            failures_.erase(batch.id);
        else
            co_await note_failure(batch, std::move(type), std::move(why), final);
    } catch (const std::exception& error) {  // it is as it was, and looked at again
        log::warn("provider_batch.not_ended", {{"provider_batch_id", batch.id}, {"why", error.what()}});
    }
    at_hand_.erase(batch.id);
    presence.reset();
}

awaitable<void> ProviderBatches::take_step(storage::ProviderBatch batch) {
    const std::shared_ptr<llm::BatchService> service = co_await service_of(batch);
    if (service == nullptr) co_return co_await end(std::move(batch));
    // What another run of this server has begun may have arrived although nobody heard of it.
    if (!batch.remote_id && !begun_here_.contains(batch.id)) {
        batch.remote_id = co_await service->find(batch.id);
        if (batch.remote_id) co_await note_sent(batch.id, *batch.remote_id);
    }
    if (!batch.wanted) {
        if (batch.remote_id) co_await service->cancel(*batch.remote_id);
        co_await end(std::move(batch));
    } else if (!batch.remote_id) {
        co_await submit(*service, std::move(batch));
    } else {
        co_await collect(*service, std::move(batch));
    }
}

// One that nobody wants any more ends by itself in the end.
awaitable<void> ProviderBatches::note_failure(storage::ProviderBatch batch, std::string type, std::string why,
                                              bool final) {
    const int failed = ++failures_[batch.id];
    log::warn("provider_batch.failed", {{"provider_batch_id", batch.id},
                                        {"batch_id", batch.batch_id},
                                        {"type", type},
                                        {"why", why},
                                        {"times", failed}});
    if (final || failed >= (batch.wanted ? failures_max : failures_max_unwanted)) co_await end(std::move(batch));
}

awaitable<void> ProviderBatches::submit(llm::BatchService& service, storage::ProviderBatch batch) {
    const std::vector<storage::BatchItem> items = co_await parts_.batches.items(batch.id);
    std::vector<llm::BatchService::Request> requests;
    for (const storage::BatchItem& item : items) {
        try {
            TurnRequest request = turn_of_item(item);
            PreparedRequest prepared = co_await parts_.runtime.prepare(std::move(request));
            llm::BatchService::Request made{item.id, std::move(prepared.json)};
            requests.push_back(std::move(made));
        } catch (const Error&) {  // it goes unanswered, and its run will say why
        }
    }
    if (requests.empty()) co_return co_await end(std::move(batch));
    begun_here_.erase(batch.id);  // from here on it may have arrived
    const std::size_t count = requests.size();
    const std::string remote_id = co_await service.submit(batch.id, std::move(requests));
    log::info(
        "provider_batch.sent",
        {{"provider_batch_id", batch.id}, {"batch_id", batch.batch_id}, {"remote_id", remote_id}, {"requests", count}});
    co_await note_sent(batch.id, remote_id);
}

awaitable<void> ProviderBatches::note_sent(std::string id, std::string remote_id) {
    storage::Transaction transaction;
    parts_.batches.note_sent(transaction, id, remote_id);
    co_await parts_.database.commit(std::move(transaction));
}

awaitable<void> ProviderBatches::collect(llm::BatchService& service, storage::ProviderBatch batch) {
    auto answers = co_await service.collect(*batch.remote_id);
    if (!answers) co_return;
    storage::Transaction transaction;
    for (const llm::BatchService::Answer& answer : *answers)
        parts_.batches.save_answer(transaction, batch, answer.name, answer.body);
    parts_.batches.end(transaction, batch.id);
    co_await parts_.database.commit(std::move(transaction));
    log::info("provider_batch.answered",
              {{"provider_batch_id", batch.id}, {"batch_id", batch.batch_id}, {"answers", answers->size()}});
    parts_.on_queued();
}

awaitable<void> ProviderBatches::end(storage::ProviderBatch batch) {
    storage::Transaction transaction;
    parts_.batches.end(transaction, batch.id);
    co_await parts_.database.commit(std::move(transaction));
    failures_.erase(batch.id);
    begun_here_.erase(batch.id);
    parts_.on_queued();
}

}  // namespace stele::runtime
