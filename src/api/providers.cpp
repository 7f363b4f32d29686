#include "api/route.hpp"
#include "base/ids.hpp"
#include "base/json_text.hpp"
#include "runtime/provider_service.hpp"
#include "storage/provider_repository.hpp"

namespace stele::api {
namespace {

constexpr std::int64_t checked_at_once_max = 50;

Response told(const std::string& message) { return json_answer("{\"message\":" + json_string(message) + "}"); }

awaitable<Response> list(Services& services, const Request& request) {
    storage::Page page = page_of(request.query, {});
    storage::ProviderFilter filter;
    filter.name = request.query.text("name");
    filter.provider_type = request.query.text("provider_type");
    const std::vector<StoredProvider> found =
        co_await services.providers.list(request.organization_id, std::move(filter), std::move(page));
    std::vector<ProviderAnswer> shown;
    for (const StoredProvider& provider : found) shown.push_back(provider.shown);
    co_return answer(shown);
}

awaitable<Response> create(Services& services, const Request& request) {
    auto body = decode<ProviderCreate>(request.body());
    const StoredProvider made =
        co_await services.provider_service.create(request.organization_id, request.user_id, std::move(body));
    co_return answer(made.shown);
}

awaitable<Response> retrieve(Services& services, const Request& request) {
    const std::string& id = request.path_id("provider_id", "provider");
    const auto found = co_await services.providers.find(request.organization_id, id);
    if (!found) throw not_found("Provider", id);
    co_return answer(found->shown);
}

awaitable<Response> modify(Services& services, const Request& request) {
    const std::string& id = request.path_id("provider_id", "provider");
    auto body = decode<ProviderUpdate>(request.body());
    const StoredProvider changed =
        co_await services.provider_service.update(request.organization_id, request.user_id, id, std::move(body));
    co_return answer(changed.shown);
}

awaitable<Response> remove(Services& services, const Request& request) {
    const std::string& id = request.path_id("provider_id", "provider");
    co_await services.provider_service.remove(request.organization_id, request.user_id, id);
    co_return told("Deleted provider " + id);
}

awaitable<Response> checked_stored(Services& services, const Request& request, std::string id) {
    if (!is_id(id, "provider")) throw invalid_field("body.provider_id", "must match 'provider-{uuid4}'");
    const StoredProvider provider =
        co_await services.provider_service.probe_stored(request.organization_id, std::move(id));
    co_return told("Valid api key for provider_type=" + provider.shown.provider_type);
}

// The seed names a stored provider, in the query or in the body; all others describe one.
awaitable<Response> check_described(Services& services, const Request& request) {
    auto body = decode_optional<ProviderCheck>(request);
    if (const auto id = request.query.text("provider_id")) body.provider_id = *id;
    if (body.provider_id.has_value()) co_return co_await checked_stored(services, request, *body.provider_id);
    if (!body.provider_type.has_value())
        throw invalid_field("body.provider_type", "is required, or provider_id of a stored provider");
    const std::string type = *body.provider_type;
    co_await services.provider_service.probe(type, std::move(body));
    co_return told("Valid api key for provider_type=" + type);
}

awaitable<Response> check_all(Services& services, const Request& request) {
    storage::Page all;
    all.limit = checked_at_once_max;
    const storage::ProviderFilter everything;
    const std::vector<StoredProvider> stored =
        co_await services.providers.list(request.organization_id, everything, all);
    for (const StoredProvider& provider : stored)
        co_await services.provider_service.probe_stored(request.organization_id, provider.shown.id);
    co_return told("Stored providers that were asked and take their keys: " + std::to_string(stored.size()));
}

// npm 0.1.211 asks with GET and names nothing: all that are stored are meant. A type's key comes in a header, so that
// it is in no address.
awaitable<Response> check_by_query(Services& services, const Request& request) {
    if (!request.query.text("provider_type")) co_return co_await check_all(services, request);
    const std::string type = request.query.text("provider_type").value_or("");
    if (!is_provider_type(type)) throw invalid_field("query.provider_type", "must name a type of provider");
    ProviderAccess access;
    if (const std::string* key = request.http.headers.find("x-api-key")) access.api_key = *key;
    co_await services.provider_service.probe(type, std::move(access));
    co_return told("Valid api key for provider_type=" + type);
}

awaitable<Response> check_by_path(Services& services, const Request& request) {
    return checked_stored(services, request, request.path_id("provider_id", "provider"));
}

awaitable<Response> refresh(Services& services, const Request& request) {
    const std::string& id = request.path_id("provider_id", "provider");
    const StoredProvider provider = co_await services.provider_service.refresh(request.organization_id, id);
    co_return answer(provider.shown);
}

}  // namespace

std::span<const Route> provider_routes() {
    static constexpr Route routes[] = {
        {Method::get, "/v1/providers", list, "providers.list", "", "Provider[]", "name, provider_type", Trait::paged},
        {Method::post, "/v1/providers", create, "providers.create", "ProviderCreate", "Provider"},
        {Method::get, "/v1/providers/check", check_by_query, "providers.check_by_query", "", "texts", "provider_type"},
        {Method::post, "/v1/providers/check", check_described, "providers.check", "ProviderCheck?", "texts",
         "provider_id"},
        {Method::post, "/v1/providers/check-existing", check_described, "providers.check_existing", "ProviderCheck?",
         "texts", "provider_id"},
        {Method::get, "/v1/providers/{provider_id}", retrieve, "providers.retrieve_provider", "", "Provider"},
        {Method::patch, "/v1/providers/{provider_id}", modify, "providers.modify", "ProviderUpdate", "Provider"},
        {Method::delete_, "/v1/providers/{provider_id}", remove, "providers.delete", "", "texts"},
        {Method::post, "/v1/providers/{provider_id}/check", check_by_path, "providers.check_stored", "", "texts"},
        {Method::patch, "/v1/providers/{provider_id}/refresh", refresh, "providers.refresh", "", "Provider"},
    };
    return routes;
}

}  // namespace stele::api
