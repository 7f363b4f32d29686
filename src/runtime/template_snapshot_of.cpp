// What a template takes from agents.
#include "base/ids.hpp"
#include "domain/template_variables.hpp"
#include "runtime/template_plan.hpp"

#include <algorithm>

namespace stele::runtime {
namespace {

bool is_taken(const TemplateSnapshot& snapshot, const std::string& entity_id) {
    return find_agent(snapshot, entity_id) != nullptr || find_block(snapshot, entity_id) != nullptr;
}

// The agent of `known` that stands where this one does: its own entity, or the same place in the row.
const TemplateAgent* known_agent(const TemplateSnapshot& known, const AgentState& agent, std::size_t place,
                                 const TemplateSnapshot& made) {
    if (agent.entity_id)
        if (const TemplateAgent* found = find_agent(known, *agent.entity_id)) return found;
    const TemplateAgent* there = place < known.agents.size() ? &known.agents[place] : nullptr;
    const bool free = there != nullptr && there->agentType == agent.agent_type && !is_taken(made, there->entityId);
    return free ? there : nullptr;
}

const TemplateBlock* known_block(const TemplateSnapshot& known, const std::string& agent_entity, const Block& block,
                                 const TemplateSnapshot& made) {
    if (block.entity_id)
        if (const TemplateBlock* found = find_block(known, *block.entity_id)) return found;
    for (const TemplateBlock* each : blocks_of(known, agent_entity))
        if (each->label == block.label && !is_taken(made, each->entityId)) return each;
    return nullptr;
}

TemplateProperties properties_of(const AgentState& agent) {
    const LlmConfig& config = agent.llm_config;
    TemplateProperties made;
    made.enable_reasoner = config.enable_reasoner;
    made.put_inner_thoughts_in_kwargs = config.put_inner_thoughts_in_kwargs;
    made.context_window_limit = config.context_window;
    made.max_tokens = config.max_tokens;
    made.max_reasoning_tokens = config.max_reasoning_tokens;
    made.max_files_open = agent.max_files_open;
    made.message_buffer_autoclear = agent.message_buffer_autoclear;
    made.verbosity_level = config.verbosity;
    made.reasoning_effort = config.reasoning_effort;
    made.per_file_view_window_char_limit = agent.per_file_view_window_char_limit;
    made.parallel_tool_calls = config.parallel_tool_calls;
    made.temperature = config.temperature;
    return made;
}

TemplateVariables secrets_of(const AgentState& agent, const TemplateAgent* known) {
    TemplateVariables named;
    for (const AgentVariable& secret : agent.secrets) {
        TemplateVariable& variable = named.data.emplace_back();
        variable.key = secret.key;
        if (known == nullptr || !known->toolVariables) continue;
        for (const TemplateVariable& before : known->toolVariables->data)
            if (before.key == secret.key) variable.defaultValue = before.defaultValue;
    }
    return named;
}

TemplateAgent agent_of(const AgentState& state, const TemplateAgent* known) {
    TemplateAgent made;
    made.model = state.model.value_or(state.llm_config.handle.value_or(state.llm_config.model));
    made.systemPrompt = state.system;
    made.toolIds.emplace();
    for (const Tool& tool : state.tools) made.toolIds->push_back(tool.id);
    made.sourceIds.emplace();
    for (const Json& source : state.sources)
        if (auto id = json_member_text(source.text, "id")) made.sourceIds->push_back(std::move(*id));
    if (known != nullptr) made.memoryVariables = known->memoryVariables;
    made.toolVariables = secrets_of(state, known);
    made.tags = state.tags;
    made.identityIds = state.identity_ids;
    made.toolRules = state.tool_rules;
    made.agentType = state.agent_type;
    made.properties = properties_of(state);
    made.entityId = known != nullptr ? known->entityId : new_uuid();
    made.name = state.name;
    if (state.description) made.description = *state.description;
    if (state.embedding) made.embedding = *state.embedding;
    if (state.timezone) made.timezone = *state.timezone;
    if (!state.metadata.is_null()) made.metadata = state.metadata;
    if (!state.response_format.is_null()) made.responseFormat = state.response_format;
    if (state.compaction_settings) made.compactionSettings = *state.compaction_settings;
    return made;
}

TemplateBlock block_of(const Block& block, const TemplateBlock* known) {
    TemplateBlock made;
    made.entityId = known != nullptr ? known->entityId : new_uuid();
    made.label = block.label;
    made.value = block.value;
    made.limit = block.limit;
    made.description = block.description.value_or("");
    made.preserveOnMigration = block.preserve_on_migration;
    made.readOnly = block.read_only;
    return made;
}

void describe_group(TemplateSnapshot& made, const Group& group, const std::map<std::string, std::string>& agents,
                    const std::map<std::string, std::string>& blocks) {
    TemplateConfig& configuration = made.configuration;
    made.type = to_string(group.manager_type);
    configuration.managerType = made.type;
    if (group.manager_agent_id) configuration.managerAgentEntityId = agents.at(*group.manager_agent_id);
    if (group.termination_token) configuration.terminationToken = *group.termination_token;
    if (group.max_turns) configuration.maxTurns = *group.max_turns;
    if (group.sleeptime_agent_frequency) configuration.sleeptimeAgentFrequency = *group.sleeptime_agent_frequency;
    if (group.max_message_buffer_length) configuration.maxMessageBufferLength = *group.max_message_buffer_length;
    if (group.min_message_buffer_length) configuration.minMessageBufferLength = *group.min_message_buffer_length;
    std::vector<std::string> shared;
    for (const std::string& id : group.shared_block_ids)
        if (const auto found = blocks.find(id); found != blocks.end()) shared.push_back(found->second);
    if (!shared.empty()) configuration.sharedBlockEntityIds = std::move(shared);
}

}  // namespace

TemplateSnapshot snapshot_of(const std::vector<AgentState>& agents, const std::optional<Group>& group,
                             const TemplateSnapshot& known) {
    TemplateSnapshot made;
    std::map<std::string, std::string> agent_entities, block_entities;  // by id
    for (const AgentState& state : agents) {
        const TemplateAgent* before = known_agent(known, state, made.agents.size(), made);
        made.agents.push_back(agent_of(state, before));
        const std::string& entity = agent_entities[state.id] = made.agents.back().entityId;
        for (const Block& block : state.blocks) {
            const auto shared = block_entities.find(block.id);
            if (shared == block_entities.end()) {
                made.blocks.push_back(block_of(block, known_block(known, entity, block, made)));
                block_entities[block.id] = made.blocks.back().entityId;
            }
            made.relationships.push_back({entity, block_entities.at(block.id)});
        }
    }
    if (group)
        describe_group(made, *group, agent_entities, block_entities);
    else if (made.agents.size() > 1)
        made.type = "cluster";
    list_variables(made);
    return made;
}

}  // namespace stele::runtime
