// Older paths that name a template by its id, and what agents say of their templates.
#include "api/template_common.hpp"
#include "domain/hosted_error.hpp"
#include "runtime/template_service.hpp"
#include "storage/agent_repository.hpp"

namespace stele::api {
namespace {

awaitable<Response> versions(Services& services, const Request& request) {
    return template_versions(services, request, "template_id");
}

awaitable<Response> snapshot(Services& services, const Request& request) {
    return template_snapshot(services, request, "template_id");
}

awaitable<Response> set_current(Services& services, const Request& request) {
    return put_snapshot(services, request, "template_id", true);
}

awaitable<Response> fork(Services& services, const Request& request) {
    return fork_template(services, request, "template_id");
}

awaitable<Response> rename(Services& services, const Request& request) {
    return rename_template(services, request, "template_id");
}

awaitable<Response> describe(Services& services, const Request& request) {
    return describe_template(services, request, "template_id");
}

awaitable<Response> update(Services& services, const Request& request) {
    return update_from_file(services, request, "template_id");
}

// The template stands in the query or in the body.
awaitable<Response> save(Services& services, const Request& request) {
    auto body = decode_optional<TemplateSave>(request);
    std::optional<std::string> text = request.query.text("template_name");
    if (!text) text = request.query.text("template_id");
    if (!text) text = body.template_name.optional();
    if (!text) text = body.template_id.optional();
    if (!text) throw invalid_field("body.template_name", "is required");
    runtime::FoundTemplate of = co_await template_named(services, request, std::move(*text));
    co_return co_await save_template(services, request, std::move(of), std::move(body));
}

awaitable<Response> migrate(Services& services, const Request& request) {
    auto body = decode<DeploymentMigrate>(request.body());
    std::optional<std::string> deployment_id = request.query.text("deployment_id");
    if (!deployment_id) deployment_id = body.deployment_id.optional();
    if (!deployment_id) throw invalid_field("body.deployment_id", "is required");
    runtime::FoundTemplate of = co_await template_of(services, request, "template_id");
    co_return co_await migrate_deployment(services, request, std::move(of), std::move(body), std::move(*deployment_id));
}

// There is nothing to convert here: templates have one form.
awaitable<Response> migrate_legacy(Services& services, const Request& request) {
    const runtime::FoundTemplate of = co_await template_of(services, request, "templateId");
    TemplateDone done;
    done.message = of.found.name + " needs no conversion";
    co_return answer(done);
}

awaitable<Response> create_of_agent(Services& services, const Request& request) {
    const std::string id = request.path_id("agent_id", "agent");
    const auto agent = co_await services.agents.find(request.organization_id, id);
    if (!agent) throw not_found("Agent", id);
    std::string project_id = project_of(agent->project_id);
    std::string made_up;
    Template made = co_await services.template_service.create_from(request.organization_id, request.user_id,
                                                                   std::move(project_id), std::move(made_up), id);
    co_return co_await info_answer(services, std::move(made));
}

awaitable<Response> save_of_agent(Services& services, const Request& request) {
    const std::string id = request.path_id("agent_id", "agent");
    Template saved = co_await services.template_service.save_from(request.organization_id, request.user_id, id);
    co_return co_await info_answer(services, std::move(saved));
}

awaitable<Response> migrate_agent(Services& services, const Request& request) {
    const std::string id = request.path_id("agent_id", "agent");
    const auto body = decode<AgentMigrate>(request.body());
    const auto agent = co_await services.agents.find(request.organization_id, id);
    if (!agent) throw not_found("Agent", id);
    if (!agent->deployment_id)
        throw hosted_error(ErrorCode::invalid_argument, "The agent was not made of a template: " + id, "noTemplate");
    Deployment deployment =
        co_await services.template_service.find_deployment(request.organization_id, *agent->deployment_id);
    runtime::FoundTemplate to =
        co_await services.template_service.find(request.organization_id, deployment.project_id, body.to_template);
    if (to.reference.current)
        throw hosted_error(ErrorCode::invalid_argument, "to_template: agents are moved to saved versions only");
    MigrationFlags flags;
    flags.preserve_core_memories = body.preserve_core_memories;
    flags.preserve_tool_variables = body.preserve_tool_variables;
    TextMap nothing_new;
    co_await services.template_service.migrate(std::move(deployment), std::move(to), request.user_id, std::move(flags),
                                               std::move(nothing_new));
    co_return answer(TemplateDone());
}

}  // namespace

#define STELE_BY_ID "/v1/templates/{template_id}"

std::span<const Route> template_by_id_routes() {
    static constexpr Route routes[] = {
        {Method::get, STELE_BY_ID "/versions", versions, "templates.versions", "", "TemplateVersionList",
         "offset, limit"},
        {Method::get, STELE_BY_ID "/snapshot", snapshot, "templates.snapshot", "", "TemplateSnapshot"},
        {Method::put, STELE_BY_ID "/current", set_current, "templates.set_current", "TemplateSnapshot", "TemplateDone"},
        {Method::post, STELE_BY_ID "/fork", fork, "templates.fork", "TemplateFork?", "TemplateInfo"},
        {Method::patch, STELE_BY_ID "/rename", rename, "templates.rename", "TemplateRename", "TemplateDone"},
        {Method::patch, STELE_BY_ID "/description", describe, "templates.describe", "TemplateDescribe?",
         "TemplateDone"},
        {Method::put, STELE_BY_ID "/update", update, "templates.update_by_id", "TemplateUpdate", "TemplateDone"},
        {Method::post, "/v1/templates/save-version", save, "templates.save_version", "TemplateSave?", "TemplateInfo",
         "template_name, template_id"},
        {Method::post, STELE_BY_ID "/migrate", migrate, "templates.migrate", "DeploymentMigrate", "TemplateDone",
         "deployment_id"},
        {Method::post, "/v1/legacy-templates/{templateId}/migrates", migrate_legacy, "templates.migrate_legacy", "",
         "TemplateDone"},
        {Method::post, "/v1/agents/{agent_id}/template", create_of_agent, "agents.templates.create", "",
         "TemplateInfo"},
        {Method::post, "/v1/agents/{agent_id}/version-template", save_of_agent, "agents.templates.create_version", "",
         "TemplateInfo"},
        {Method::post, "/v1/agents/{agent_id}/migrate", migrate_agent, "agents.templates.migrate", "AgentMigrate",
         "TemplateDone"},
    };
    return routes;
}

}  // namespace stele::api
