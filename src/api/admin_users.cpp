#include "api/route.hpp"
#include "base/ids.hpp"
#include "domain/account.hpp"
#include "runtime/credentials.hpp"
#include "storage/account_repository.hpp"
#include "storage/database.hpp"

namespace stele::api {
namespace {

awaitable<User> find(Services& services, std::string id) {
    auto found = co_await services.accounts.find_user(id);
    if (!found) throw not_found("User", id);
    co_return std::move(*found);
}

awaitable<Response> list(Services& services, const Request& request) {
    storage::Page page = page_of(request.query, {.limit = 50, .ascending = true});
    const std::vector<User> found = co_await services.accounts.list_users(std::move(page.after), page.limit);
    co_return answer(found);
}

awaitable<Response> create(Services& services, const Request& request) {
    auto body = decode<UserCreate>(request.body());
    User made;
    made.id = new_id("user");
    made.name = std::move(body.name);
    made.organization_id = std::move(body.organization_id);
    made.created_at = made.updated_at = now();
    storage::Transaction transaction;
    services.accounts.insert_user(transaction, made);
    co_await services.database.commit(std::move(transaction));
    co_return answer(made);
}

// What the user has made stays where it is when they move.
awaitable<Response> update(Services& services, const Request& request) {
    const auto body = decode<UserUpdate>(request.body());
    User changed = co_await find(services, body.id);
    if (changed.id == default_user_id && body.organization_id.has_value() &&
        *body.organization_id != changed.organization_id)
        throw Error(ErrorCode::conflict, "The first user can't move: requests without another user are theirs");
    const bool moves = body.organization_id.set_into(changed.organization_id);
    if (body.name.set_into(changed.name) || moves) {
        changed.updated_at = now();
        storage::Transaction transaction;
        services.accounts.update_user(transaction, changed, moves);
        co_await services.database.commit(std::move(transaction));
        co_await services.credentials.changed();
    }
    co_return answer(changed);
}

awaitable<Response> remove(Services& services, const Request& request) {
    const std::optional<std::string> id = request.query.text("user_id");
    if (!id) throw invalid_field("query.user_id", "is required");
    if (!is_id(*id, "user")) throw invalid_field("query.user_id", "must match 'user-{uuid4}'");
    if (*id == default_user_id)
        throw Error(ErrorCode::conflict, "The first user can't be deleted: requests without another user are theirs");
    User gone = co_await find(services, *id);
    storage::Transaction transaction;
    services.accounts.remove_user(transaction, gone);
    co_await services.database.commit(std::move(transaction));
    co_await services.credentials.changed();
    gone.is_deleted = true;
    co_return answer(gone);
}

}  // namespace

std::span<const Route> admin_user_routes() {
    static constexpr Route routes[] = {
        {Method::get, "/v1/admin/users", list, "admin.users.list", "", "User[]", "after, limit:integer"},
        {Method::post, "/v1/admin/users", create, "admin.users.create", "UserCreate", "User"},
        {Method::put, "/v1/admin/users", update, "admin.users.update", "UserUpdate", "User"},
        {Method::delete_, "/v1/admin/users", remove, "admin.users.delete", "", "User", "user_id!"},
    };
    return routes;
}

}  // namespace stele::api
