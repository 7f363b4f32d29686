#pragma once

#include "domain/agent.hpp"

namespace stele {

// The content of a template: agents as patterns, their blocks, and how they belong together. Spelled as the API spells
// it. What stands for an agent or a block has an entity id that stays the same over all versions; what is made of it
// carries that id. Beyond the API's members (answers may hold more) stand those without which an agent that is made
// would not be like the one that the template was made from.

struct TemplateVariable {
    std::string key;
    Patch<std::string> defaultValue;
    std::string type = "string";
};
BOOST_DESCRIBE_STRUCT(TemplateVariable, (), (key, defaultValue, type))
constexpr std::array<std::string_view, 1> required_members(const TemplateVariable*) { return {"key"}; }

struct TemplateVariables {
    std::string version = "1";
    std::vector<TemplateVariable> data;
};
BOOST_DESCRIBE_STRUCT(TemplateVariables, (), (version, data))

struct TemplateProperties {
    std::optional<bool> enable_reasoner;
    std::optional<bool> put_inner_thoughts_in_kwargs;
    std::optional<std::int64_t> context_window_limit;
    std::optional<std::int64_t> max_tokens;
    std::optional<std::int64_t> max_reasoning_tokens;
    std::optional<std::int64_t> max_files_open;
    std::optional<bool> message_buffer_autoclear;
    std::optional<std::string> verbosity_level;
    std::optional<std::string> reasoning_effort;
    std::optional<std::int64_t> per_file_view_window_char_limit;
    std::optional<bool> parallel_tool_calls;
    std::optional<double> temperature;
};
BOOST_DESCRIBE_STRUCT(TemplateProperties, (),
                      (enable_reasoner, put_inner_thoughts_in_kwargs, context_window_limit, max_tokens,
                       max_reasoning_tokens, max_files_open, message_buffer_autoclear, verbosity_level,
                       reasoning_effort, per_file_view_window_char_limit, parallel_tool_calls, temperature))

struct TemplateAgent {
    std::string model;         ///< handle
    std::string systemPrompt;  ///< with {{variables}}
    std::optional<std::vector<std::string>> toolIds;
    std::optional<std::vector<std::string>> sourceIds;
    std::optional<TemplateVariables> memoryVariables;  ///< found in prompt and blocks; the author gives defaults
    std::optional<TemplateVariables> toolVariables;  ///< names of secrets; values only where the author gave a default
    std::optional<std::vector<std::string>> tags;
    std::optional<std::vector<std::string>> identityIds;
    std::optional<std::vector<ToolRule>> toolRules;
    AgentType agentType = AgentType::letta_v1_agent;
    std::optional<TemplateProperties> properties;
    std::string entityId;
    std::string name;
    Patch<std::string> description;  ///< this and what follows: see above
    Patch<std::string> embedding;
    Patch<std::string> timezone;
    Patch<Json> metadata;
    Patch<Json> responseFormat;
    Patch<CompactionSettings> compactionSettings;
};
BOOST_DESCRIBE_STRUCT(TemplateAgent, (),
                      (model, systemPrompt, toolIds, sourceIds, memoryVariables, toolVariables, tags, identityIds,
                       toolRules, agentType, properties, entityId, name, description, embedding, timezone, metadata,
                       responseFormat, compactionSettings))
constexpr std::array<std::string_view, 3> required_members(const TemplateAgent*) {
    return {"model", "systemPrompt", "entityId"};
}

struct TemplateBlock {
    std::string entityId;
    std::string label;
    std::string value;  ///< with {{variables}}
    std::int64_t limit = 100'000;
    std::string description;
    std::optional<bool> preserveOnMigration;
    bool readOnly = false;
};
BOOST_DESCRIBE_STRUCT(TemplateBlock, (), (entityId, label, value, limit, description, preserveOnMigration, readOnly))
constexpr std::array<std::string_view, 2> required_members(const TemplateBlock*) { return {"entityId", "label"}; }

/// That an agent holds a block.
struct TemplateRelationship {
    std::string agentEntityId;
    std::string blockEntityId;

    bool operator==(const TemplateRelationship&) const = default;
};
BOOST_DESCRIBE_STRUCT(TemplateRelationship, (), (agentEntityId, blockEntityId))
constexpr std::array<std::string_view, 2> required_members(const TemplateRelationship*) {
    return {"agentEntityId", "blockEntityId"};
}

/// How the group of the agents is managed; empty for a single agent.
struct TemplateConfig {
    Patch<std::string> managerAgentEntityId;
    Patch<std::string> managerType;
    Patch<std::string> terminationToken;
    Patch<std::int64_t> maxTurns;
    Patch<std::int64_t> sleeptimeAgentFrequency;
    Patch<std::int64_t> maxMessageBufferLength;
    Patch<std::int64_t> minMessageBufferLength;
    Patch<std::vector<std::string>> sharedBlockEntityIds;  ///< ours: the blocks that the group shares
};
BOOST_DESCRIBE_STRUCT(TemplateConfig, (),
                      (managerAgentEntityId, managerType, terminationToken, maxTurns, sleeptimeAgentFrequency,
                       maxMessageBufferLength, minMessageBufferLength, sharedBlockEntityIds))

struct TemplateSnapshot {
    std::vector<TemplateAgent> agents;  ///< the manager first
    std::vector<TemplateBlock> blocks;
    std::vector<TemplateRelationship> relationships;
    TemplateConfig configuration;
    std::string type = "classic";  ///< classic, cluster, or the manager's type
    std::string version;           ///< a number, or "current"; empty in the store
};
BOOST_DESCRIBE_STRUCT(TemplateSnapshot, (), (agents, blocks, relationships, configuration, type, version))
constexpr std::array<std::string_view, 1> required_members(const TemplateSnapshot*) { return {"agents"}; }

/// Throws Error{invalid_argument} for content that does not hang together: no agents, an entity id or an agent's label
/// twice, a relationship that leads nowhere, a type without the manager that it needs.
void demand_sense(const TemplateSnapshot& snapshot);

/// Lists for each agent the variables that are found in its prompt and its blocks. Defaults that it had stay.
void list_variables(TemplateSnapshot& snapshot);

const TemplateAgent* find_agent(const TemplateSnapshot& snapshot, const std::string& entity_id);
const TemplateBlock* find_block(const TemplateSnapshot& snapshot, const std::string& entity_id);

/// Blocks of one agent in the order of the relationships.
std::vector<const TemplateBlock*> blocks_of(const TemplateSnapshot& snapshot, const std::string& agent_entity_id);

/// The agent that the others belong to: the manager, else the first.
const TemplateAgent& main_agent(const TemplateSnapshot& snapshot);

/// Another template with the same content: every entity has an id of its own.
TemplateSnapshot with_new_entities(TemplateSnapshot snapshot);

}  // namespace stele
