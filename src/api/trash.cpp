#include "storage/trash.hpp"
#include "api/route.hpp"
#include "base/ids.hpp"
#include "runtime/trash_keeper.hpp"

namespace stele::api {
namespace {

// Known by its own id, or by that of what was deleted.
awaitable<TrashItem> find(const Services& services, const Request& request) {
    const std::string id = request.path("trash_id");
    if (!is_id(id, "trash") && !is_id(id, "agent") && !is_id(id, "block") && !is_id(id, "archive"))
        throw invalid_field("path.trash_id", "must match 'trash-{uuid4}', or be the id of what was deleted");
    auto item = co_await services.trash.find(request.organization_id, id);
    if (!item) throw not_found("Trash item", id);
    co_return std::move(*item);
}

awaitable<Response> list(Services& services, const Request& request) {
    storage::Page page = page_of(request.query, {.order_by = {"deleted_at"}});
    const std::vector<TrashItem> items = co_await services.trash.list(request.organization_id, std::move(page));
    co_return answer(items);
}

awaitable<Response> retrieve(Services& services, const Request& request) {
    const TrashItem item = co_await find(services, request);
    co_return answer(item);
}

awaitable<Response> restore(Services& services, const Request& request) {
    const TrashItem item = co_await find(services, request);
    co_await services.trash_keeper.restore(item);
    services.scheduler.wake();
    co_return answer(item);
}

// It is gone for everybody at once; the rows follow in small parts.
awaitable<Response> purge(Services& services, const Request& request) {
    const TrashItem item = co_await find(services, request);
    storage::Transaction transaction;
    services.trash.expire(transaction, item);
    co_await services.database.commit(std::move(transaction));
    services.trash_keeper.wake();
    co_return json_answer("null");
}

awaitable<Response> purge_all(Services& services, const Request& request) {
    storage::Transaction transaction;
    services.trash.expire_all(transaction, request.organization_id);
    co_await services.database.commit(std::move(transaction));
    services.trash_keeper.wake();
    co_return json_answer("null");
}

}  // namespace

std::span<const Route> trash_routes() {
    static constexpr Route routes[] = {
        {Method::get, "/v1/trash", list, "trash.list", "", "TrashItem[]", "", Trait::paged},
        {Method::delete_, "/v1/trash", purge_all, "trash.purge_all", "", "null"},
        {Method::get, "/v1/trash/{trash_id}", retrieve, "trash.retrieve", "", "TrashItem"},
        {Method::delete_, "/v1/trash/{trash_id}", purge, "trash.purge", "", "null"},
        {Method::post, "/v1/trash/{trash_id}/restore", restore, "trash.restore", "", "TrashItem"},
    };
    return routes;
}

}  // namespace stele::api
