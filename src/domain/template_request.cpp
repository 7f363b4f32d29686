#include "domain/template_request.hpp"

#include "base/ids.hpp"
#include "domain/json_mapping.hpp"

namespace stele {
namespace {

constexpr std::size_t message_max = 1'000;
constexpr std::string_view reconcile_all = "reconcile-all", preserve_deleted = "preserve-deleted";

void check_strategy(const Patch<std::string>& strategy, Problems& problems) {
    if (strategy.has_value() && *strategy != reconcile_all && *strategy != preserve_deleted)
        problems.add("block_reconciliation_strategy", "must be one of: reconcile-all, preserve-deleted",
                     "literal_error", json_string(*strategy));
}

Patch<bool> reconciles(const Patch<std::string>& strategy) {
    return strategy.has_value() ? Patch<bool>(*strategy == reconcile_all) : Patch<bool>();
}

}  // namespace

void check(const TemplateCreate& request, Problems& problems) {
    if (!request.type.has_value()) {
        if (!request.template_version.has_value() && !request.template_id.has_value() &&
            !request.template_name.has_value())
            problems.add("type", "is required: agent or agent_file", "missing");
        return;
    }
    if (*request.type == "agent") {
        if (!request.agent_id.has_value())
            problems.add("agent_id", "is required", "missing");
        else if (!is_id(*request.agent_id, "agent"))
            problems.add("agent_id", "must match 'agent-{uuid4}'", "string_pattern_mismatch",
                         json_string(first_code_points(*request.agent_id, 64)));
    } else if (*request.type == "agent_file") {
        if (!request.agent_file.has_value()) problems.add("agent_file", "is required", "missing");
    } else {
        problems.add("type", "must be one of: agent, agent_file", "literal_error",
                     json_string(first_code_points(*request.type, 64)));
    }
}

void check(const TemplateSave& request, Problems& problems) {
    check_strategy(request.block_reconciliation_strategy, problems);
    if (request.message.has_value() && code_points(*request.message) > message_max)
        problems.add("message", "must have at most 1000 characters", "string_too_long");
}

void check(const DeploymentMigrate& request, Problems& problems) {
    check_strategy(request.block_reconciliation_strategy, problems);
}

MigrationFlags flags_of(const TemplateSave& request) {
    MigrationFlags flags;
    flags.preserve_core_memories = request.preserve_core_memories_on_migration;
    flags.preserve_tool_variables = request.preserve_environment_variables_on_migration;
    flags.preserve_sources = request.preserve_sources_on_migration;
    flags.reconcile_all = reconciles(request.block_reconciliation_strategy);
    return flags;
}

MigrationFlags flags_of(const DeploymentMigrate& request) {
    MigrationFlags flags;
    flags.preserve_core_memories = request.preserve_core_memories;
    flags.preserve_tool_variables = request.preserve_tool_variables;
    flags.preserve_sources = request.preserve_sources;
    flags.reconcile_all = reconciles(request.block_reconciliation_strategy);
    return flags;
}

TemplateInfo info_of(const Template& made, const std::string& project_slug) {
    TemplateInfo info;
    info.name = made.name;
    info.id = made.id;
    info.project_id = made.project_id;
    info.project_slug = project_slug;
    info.latest_version = std::to_string(made.latest);
    if (made.description) info.description = *made.description;
    info.template_deployment_slug = project_slug + "/" + made.name + ":" + info.latest_version;
    info.updated_at = made.updated_at;
    return info;
}

STELE_JSON_READ(DeployRequest)
STELE_JSON_READ(TemplateCreate)
STELE_JSON_READ(TemplateUpdate)
STELE_JSON_READ(TemplateSave)
STELE_JSON_READ(TemplateRollback)
STELE_JSON_READ(TemplateFork)
STELE_JSON_READ(TemplateRename)
STELE_JSON_READ(TemplateDescribe)
STELE_JSON_READ(DeploymentMigrate)
STELE_JSON_READ(AgentMigrate)
STELE_JSON_WRITTEN(TemplateInfo)
STELE_JSON_WRITTEN(TemplateList)
STELE_JSON_WRITTEN(TemplateVersionInfo)
STELE_JSON_WRITTEN(TemplateVersionList)
STELE_JSON_WRITTEN(Deployed)
STELE_JSON_WRITTEN(TemplateDone)

}  // namespace stele
