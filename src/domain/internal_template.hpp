#pragma once

#include "domain/agent.hpp"

namespace stele {

// Bodies and answers of /v1/_internal_templates: parts of a deployment, made one by one by who knows their ids.

struct InternalTemplateAgentCreate : CreateAgent {
    std::string deployment_id;
    std::string entity_id;
};
BOOST_DESCRIBE_STRUCT(InternalTemplateAgentCreate, (CreateAgent), (deployment_id, entity_id))
constexpr std::array<std::string_view, 4> required_members(const InternalTemplateAgentCreate*) {
    return {"template_id", "base_template_id", "deployment_id", "entity_id"};
}

struct InternalTemplateBlockCreate : CreateBlock {};
BOOST_DESCRIBE_STRUCT(InternalTemplateBlockCreate, (CreateBlock), ())
constexpr std::array<std::string_view, 6> required_members(const InternalTemplateBlockCreate*) {
    return {"value", "template_id", "base_template_id", "deployment_id", "entity_id", "label"};
}

/// A list of them, as the body of the batch is read.
struct InternalTemplateBlocks {
    std::vector<InternalTemplateBlockCreate> blocks;
};
BOOST_DESCRIBE_STRUCT(InternalTemplateBlocks, (), (blocks))

struct InternalTemplateGroupCreate : GroupCreate {
    std::string base_template_id;
    std::string template_id;
    std::string deployment_id;
};
BOOST_DESCRIBE_STRUCT(InternalTemplateGroupCreate, (GroupCreate), (base_template_id, template_id, deployment_id))
constexpr std::array<std::string_view, 5> required_members(const InternalTemplateGroupCreate*) {
    return {"agent_ids", "description", "base_template_id", "template_id", "deployment_id"};
}

struct DeploymentEntity {
    std::string id;
    std::string type;  ///< block, agent or group
    std::optional<std::string> name;
    std::optional<std::string> description;
    std::optional<std::string> entity_id;
    std::optional<std::string> project_id;
};
BOOST_DESCRIBE_STRUCT(DeploymentEntity, (), (id, type, name, description, entity_id, project_id))

struct ListDeploymentEntitiesResponse {
    std::vector<DeploymentEntity> entities;
    std::int64_t total_count = 0;
    std::string deployment_id;
    std::string message;
};
BOOST_DESCRIBE_STRUCT(ListDeploymentEntitiesResponse, (), (entities, total_count, deployment_id, message))

struct DeleteDeploymentResponse {
    std::vector<std::string> deleted_blocks;
    std::vector<std::string> deleted_agents;
    std::vector<std::string> deleted_groups;
    std::string message;
};
BOOST_DESCRIBE_STRUCT(DeleteDeploymentResponse, (), (deleted_blocks, deleted_agents, deleted_groups, message))

}  // namespace stele
