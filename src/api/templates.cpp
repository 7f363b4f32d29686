// Templates by name: what the clients of either generation call.
#include "api/offset_page.hpp"
#include "api/template_common.hpp"
#include "domain/answer.hpp"
#include "domain/hosted_error.hpp"
#include "runtime/project_service.hpp"
#include "runtime/template_service.hpp"
#include "storage/template_repository.hpp"

namespace stele::api {
namespace {

awaitable<storage::TemplateFilter> filter_of(Services& services, const Request& request) {
    const Query& query = request.query;
    storage::TemplateFilter filter;
    filter.name = query.text("name");
    filter.exact = query.text("exact") == "true";
    filter.search = query.text("search");
    filter.template_id = query.text("template_id");
    if (const auto project = query.text("project_id"))
        filter.project_id = co_await services.project_service.id_of(request.organization_id, *project);
    else if (const auto slug = query.text("project_slug"))
        filter.project_id = co_await services.project_service.id_of(request.organization_id, *slug);
    if (const auto version = query.text("version")) filter.number = parse_template_reference(":" + *version).number;
    const std::string sort_by = query.text("sort_by").value_or("updated_at");
    if (sort_by != "updated_at" && sort_by != "created_at")
        throw hosted_error(ErrorCode::invalid_argument, "query.sort_by: must be one of: updated_at, created_at");
    filter.by_created = sort_by == "created_at";
    co_return filter;
}

awaitable<Response> list(Services& services, const Request& request) {
    const OffsetPage page = offset_page(request.query);
    storage::TemplateFilter filter = co_await filter_of(services, request);
    std::vector<Template> found =
        co_await services.templates.list(request.organization_id, std::move(filter), page.limit + 1, page.offset);
    TemplateList shown;
    shown.has_next_page = cut_to(found, page.limit);
    shown.templates = co_await services.template_service.infos(std::move(found));
    co_return answer(shown);
}

awaitable<Response> make(Services& services, const Request& request, TemplateCreate body) {
    std::string project_id = co_await template_project(services, request);
    std::string name = body.name.value_or("");
    Template made;
    if (*body.type == "agent") {
        made = co_await services.template_service.create_from(request.organization_id, request.user_id,
                                                              std::move(project_id), std::move(name), *body.agent_id);
    } else {
        const TemplateSnapshot nothing;
        TemplateSnapshot content = co_await services.template_service.snapshot_of_file(
            request.organization_id, request.user_id, *body.agent_file, body.update_existing_tools.value_or(false),
            nothing);
        made = co_await services.template_service.create(request.organization_id, request.user_id,
                                                         std::move(project_id), std::move(name), std::move(content));
    }
    co_return co_await info_answer(services, std::move(made), 201);
}

// Without a type it asks for agents of a template, as the oldest samples do.
awaitable<Response> create(Services& services, const Request& request) {
    auto body = decode<TemplateCreate>(request.body());
    if (body.type.has_value()) co_return co_await make(services, request, std::move(body));
    std::string text = body.template_version.has_value() ? *body.template_version
                       : body.template_id.has_value()    ? *body.template_id
                                                         : *body.template_name;
    runtime::FoundTemplate of = co_await template_named(services, request, std::move(text));
    DeployRequest wishes = std::move(body);
    co_return co_await deploy_answer(services, request, std::move(of), std::move(wishes));
}

awaitable<Response> create_in_project(Services& services, const Request& request) {
    auto body = decode<TemplateCreate>(request.body());
    if (!body.type.has_value()) throw invalid_field("body.type", "is required: agent or agent_file");
    co_return co_await make(services, request, std::move(body));
}

awaitable<Response> remove(Services& services, const Request& request) {
    runtime::FoundTemplate of = co_await template_of(services, request, "template_name");
    co_await services.template_service.remove(std::move(of.found));
    co_return answer(Success());
}

awaitable<Response> update(Services& services, const Request& request) {
    return update_from_file(services, request, "template_name");
}

awaitable<Response> save(Services& services, const Request& request) {
    auto body = decode_optional<TemplateSave>(request);
    runtime::FoundTemplate of = co_await template_of(services, request, "template_name");
    co_return co_await save_template(services, request, std::move(of), std::move(body));
}

awaitable<Response> rollback(Services& services, const Request& request) {
    const auto body = decode<TemplateRollback>(request.body());
    runtime::FoundTemplate of = co_await template_of(services, request, "template_name");
    of.reference = parse_template_reference(of.found.name + ":" + body.version);
    if (of.reference.current)
        throw hosted_error(ErrorCode::invalid_argument, "version: must be a saved one, by its number or as latest");
    runtime::TemplateContent content = co_await services.template_service.content(of);
    const Template changed = co_await services.template_service.replace_draft(
        std::move(of.found), request.user_id, std::move(content.snapshot), runtime::TemplateService::Saving::before);
    static_cast<void>(changed);
    co_return answer(TemplateDone());
}

awaitable<Response> versions(Services& services, const Request& request) {
    return template_versions(services, request, "name");
}

awaitable<Response> snapshot(Services& services, const Request& request) {
    return template_snapshot(services, request, "template_version");
}

awaitable<Response> set_snapshot(Services& services, const Request& request) {
    return put_snapshot(services, request, "template_version", false);
}

awaitable<Response> fork(Services& services, const Request& request) {
    return fork_template(services, request, "template_version");
}

awaitable<Response> rename(Services& services, const Request& request) {
    return rename_template(services, request, "template_name");
}

awaitable<Response> describe(Services& services, const Request& request) {
    return describe_template(services, request, "template_name");
}

awaitable<Response> deploy(Services& services, const Request& request) {
    auto wishes = decode_optional<DeployRequest>(request);
    runtime::FoundTemplate of = co_await template_of(services, request, "template_version");
    co_return co_await deploy_answer(services, request, std::move(of), std::move(wishes));
}

awaitable<Response> migrate(Services& services, const Request& request) {
    auto body = decode<DeploymentMigrate>(request.body());
    runtime::FoundTemplate of = co_await template_of(services, request, "template_name");
    co_return co_await migrate_deployment(services, request, std::move(of), std::move(body),
                                          request.path("deployment_id"));
}

}  // namespace

#define STELE_TEMPLATE "/v1/templates/{template_name}"
#define STELE_IN_PROJECT "/v1/templates/{project_id}"
#define STELE_TEMPLATE_IN_PROJECT "/v1/templates/{project_id}/{template_name}"

std::span<const Route> template_routes() {
    static constexpr Route routes[] = {
        {Method::get, "/v1/templates", list, "templates.list", "", "TemplateList",
         "offset, exact, limit, version, template_id, name, search, project_slug, project_id, sort_by"},
        {Method::post, "/v1/templates", create, "templates.create", "TemplateCreate", "TemplateInfo", "",
         Trait::created},
        {Method::post, "/v1/templates/create", create, "templates.create_alias", "TemplateCreate", "TemplateInfo", "",
         Trait::created},
        {Method::post, STELE_IN_PROJECT, create_in_project, "templates.createtemplate", "TemplateCreate",
         "TemplateInfo", "", Trait::created},
        {Method::delete_, STELE_TEMPLATE, remove, "templates.delete", "", "Success"},
        {Method::delete_, STELE_TEMPLATE_IN_PROJECT, remove, "templates.deletetemplate", "", "Success"},
        {Method::patch, STELE_TEMPLATE, update, "templates.update", "TemplateUpdate", "TemplateDone"},
        {Method::put, STELE_TEMPLATE_IN_PROJECT "/agent-file", update, "templates.updatefromagentfile",
         "TemplateUpdate", "TemplateDone"},
        {Method::post, STELE_TEMPLATE "/save", save, "templates.save", "TemplateSave?", "TemplateInfo"},
        {Method::post, STELE_TEMPLATE_IN_PROJECT, save, "templates.savetemplateversion", "TemplateSave?",
         "TemplateInfo"},
        {Method::post, STELE_TEMPLATE "/rollback", rollback, "templates.rollback", "TemplateRollback", "TemplateDone"},
        {Method::post, STELE_TEMPLATE_IN_PROJECT "/rollback", rollback, "templates.rollbacktemplate",
         "TemplateRollback", "TemplateDone"},
        {Method::get, STELE_IN_PROJECT "/{name}/versions", versions, "templates.listtemplateversions", "",
         "TemplateVersionList", "offset, limit"},
        {Method::get, STELE_IN_PROJECT "/{template_version}/snapshot", snapshot, "templates.gettemplatesnapshot", "",
         "TemplateSnapshot"},
        {Method::put, STELE_IN_PROJECT "/{template_version}/snapshot", set_snapshot,
         "templates.setcurrenttemplatefromsnapshot", "TemplateSnapshot", "TemplateDone"},
        {Method::post, STELE_IN_PROJECT "/{template_version}/fork", fork, "templates.forktemplate", "TemplateFork?",
         "TemplateInfo"},
        {Method::patch, STELE_TEMPLATE_IN_PROJECT "/name", rename, "templates.renametemplate", "TemplateRename",
         "TemplateDone"},
        {Method::patch, STELE_TEMPLATE_IN_PROJECT "/description", describe, "templates.updatetemplatedescription",
         "TemplateDescribe?", "TemplateDone"},
        {Method::post, STELE_IN_PROJECT "/{template_version}/agents", deploy, "templates.createagentsfromtemplate",
         "DeployRequest?", "Deployed", "", Trait::created},
        {Method::post, "/v1/templates/{template_version}/agents", deploy, "templates.agents.create", "DeployRequest?",
         "Deployed", "", Trait::created},
        {Method::post, STELE_TEMPLATE_IN_PROJECT "/deployments/{deployment_id}/migrate", migrate,
         "templates.migratedeployment", "DeploymentMigrate", "TemplateDone"},
    };
    return routes;
}

}  // namespace stele::api
