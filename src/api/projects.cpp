#include "api/offset_page.hpp"
#include "api/route.hpp"
#include "domain/answer.hpp"
#include "runtime/project_service.hpp"
#include "storage/project_repository.hpp"

namespace stele::api {
namespace {

awaitable<Response> list(Services& services, const Request& request) {
    const OffsetPage page = offset_page(request.query);
    Projects shown;
    std::string name = request.query.text("name").value_or("");
    shown.projects =
        co_await services.projects.list(request.organization_id, std::move(name), page.limit + 1, page.offset);
    shown.hasNextPage = cut_to(shown.projects, page.limit);
    co_return answer(shown);
}

awaitable<Response> create(Services& services, const Request& request) {
    auto body = decode<ProjectCreate>(request.body());
    const Project made = co_await services.project_service.create(request.organization_id, std::move(body));
    Response response = answer(made);
    response.status = 201;
    co_return response;
}

awaitable<Response> remove(Services& services, const Request& request) {
    const std::string id = request.path("projectId");
    const bool force = request.query.flag("force").value_or(false);
    co_await services.project_service.remove(request.organization_id, id, force);
    co_return answer(Success());
}

}  // namespace

std::span<const Route> project_routes() {
    static constexpr Route routes[] = {
        {Method::get, "/v1/projects", list, "projects.list", "", "Projects", "name, offset, limit"},
        {Method::post, "/v1/projects", create, "projects.create", "ProjectCreate", "Project", "", Trait::created},
        {Method::delete_, "/v1/projects/{projectId}", remove, "projects.delete", "", "Success", "force:boolean"},
    };
    return routes;
}

}  // namespace stele::api
