#include "api/template_common.hpp"

#include "api/offset_page.hpp"
#include "domain/hosted_error.hpp"
#include "runtime/project_service.hpp"
#include "runtime/template_migrator.hpp"
#include "runtime/template_service.hpp"
#include "storage/template_repository.hpp"

#include <algorithm>

namespace stele::api {
namespace {

const std::string* path_value(const Request& request, std::string_view name) {
    for (const auto& [key, value] : request.path_values)
        if (key == name) return &value;
    return nullptr;
}

awaitable<runtime::FoundTemplate> found(Services& services, const Request& request, std::string project_id,
                                        std::string text) {
    co_return co_await services.template_service.find(request.organization_id, std::move(project_id), std::move(text));
}

}  // namespace

awaitable<std::string> template_project(Services& services, const Request& request) {
    const std::string* named = path_value(request, "project_id");
    if (named != nullptr) co_return co_await services.project_service.id_of(request.organization_id, *named);
    co_return project_of(request.project_id);
}

awaitable<runtime::FoundTemplate> template_of(Services& services, const Request& request, std::string_view name) {
    std::string project_id = co_await template_project(services, request);
    std::string text = request.path(name);
    co_return co_await found(services, request, std::move(project_id), std::move(text));
}

awaitable<runtime::FoundTemplate> template_named(Services& services, const Request& request, std::string text) {
    std::string project_id = project_of(request.project_id);
    co_return co_await found(services, request, std::move(project_id), std::move(text));
}

awaitable<Response> info_answer(Services& services, Template shown, int status) {
    const TemplateInfo info = co_await services.template_service.info(std::move(shown));
    Response response = answer(info);
    response.status = status;
    co_return response;
}

awaitable<Response> deploy_answer(Services& services, const Request& request, runtime::FoundTemplate of,
                                  DeployRequest wishes) {
    const Deployed made = co_await services.template_service.deploy(std::move(of), request.user_id, std::move(wishes),
                                                                    request.idempotency_key);
    Response response = answer(made);
    response.status = 201;
    co_return response;
}

awaitable<Response> template_versions(Services& services, const Request& request, std::string_view name) {
    const OffsetPage page = offset_page(request.query);
    const runtime::FoundTemplate of = co_await template_of(services, request, name);
    std::vector<TemplateVersion> versions =
        co_await services.templates.versions(of.found.id, page.limit + 1, page.offset);
    TemplateVersionList shown;
    shown.has_next_page = cut_to(versions, page.limit);
    shown.total_count = of.found.latest;  // none is ever taken away
    for (const TemplateVersion& version : versions) {
        TemplateVersionInfo& each = shown.versions.emplace_back();
        each.version = std::to_string(version.number);
        each.created_at = version.created_at;
        if (version.message) each.message = *version.message;
        each.is_latest = version.number == of.found.latest;
    }
    co_return answer(shown);
}

awaitable<Response> template_snapshot(Services& services, const Request& request, std::string_view name) {
    runtime::FoundTemplate of = co_await template_of(services, request, name);
    const runtime::TemplateContent content = co_await services.template_service.content(std::move(of));
    co_return answer(content.snapshot);
}

awaitable<Response> put_snapshot(Services& services, const Request& request, std::string_view name, bool by_id) {
    auto content = decode<TemplateSnapshot>(request.body());
    runtime::FoundTemplate of = co_await template_of(services, request, name);
    if (!by_id && !of.reference.current)
        throw hosted_error(ErrorCode::invalid_argument,
                           "Saved versions never change: only " + of.found.name + ":current can be replaced");
    co_await services.template_service.demand_references(request.organization_id, content);
    const Template changed = co_await services.template_service.replace_draft(
        std::move(of.found), request.user_id, std::move(content), runtime::TemplateService::Saving::no);
    static_cast<void>(changed);
    co_return answer(TemplateDone());
}

awaitable<Response> fork_template(Services& services, const Request& request, std::string_view name) {
    auto body = decode_optional<TemplateFork>(request);
    runtime::FoundTemplate of = co_await template_of(services, request, name);
    Template made = co_await services.template_service.fork(std::move(of), request.user_id, body.name.value_or(""));
    co_return co_await info_answer(services, std::move(made));
}

awaitable<Response> rename_template(Services& services, const Request& request, std::string_view name) {
    const auto body = decode<TemplateRename>(request.body());
    runtime::FoundTemplate of = co_await template_of(services, request, name);
    co_await services.template_service.rename(std::move(of.found), template_name_of(body.new_name));
    co_return answer(TemplateDone());
}

awaitable<Response> describe_template(Services& services, const Request& request, std::string_view name) {
    auto body = decode_optional<TemplateDescribe>(request);
    runtime::FoundTemplate of = co_await template_of(services, request, name);
    co_await services.template_service.describe(std::move(of.found), body.description.optional());
    co_return answer(TemplateDone());
}

awaitable<Response> update_from_file(Services& services, const Request& request, std::string_view name) {
    auto body = decode<TemplateUpdate>(request.body());
    runtime::FoundTemplate of = co_await template_of(services, request, name);
    TemplateSnapshot content = co_await services.template_service.snapshot_of_file(
        request.organization_id, request.user_id, std::move(body.agent_file_json), body.update_existing_tools,
        of.found.draft);
    const auto saving =
        body.save_existing_changes ? runtime::TemplateService::Saving::before : runtime::TemplateService::Saving::no;
    const Template changed = co_await services.template_service.replace_draft(std::move(of.found), request.user_id,
                                                                              std::move(content), saving);
    static_cast<void>(changed);
    co_return answer(TemplateDone());
}

awaitable<Response> save_template(Services& services, const Request& request, runtime::FoundTemplate of,
                                  TemplateSave body) {
    const bool migrate = body.migrate_agents.value_or(false);
    MigrationFlags flags = flags_of(body);
    Template saved = co_await services.template_service.save(std::move(of.found), request.user_id, std::move(flags),
                                                             body.message.optional(), migrate);
    if (migrate) services.template_migrator.wake();
    co_return co_await info_answer(services, std::move(saved));
}

awaitable<Response> migrate_deployment(Services& services, const Request& request, runtime::FoundTemplate of,
                                       DeploymentMigrate body, std::string deployment_id) {
    Deployment deployment = co_await services.template_service.find_deployment(request.organization_id, deployment_id);
    if (deployment.base_template_id != of.found.id)
        throw hosted_error(ErrorCode::not_found, "Deployment not found: " + deployment_id);
    of.reference = parse_template_reference(of.found.name + ":" + body.version);
    if (of.reference.current)
        throw hosted_error(ErrorCode::invalid_argument, "version: agents are moved to saved versions only");
    MigrationFlags flags = flags_of(body);
    TextMap variables = body.memory_variables.value_or({});
    co_await services.template_service.migrate(std::move(deployment), std::move(of), request.user_id, std::move(flags),
                                               std::move(variables));
    co_return answer(TemplateDone());
}

}  // namespace stele::api
