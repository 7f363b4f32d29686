#include "api/route.hpp"
#include "base/ids.hpp"
#include "runtime/credentials.hpp"
#include "storage/api_key_repository.hpp"
#include "storage/database.hpp"

namespace stele::api {
namespace {

constexpr std::size_t shown_characters = 10;

// The store learns of a use a little later.
void show_last_use(const Services& services, ApiKey& key) {
    if (const auto last = services.credentials.last_used(key.id)) key.last_used_at = last;
}

awaitable<ApiKey> find(Services& services, const Request& request) {
    const std::string id = request.path_id("key_id", "key");
    auto found = co_await services.api_keys.find(id);
    if (!found) throw not_found("Key", id);
    show_last_use(services, *found);
    co_return std::move(*found);
}

awaitable<Response> list(Services& services, const Request& request) {
    storage::Page page = page_of(request.query, {.limit = 50, .ascending = true});
    std::optional<std::string> user_id = request.query.text("user_id");
    std::vector<ApiKey> found = co_await services.api_keys.list(std::move(user_id), std::move(page.after), page.limit);
    for (ApiKey& key : found) show_last_use(services, key);
    co_return answer(found);
}

awaitable<Response> create(Services& services, const Request& request) {
    auto body = decode<CreateApiKey>(request.body());
    const std::string user_id = body.user_id.value_or(request.user_id);
    const auto user = co_await services.credentials.find_user(user_id);
    if (!user) throw not_found("User", user_id);
    ApiKeyMade made;
    made.id = new_id("key");
    made.key = new_api_key();
    made.key_start = made.key.substr(0, shown_characters);
    made.name = std::move(body.name);
    made.user_id = user_id;
    made.organization_id = user->organization_id;
    made.scopes = std::move(body.scopes);
    made.rate_limit = body.rate_limit;
    made.expires_at = body.expires_at;
    made.created_by_id = request.user_id;
    made.created_at = made.updated_at = now();
    storage::Transaction transaction;
    services.api_keys.insert(transaction, made, bearer_hash(made.key));
    co_await services.database.commit(std::move(transaction));
    Response response = answer(made);
    response.status = 201;
    co_return response;
}

awaitable<Response> retrieve(Services& services, const Request& request) {
    const ApiKey key = co_await find(services, request);
    co_return answer(key);
}

awaitable<Response> update(Services& services, const Request& request) {
    const auto body = decode<UpdateApiKey>(request.body());
    ApiKey changed = co_await find(services, request);
    const Timestamp read = changed.updated_at;
    if (apply(body, changed)) {
        changed.updated_at = now();
        storage::Transaction transaction;
        services.api_keys.update(transaction, changed, read);
        co_await services.database.commit(std::move(transaction));
        co_await services.credentials.changed();
    }
    co_return answer(changed);
}

awaitable<Response> remove(Services& services, const Request& request) {
    const ApiKey gone = co_await find(services, request);
    storage::Transaction transaction;
    services.api_keys.remove(transaction, gone);
    co_await services.database.commit(std::move(transaction));
    co_await services.credentials.changed();
    co_return answer(gone);
}

}  // namespace

std::span<const Route> admin_key_routes() {
    static constexpr Route routes[] = {
        {Method::get, "/v1/admin/keys", list, "admin.keys.list", "", "ApiKey[]", "user_id, after, limit:integer"},
        {Method::post, "/v1/admin/keys", create, "admin.keys.create", "CreateApiKey", "ApiKeyMade", "", Trait::created},
        {Method::get, "/v1/admin/keys/{key_id}", retrieve, "admin.keys.retrieve", "", "ApiKey"},
        {Method::patch, "/v1/admin/keys/{key_id}", update, "admin.keys.update", "UpdateApiKey", "ApiKey"},
        {Method::delete_, "/v1/admin/keys/{key_id}", remove, "admin.keys.delete", "", "ApiKey"},
    };
    return routes;
}

}  // namespace stele::api
