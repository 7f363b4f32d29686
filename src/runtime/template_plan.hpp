#pragma once

#include "domain/template_request.hpp"

#include <map>

namespace stele::runtime {

// What templates mean, without any I/O: what a snapshot takes from agents, what is made of it, and what changes in that
// when it moves to another version. runtime/template_service carries it out.

/// The content of a template that is like `agents` (the manager of `group` first). Entities that `known` has keep their
/// ids there: an agent by its own, else by its place; a block by its own, else by its label on the same agent. Defaults
/// of variables stay. Messages, passages and the values of secrets are never taken.
TemplateSnapshot snapshot_of(const std::vector<AgentState>& agents, const std::optional<Group>& group,
                             const TemplateSnapshot& known);

/// A value for every variable of `snapshot`: the given one, else its default; surplus ones stay. Throws
/// Error{invalid_argument} naming all that are missing. Blocks for which `kept` is true are not looked at.
TextMap values_for(const TemplateSnapshot& snapshot, const TextMap& given,
                   const std::vector<std::string>& kept_block_entities = {});

/// Where what is made belongs.
struct DeploymentOrigin {
    std::string project_id, template_id, base_template_id, deployment_id;
    std::string template_name;
};

/// An agent that is to be made.
struct PlannedAgent {
    std::string entity_id;
    CreateAgent request;
    std::vector<std::string> block_entities;  ///< it holds, in order
};

/// A block that is to be made. Throws Error{invalid_argument} if its value exceeds its limit.
CreateBlock planned_block(const TemplateBlock& block, const TextMap& values, const DeploymentOrigin& origin);

/// `values`: of all variables. `known_ids`: of the tools and folders that there are; the others are left out and
/// named in the agent's metadata.template_notes.
PlannedAgent planned_agent(const TemplateSnapshot& snapshot, const TemplateAgent& agent, const TextMap& values,
                           const TextMap& tool_variables, const std::vector<std::string>& known_ids,
                           const std::string& project_id);

/// The group that `snapshot` wants, of the agents by entity id; nothing for a single agent and a cluster.
std::optional<Group> planned_group(const TemplateSnapshot& snapshot,
                                   const std::map<std::string, std::string>& agent_ids,
                                   const std::map<std::string, std::string>& block_ids, const DeploymentOrigin& origin);

/// A deployed agent as it is, and what it stands for in the version that it is moved to.
struct DeployedAgent {
    AgentState state;
    TextMap secrets;        ///< name and value
    std::string entity_id;  ///< empty: the version has no place for it
};

/// Which entity of `to` each of `agents` is. Of the same template: that of its entity id. Else by role: the main agent
/// is the main agent (`main_id`), the others go by type, in order; throws Error{invalid_argument} if one finds no
/// place.
void assign_entities(std::vector<DeployedAgent>& agents, const TemplateSnapshot& to, bool same_template,
                     const std::string& main_id);

struct AgentMove {
    std::string agent_id, entity_id;
    AgentType agent_type;
    UpdateAgent request;
    std::vector<std::string> attach;  ///< entity ids of blocks
    std::vector<std::string> detach;  ///< ids of blocks
};

struct MigrationPlan {
    std::vector<AgentMove> moves;
    std::vector<const TemplateAgent*> fresh_agents;  ///< of the version
    std::vector<const TemplateBlock*> fresh_blocks;
    std::map<std::string, Block> blocks;  ///< as they are then, by entity id: those that there are already
    std::vector<Block> gone;              ///< to be deleted
};

/// What is to be done. `from`: the version that was deployed, or null; of its tags the agents let go, of others not.
/// Points into `to`.
MigrationPlan plan_migration(const std::vector<DeployedAgent>& agents, const TemplateSnapshot* from,
                             const TemplateSnapshot& to, const MigrationFlags& flags, const TextMap& values,
                             const std::vector<std::string>& known_ids, const DeploymentOrigin& origin);

/// Entity ids of the blocks whose values a migration leaves alone.
std::vector<std::string> kept_blocks(const std::vector<DeployedAgent>& agents, const TemplateSnapshot& to,
                                     const MigrationFlags& flags);

}  // namespace stele::runtime
