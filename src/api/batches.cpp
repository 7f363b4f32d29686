#include "api/batches.hpp"

#include "api/batch_callback.hpp"
#include "api/images.hpp"
#include "api/run_callback.hpp"
#include "base/ids.hpp"
#include "domain/message_view.hpp"
#include "llm/catalogue.hpp"
#include "runtime/batch_runner.hpp"
#include "runtime/provider_batches.hpp"
#include "runtime/runtime.hpp"
#include "storage/agent_repository.hpp"
#include "storage/batch_repository.hpp"
#include "storage/database.hpp"
#include "storage/idempotency_repository.hpp"
#include "storage/message_repository.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <map>
#include <set>

namespace stele::api {
namespace {

constexpr char cancelled[] = "cancelled";

// Whatever is wrong with one request is told before any is begun.
awaitable<void> refuse_what_cannot_run(const Services& services, const Request& request, const CreateBatch& body) {
    check_callback_url(body.callback_url);
    std::set<std::string> agents;
    for (const BatchRequest& each : body.requests) {
        input_messages(each, each.agent_id);
        agents.insert(each.agent_id);
    }
    for (const std::string& id : agents) {
        const bool there = co_await services.agents.exists(request.organization_id, id);
        if (!there) throw not_found("Agent", id);
    }
}

// Each by its id from now on, whatever becomes of the keys.
awaitable<void> find_identities(const Services& services, const Request& request, CreateBatch& body) {
    std::map<std::pair<std::string, std::string>, std::string> found;
    for (BatchRequest& each : body.requests) {
        if (!each.identity_id) continue;
        std::string& id = found[{each.agent_id, *each.identity_id}];
        if (id.empty()) {
            std::string named = *each.identity_id;
            std::string real =
                co_await services.runtime.identity_of(request.organization_id, each.agent_id, std::move(named));
            id = std::move(real);
        }
        each.identity_id = id;
    }
}

std::vector<storage::BatchItem> items_of(std::vector<BatchRequest> requests) {
    std::vector<storage::BatchItem> items;
    for (BatchRequest& each : requests) {
        storage::BatchItem& item = items.emplace_back();
        item.id = new_id("batch_item");
        item.agent_id = std::move(each.agent_id);
        item.run_id = new_id("run");
        item.request = std::move(each);
        item.request.callback_url.reset();  // the batch has one
    }
    return items;
}

awaitable<Response> create(Services& services, const Request& request) {
    auto body = decode<CreateBatch>(request.body());
    co_await refuse_what_cannot_run(services, request, body);
    co_await find_identities(services, request, body);
    for (BatchRequest& each : body.requests) co_await bring_images(services, request, each);
    BatchJob made;
    made.id = new_id("job");
    made.created_at = now();
    made.updated_at = made.created_at;
    made.callback_url = std::move(body.callback_url);
    made.user_id = made.created_by_id = made.last_updated_by_id = request.user_id;
    const std::vector<storage::BatchItem> items = items_of(std::move(body.requests));
    made.metadata.counts.total = static_cast<std::int64_t>(items.size());
    Response response = answer(made);

    storage::Transaction transaction;
    const bool offered = services.catalogue.has_batches();
    services.batches.insert(transaction, request.organization_id, made, items,
                            offered ? storage::BatchStage::offered : storage::BatchStage::queued);
    if (request.idempotency_key)
        services.idempotency.keep(transaction, request.organization_id, *request.idempotency_key, response.status,
                                  response.body);
    co_await services.database.commit(std::move(transaction));
    services.provider_batches.wake();
    services.batch_runner.wake();
    co_return response;
}

awaitable<Response> list(Services& services, const Request& request) {
    storage::Page page = page_of(request.query, {.limit = 100});
    const std::vector<BatchJob> found = co_await services.batches.list(request.organization_id, std::move(page));
    co_return answer(found);
}

awaitable<Response> retrieve(Services& services, const Request& request) {
    const std::string id = request.path_id("batch_id", "job");
    const BatchJob found = co_await find_batch(services, request.organization_id, id);
    co_return answer(found);
}

awaitable<Response> cancel(Services& services, const Request& request) {
    const std::string id = request.path_id("batch_id", "job");
    co_await find_batch(services, request.organization_id, id);
    const bool by_us = co_await cancel_batch(services, request.organization_id, id);
    const BatchJob ended = co_await find_batch(services, request.organization_id, id);
    if (by_us) co_return answer(ended);
    Error error(ErrorCode::conflict, "This batch has ended already");
    error.members.emplace_back("status", ended.status);
    throw error;
}

// Older clients have a cursor that goes on in the list's order, and a word of their own for the newest first.
storage::Page message_page_of(const Query& query) {
    storage::Page page = page_of(query, {.limit = 100});
    const auto newest_first = query.flag("sort_descending");
    if (newest_first && !query.has("order") && !query.has("ascending")) page.ascending = !*newest_first;
    if (!page.after && !page.before) page.after = query.text("cursor");
    return page;
}

awaitable<Response> list_messages(Services& services, const Request& request) {
    const std::string id = request.path_id("batch_id", "job");
    storage::Page page = message_page_of(request.query);
    const bool ascending = page.ascending;
    co_await find_batch(services, request.organization_id, id);
    storage::MessageFilter filter;
    filter.batch_id = id;
    filter.agent_id = request.query.text("agent_id");
    std::vector<Message> messages =
        co_await services.messages.list(request.organization_id, std::move(filter), in_time_order(std::move(page)));
    if (!ascending) std::reverse(messages.begin(), messages.end());
    std::vector<std::string> run_ids;
    for (const Message& message : messages) run_ids.push_back(message.run_id.value_or(""));
    std::sort(run_ids.begin(), run_ids.end());
    run_ids.erase(std::unique(run_ids.begin(), run_ids.end()), run_ids.end());
    const TextMap items = co_await services.batches.items_of_runs(id, std::move(run_ids));
    LettaBatchMessages shown;
    for (const Message& message : messages) {
        const auto item =
            std::find_if(items.begin(), items.end(), [&](const auto& each) { return each.first == message.run_id; });
        const auto item_id = item == items.end() ? std::nullopt : std::optional(item->second);
        shown.messages.push_back(Json{internal_message_json(message, "UTC", item_id)});
    }
    co_return answer(shown);
}

}  // namespace

awaitable<BatchJob> find_batch(const Services& services, std::string organization_id, std::string id) {
    auto found = co_await services.batches.find(std::move(organization_id), id);
    if (!found) throw not_found("Batch", id);
    co_return std::move(*found);
}

awaitable<bool> cancel_batch(Services& services, std::string organization_id, std::string id) {
    storage::Transaction transaction;
    services.batches.close(transaction, id, cancelled);
    try {
        co_await services.database.commit(std::move(transaction));
    } catch (const Error& error) {
        if (error.code != ErrorCode::conflict) throw;
        co_return false;
    }
    services.provider_batches.wake();
    co_await services.batch_runner.withdraw(id);
    boost::asio::co_spawn(co_await boost::asio::this_coro::executor,
                          send_batch_callback(services, std::move(organization_id), id), boost::asio::detached);
    co_return true;
}

std::span<const Route> batch_routes() {
    static constexpr Route routes[] = {
        {Method::get, "/v1/messages/batches", list, "batches.list", "", "BatchJob[]", "", Trait::paged},
        {Method::post, "/v1/messages/batches", create, "batches.create", "CreateBatch", "BatchJob"},
        {Method::get, "/v1/messages/batches/{batch_id}", retrieve, "batches.retrieve", "", "BatchJob"},
        {Method::patch, "/v1/messages/batches/{batch_id}/cancel", cancel, "batches.cancel", "", "BatchJob"},
        {Method::get, "/v1/messages/batches/{batch_id}/messages", list_messages, "batches.messages.list", "",
         "LettaBatchMessages", "agent_id, cursor, sort_descending:boolean", Trait::paged},
        {Method::get, "/v1/batches", list, "batches.list_alias", "", "BatchJob[]", "", Trait::paged},
        {Method::post, "/v1/batches", create, "batches.create_alias", "CreateBatch", "BatchJob"},
        {Method::get, "/v1/batches/{batch_id}", retrieve, "batches.retrieve_alias", "", "BatchJob"},
        {Method::patch, "/v1/batches/{batch_id}/cancel", cancel, "batches.cancel_alias", "", "BatchJob"},
        {Method::get, "/v1/batches/{batch_id}/messages", list_messages, "batches.messages.list_alias", "",
         "LettaBatchMessages", "agent_id, cursor, sort_descending:boolean", Trait::paged},
    };
    return routes;
}

}  // namespace stele::api
