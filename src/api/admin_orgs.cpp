#include "api/route.hpp"
#include "base/ids.hpp"
#include "domain/account.hpp"
#include "runtime/organization_service.hpp"
#include "storage/account_repository.hpp"
#include "storage/database.hpp"

namespace stele::api {
namespace {

std::string id_of(const Request& request) {
    const std::optional<std::string> id = request.query.text("org_id");
    if (!id) throw invalid_field("query.org_id", "is required");
    if (!is_id(*id, "org")) throw invalid_field("query.org_id", "must match 'org-{uuid4}'");
    return *id;
}

awaitable<Organization> find(Services& services, const Request& request) {
    const std::string id = id_of(request);
    auto found = co_await services.accounts.find_organization(id);
    if (!found) throw not_found("Organization", id);
    co_return std::move(*found);
}

awaitable<Response> list(Services& services, const Request& request) {
    storage::Page page = page_of(request.query, {.limit = 50, .ascending = true});
    const std::vector<Organization> found =
        co_await services.accounts.list_organizations(std::move(page.after), page.limit);
    co_return answer(found);
}

awaitable<Response> create(Services& services, const Request& request) {
    auto body = decode<OrganizationCreate>(request.body());
    const Organization made = co_await services.organizations.create(std::move(body));
    co_return answer(made);
}

awaitable<Response> update(Services& services, const Request& request) {
    const auto body = decode<OrganizationUpdate>(request.body());
    const Organization before = co_await find(services, request);
    Organization changed = before;
    const bool renamed = body.name.set_into(changed.name);
    if (body.privileged_tools.set_into(changed.privileged_tools) || renamed) {
        storage::Transaction transaction;
        services.accounts.update_organization(transaction, before, changed);
        co_await services.database.commit(std::move(transaction));
    }
    co_return answer(changed);
}

awaitable<Response> remove(Services& services, const Request& request) {
    const bool force = request.query.flag("force").value_or(false);
    const Organization gone = co_await find(services, request);
    co_await services.organizations.remove(gone, force);
    co_return answer(gone);
}

}  // namespace

std::span<const Route> admin_org_routes() {
    static constexpr Route routes[] = {
        {Method::get, "/v1/admin/orgs", list, "admin.orgs.list", "", "Organization[]", "after, limit:integer"},
        {Method::post, "/v1/admin/orgs", create, "admin.orgs.create", "OrganizationCreate", "Organization"},
        {Method::patch, "/v1/admin/orgs", update, "admin.orgs.update", "OrganizationUpdate", "Organization", "org_id!"},
        {Method::delete_, "/v1/admin/orgs", remove, "admin.orgs.delete", "", "Organization", "org_id!, force:boolean"},
    };
    return routes;
}

}  // namespace stele::api
