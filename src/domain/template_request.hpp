#pragma once

#include "domain/template.hpp"

namespace stele {

// Bodies and answers of the template routes, spelled as the API spells them.

/// What is made of a version, and how.
struct DeployRequest {
    Patch<std::vector<std::string>> tags;  ///< besides those of the template
    Patch<std::string> agent_name;         ///< of the main agent
    Patch<std::vector<InitialMessage>> initial_message_sequence;
    Patch<TextMap> memory_variables;
    Patch<TextMap> tool_variables;  ///< become secrets
    Patch<std::vector<std::string>> identity_ids;
};
BOOST_DESCRIBE_STRUCT(DeployRequest, (),
                      (tags, agent_name, initial_message_sequence, memory_variables, tool_variables, identity_ids))

/// Body of POST /v1/templates. Without `type`, but with the name of a template, it asks for agents of that template.
struct TemplateCreate : DeployRequest {
    Patch<std::string> type;  ///< agent or agent_file
    Patch<std::string> agent_id;
    Patch<Json> agent_file;
    Patch<std::string> name;
    Patch<bool> update_existing_tools;
    Patch<std::string> template_version, template_id, template_name;
};
BOOST_DESCRIBE_STRUCT(TemplateCreate, (DeployRequest),
                      (type, agent_id, agent_file, name, update_existing_tools, template_version, template_id,
                       template_name))
void check(const TemplateCreate& request, Problems& problems);

/// Body of PATCH /v1/templates/{template_name} and its aliases.
struct TemplateUpdate {
    Json agent_file_json;
    bool update_existing_tools = false;
    bool save_existing_changes = false;
};
BOOST_DESCRIBE_STRUCT(TemplateUpdate, (), (agent_file_json, update_existing_tools, save_existing_changes))
constexpr std::array<std::string_view, 1> required_members(const TemplateUpdate*) { return {"agent_file_json"}; }

/// Body of POST /v1/templates/{template_name}/save.
struct TemplateSave {
    Patch<bool> preserve_environment_variables_on_migration;
    Patch<bool> preserve_core_memories_on_migration;
    Patch<bool> preserve_sources_on_migration;
    Patch<std::string> block_reconciliation_strategy;
    Patch<bool> migrate_agents;
    Patch<std::string> message;
    Patch<std::string> template_name, template_id;  ///< where the path names none
};
BOOST_DESCRIBE_STRUCT(TemplateSave, (),
                      (preserve_environment_variables_on_migration, preserve_core_memories_on_migration,
                       preserve_sources_on_migration, block_reconciliation_strategy, migrate_agents, message,
                       template_name, template_id))
void check(const TemplateSave& request, Problems& problems);
MigrationFlags flags_of(const TemplateSave& request);

struct TemplateRollback {
    std::string version;
};
BOOST_DESCRIBE_STRUCT(TemplateRollback, (), (version))
constexpr std::array<std::string_view, 1> required_members(const TemplateRollback*) { return {"version"}; }

struct TemplateFork {
    Patch<std::string> name;
};
BOOST_DESCRIBE_STRUCT(TemplateFork, (), (name))

struct TemplateRename {
    std::string new_name;
};
BOOST_DESCRIBE_STRUCT(TemplateRename, (), (new_name))
constexpr std::array<std::string_view, 1> required_members(const TemplateRename*) { return {"new_name"}; }

struct TemplateDescribe {
    Patch<std::string> description;
};
BOOST_DESCRIBE_STRUCT(TemplateDescribe, (), (description))

/// Body of POST .../deployments/{deployment_id}/migrate and its alias.
struct DeploymentMigrate {
    std::string version;
    Patch<bool> preserve_tool_variables;
    Patch<bool> preserve_core_memories;
    Patch<bool> preserve_sources;
    Patch<std::string> block_reconciliation_strategy;  ///< ours
    Patch<TextMap> memory_variables;
    Patch<std::string> deployment_id;  ///< where the path names none
};
BOOST_DESCRIBE_STRUCT(DeploymentMigrate, (),
                      (version, preserve_tool_variables, preserve_core_memories, preserve_sources,
                       block_reconciliation_strategy, memory_variables, deployment_id))
void check(const DeploymentMigrate& request, Problems& problems);
constexpr std::array<std::string_view, 1> required_members(const DeploymentMigrate*) { return {"version"}; }
MigrationFlags flags_of(const DeploymentMigrate& request);

/// Body of POST /v1/agents/{agent_id}/migrate.
struct AgentMigrate {
    std::string to_template;  ///< "name:version"
    bool preserve_core_memories = false;
    Patch<bool> preserve_tool_variables;
};
BOOST_DESCRIBE_STRUCT(AgentMigrate, (), (to_template, preserve_core_memories, preserve_tool_variables))
constexpr std::array<std::string_view, 1> required_members(const AgentMigrate*) { return {"to_template"}; }

struct TemplateInfo {
    std::string name;
    std::string id;
    std::string project_id;
    std::string project_slug;
    std::string latest_version;
    Patch<std::string> description;
    std::string template_deployment_slug;  ///< "project/name:version"
    Timestamp updated_at{};
};
BOOST_DESCRIBE_STRUCT(TemplateInfo, (),
                      (name, id, project_id, project_slug, latest_version, description, template_deployment_slug,
                       updated_at))

struct TemplateList {
    std::vector<TemplateInfo> templates;
    bool has_next_page = false;
};
BOOST_DESCRIBE_STRUCT(TemplateList, (), (templates, has_next_page))

struct TemplateVersionInfo {
    std::string version;
    Timestamp created_at{};
    Patch<std::string> message;
    bool is_latest = false;
};
BOOST_DESCRIBE_STRUCT(TemplateVersionInfo, (), (version, created_at, message, is_latest))

struct TemplateVersionList {
    std::vector<TemplateVersionInfo> versions;
    bool has_next_page = false;
    std::int64_t total_count = 0;
};
BOOST_DESCRIBE_STRUCT(TemplateVersionList, (), (versions, has_next_page, total_count))

/// What was made; the newer clients read ids alone.
struct Deployed {
    std::vector<AgentState> agents;
    std::optional<Group> group;
    std::string deployment_id;
    std::vector<std::string> agent_ids;
    std::optional<std::string> group_id;
};
BOOST_DESCRIBE_STRUCT(Deployed, (), (agents, group, deployment_id, agent_ids, group_id))

/// Success, with a remark where there is one to be made.
struct TemplateDone {
    bool success = true;
    Patch<std::string> message;
};
BOOST_DESCRIBE_STRUCT(TemplateDone, (), (success, message))

TemplateInfo info_of(const Template& made, const std::string& project_slug);

}  // namespace stele
