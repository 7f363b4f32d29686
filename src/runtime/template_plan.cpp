#include "runtime/template_plan.hpp"

#include "base/contains.hpp"
#include "base/json_text.hpp"
#include "base/utf8.hpp"
#include "domain/hosted_error.hpp"
#include "domain/template_variables.hpp"

#include <algorithm>

namespace stele::runtime {
namespace {

const std::string* default_of(const TemplateSnapshot& snapshot, const std::string& key) {
    for (const TemplateAgent& agent : snapshot.agents) {
        if (!agent.memoryVariables) continue;
        for (const TemplateVariable& variable : agent.memoryVariables->data)
            if (variable.key == key && variable.defaultValue.has_value()) return &*variable.defaultValue;
    }
    return nullptr;
}

// `metadata` with a list of texts under "template_notes".
Json with_notes(const Json& metadata, const std::vector<std::string>& notes) {
    std::string list;
    for (const std::string& note : notes) list += (list.empty() ? "" : ",") + json_string(note);
    std::string text = metadata.text.size() > 1 && metadata.text.back() == '}' ? metadata.text : "{}";
    text.pop_back();
    text += std::string(text.size() > 1 ? "," : "") + "\"template_notes\":[" + list + "]}";
    return Json{std::move(text)};
}

CompactionSettingsUpdate update_of(const CompactionSettings& settings) {
    CompactionSettingsUpdate update;
    if (settings.model) update.model = *settings.model;
    if (settings.prompt) update.prompt = *settings.prompt;
    update.prompt_acknowledgement = settings.prompt_acknowledgement;
    if (settings.clip_chars) update.clip_chars = *settings.clip_chars;
    update.mode = settings.mode;
    update.sliding_window_percentage = settings.sliding_window_percentage;
    return update;
}

template <class T>
Patch<T> given(const std::optional<T>& value) {
    return value ? Patch<T>(*value) : Patch<T>();
}

void set_model(const TemplateAgent& agent, const TextMap& values, AgentModelRequest& request) {
    request.system = with_values(agent.systemPrompt, values);
    if (!agent.model.empty()) request.model = agent.model;
    request.embedding = agent.embedding;
    request.description = agent.description;
    request.metadata = agent.metadata;
    request.response_format = agent.responseFormat;
    if (agent.compactionSettings.has_value()) request.compaction_settings = update_of(*agent.compactionSettings);
    if (!agent.properties) return;
    const TemplateProperties& properties = *agent.properties;
    request.context_window_limit = given(properties.context_window_limit);
    request.max_tokens = given(properties.max_tokens);
    request.max_reasoning_tokens = given(properties.max_reasoning_tokens);
    request.enable_reasoner = given(properties.enable_reasoner);
    request.parallel_tool_calls = given(properties.parallel_tool_calls);
    ModelSettings settings;
    settings.temperature = given(properties.temperature);
    settings.verbosity = given(properties.verbosity_level);
    if (properties.reasoning_effort) {
        ReasoningSettings reasoning;
        reasoning.reasoning_effort = *properties.reasoning_effort;
        settings.reasoning = std::move(reasoning);
    }
    request.model_settings = std::move(settings);
}

void set_switches(const TemplateAgent& agent, AgentSwitchesRequest& request) {
    request.timezone = agent.timezone;
    if (!agent.properties) return;
    request.message_buffer_autoclear = given(agent.properties->message_buffer_autoclear);
    request.max_files_open = given(agent.properties->max_files_open);
    request.per_file_view_window_char_limit = given(agent.properties->per_file_view_window_char_limit);
}

// Names the tools and folders that are gone.
std::vector<std::string> set_links(const TemplateAgent& agent, const std::vector<std::string>& known_ids,
                                   AgentLinksRequest& request) {
    std::vector<std::string> there, notes;
    for (const std::string& id : agent.toolIds.value_or(std::vector<std::string>())) {
        if (contains(known_ids, id))
            there.push_back(id);
        else
            notes.push_back("The tool " + id + " is gone");
    }
    request.tool_ids = std::move(there);
    request.tool_rules = agent.toolRules.value_or(std::vector<ToolRule>());
    if (!agent.sourceIds) return notes;
    std::vector<std::string> folders;
    for (const std::string& id : *agent.sourceIds) {
        if (contains(known_ids, id))
            folders.push_back(id);
        else
            notes.push_back("The folder " + id + " is gone");
    }
    request.source_ids = std::move(folders);
    return notes;
}

// Besides those that the template names, the agent keeps its own.
void add_folders_of(const AgentState& state, AgentLinksRequest& request) {
    if (!request.source_ids.has_value()) return;
    std::vector<std::string> ids = *request.source_ids;
    for (const Json& source : state.sources)
        if (auto id = json_member_text(source.text, "id"); id && !contains(ids, *id)) ids.push_back(std::move(*id));
    request.source_ids = std::move(ids);
}

TextMap default_secrets(const TemplateAgent& agent) {
    TextMap secrets;
    if (!agent.toolVariables) return secrets;
    for (const TemplateVariable& variable : agent.toolVariables->data)
        if (variable.defaultValue.has_value()) secrets.emplace_back(variable.key, *variable.defaultValue);
    return secrets;
}

// What the template declares, and with `preserve` what the agent has besides.
TextMap moved_secrets(const TemplateAgent& agent, const TextMap& before, bool preserve) {
    if (preserve) return merged(default_secrets(agent), before);
    TextMap secrets;
    if (!agent.toolVariables) return secrets;
    for (const TemplateVariable& variable : agent.toolVariables->data) {
        if (variable.defaultValue.has_value())
            secrets.emplace_back(variable.key, *variable.defaultValue);
        else if (const std::string* value = value_of(before, variable.key))
            secrets.emplace_back(variable.key, *value);  // the template never knew it
    }
    return secrets;
}

std::vector<std::string> moved_tags(const std::vector<std::string>& tags, const TemplateAgent* from,
                                    const TemplateAgent& to) {
    const std::vector<std::string> wanted = to.tags.value_or(std::vector<std::string>());
    const std::vector<std::string> before =
        from != nullptr ? from->tags.value_or(std::vector<std::string>()) : std::vector<std::string>();
    std::vector<std::string> moved = wanted;
    for (const std::string& tag : tags)
        if (!contains(before, tag) && !contains(moved, tag)) moved.push_back(tag);
    return moved;
}

// The block of `agent` that stands for `wanted`: by its entity id, else by its label, unless it stands for another one.
const Block* deployed_block(const AgentState& agent, const TemplateBlock& wanted, const TemplateSnapshot& to) {
    for (const Block& block : agent.blocks)
        if (block.entity_id == wanted.entityId) return &block;
    for (const Block& block : agent.blocks)
        if (block.label == wanted.label && !(block.entity_id && find_block(to, *block.entity_id))) return &block;
    return nullptr;
}

bool keeps_value(const Block& block, const TemplateBlock& wanted, const MigrationFlags& flags) {
    return flags.preserve_core_memories.value_or(false) || block.preserve_on_migration ||
           wanted.preserveOnMigration.value_or(false);
}

void demand_fit(const std::string& label, const std::string& value, std::int64_t limit) {
    const std::size_t length = code_points(value);
    if (length > static_cast<std::size_t>(limit))
        throw hosted_error(ErrorCode::invalid_argument, "block '" + label + "': " + std::to_string(length) +
                                                            " characters exceed its limit of " + std::to_string(limit));
}

Block moved_block(Block block, const TemplateBlock& wanted, const TextMap& values, const MigrationFlags& flags,
                  const DeploymentOrigin& origin) {
    if (!keeps_value(block, wanted, flags)) {
        block.value = with_values(wanted.value, values);
        demand_fit(wanted.label, block.value, wanted.limit);
    }
    block.label = wanted.label;
    block.limit = wanted.limit;
    block.description = wanted.description.empty() ? std::nullopt : std::optional(wanted.description);
    block.read_only = wanted.readOnly;
    block.preserve_on_migration = wanted.preserveOnMigration.value_or(block.preserve_on_migration);
    block.entity_id = wanted.entityId;
    block.template_id = origin.template_id;
    block.base_template_id = origin.base_template_id;
    block.deployment_id = origin.deployment_id;
    return block;
}

bool holds(const AgentState& agent, const std::string& block_id) {
    return std::any_of(agent.blocks.begin(), agent.blocks.end(),
                       [&](const Block& each) { return each.id == block_id; });
}

}  // namespace

TextMap values_for(const TemplateSnapshot& snapshot, const TextMap& given,
                   const std::vector<std::string>& kept_block_entities) {
    TextMap values = given;
    std::string missing;
    const auto need = [&](const std::string& text) {
        for (const std::string& name : variables_in(text)) {
            if (value_of(values, name) != nullptr) continue;
            if (const std::string* otherwise = default_of(snapshot, name)) {
                values.emplace_back(name, *otherwise);
                continue;
            }
            missing += (missing.empty() ? "" : ", ") + name;
            values.emplace_back(name, std::string());  // named once
        }
    };
    for (const TemplateAgent& agent : snapshot.agents) need(agent.systemPrompt);
    for (const TemplateBlock& block : snapshot.blocks)
        if (!contains(kept_block_entities, block.entityId)) need(block.value);
    if (!missing.empty())
        throw hosted_error(ErrorCode::invalid_argument, "memory_variables: no value for " + missing,
                           "missingMemoryVariables");
    return values;
}

CreateBlock planned_block(const TemplateBlock& block, const TextMap& values, const DeploymentOrigin& origin) {
    CreateBlock request;
    BlockValue value;
    value.text = with_values(block.value, values);
    demand_fit(block.label, value.text, block.limit);
    request.value = std::move(value);
    request.label = block.label;
    request.limit = block.limit;
    if (!block.description.empty()) request.description = block.description;
    request.read_only = block.readOnly;
    request.preserve_on_migration = block.preserveOnMigration.value_or(false);
    request.project_id = origin.project_id;
    request.template_id = origin.template_id;
    request.base_template_id = origin.base_template_id;
    request.deployment_id = origin.deployment_id;
    request.entity_id = block.entityId;
    return request;
}

PlannedAgent planned_agent(const TemplateSnapshot& snapshot, const TemplateAgent& agent, const TextMap& values,
                           const TextMap& tool_variables, const std::vector<std::string>& known_ids,
                           const std::string& project_id) {
    PlannedAgent planned;
    planned.entity_id = agent.entityId;
    CreateAgent& request = planned.request;
    request.agent_type = agent.agentType;
    request.include_base_tools = false;
    request.include_base_tool_rules = false;
    request.project_id = project_id;
    if (!agent.name.empty()) request.name = agent.name;
    set_model(agent, values, request);
    set_switches(agent, request);
    const std::vector<std::string> notes = set_links(agent, known_ids, request);
    if (!notes.empty()) request.metadata = with_notes(request.metadata.value_or(Json{"{}"}), notes);
    request.tags = agent.tags.value_or(std::vector<std::string>());
    request.secrets = merged(default_secrets(agent), tool_variables);
    if (agent.identityIds && !agent.identityIds->empty()) request.identity_ids = *agent.identityIds;
    for (const TemplateBlock* block : blocks_of(snapshot, agent.entityId))
        planned.block_entities.push_back(block->entityId);
    return planned;
}

std::optional<Group> planned_group(const TemplateSnapshot& snapshot,
                                   const std::map<std::string, std::string>& agent_ids,
                                   const std::map<std::string, std::string>& block_ids,
                                   const DeploymentOrigin& origin) {
    const auto type = parse_manager_type(snapshot.type);
    if (!type) return std::nullopt;
    const TemplateConfig& configuration = snapshot.configuration;
    Group group;
    group.manager_type = *type;
    group.description = origin.template_name;
    const std::string manager = configuration.managerAgentEntityId.value_or("");
    if (!manager.empty()) group.manager_agent_id = agent_ids.at(manager);
    for (const TemplateAgent& agent : snapshot.agents)
        if (agent.entityId != manager) group.agent_ids.push_back(agent_ids.at(agent.entityId));
    group.termination_token = configuration.terminationToken.optional();
    if (*type == ManagerType::dynamic && !group.termination_token) group.termination_token = "DONE!";
    group.max_turns = configuration.maxTurns.optional();
    group.sleeptime_agent_frequency = configuration.sleeptimeAgentFrequency.optional();
    if (*type == ManagerType::sleeptime) {
        group.turns_counter = -1;
        if (!group.sleeptime_agent_frequency) group.sleeptime_agent_frequency = sleeptime_frequency_default;
    }
    if (*type == ManagerType::voice_sleeptime) {
        group.max_message_buffer_length = configuration.maxMessageBufferLength.value_or(voice_buffer_max_default);
        group.min_message_buffer_length = configuration.minMessageBufferLength.value_or(voice_buffer_min_default);
    }
    for (const std::string& entity : configuration.sharedBlockEntityIds.value_or({}))
        if (const auto found = block_ids.find(entity); found != block_ids.end())
            group.shared_block_ids.push_back(found->second);
    group.project_id = origin.project_id;
    group.template_id = origin.template_id;
    group.base_template_id = origin.base_template_id;
    group.deployment_id = origin.deployment_id;
    return group;
}

void assign_entities(std::vector<DeployedAgent>& agents, const TemplateSnapshot& to, bool same_template,
                     const std::string& main_id) {
    std::vector<std::string> taken;
    const auto assign = [&](DeployedAgent& agent, const std::string& entity_id) {
        agent.entity_id = entity_id;
        taken.push_back(entity_id);
    };
    for (DeployedAgent& agent : agents) {
        agent.entity_id.clear();
        if (same_template && agent.state.entity_id && find_agent(to, *agent.state.entity_id) != nullptr)
            assign(agent, *agent.state.entity_id);
        else if (!same_template && agent.state.id == main_id)
            assign(agent, main_agent(to).entityId);
    }
    if (same_template) return;
    for (DeployedAgent& agent : agents) {
        if (!agent.entity_id.empty()) continue;
        const auto place = std::find_if(to.agents.begin(), to.agents.end(), [&](const TemplateAgent& each) {
            return each.agentType == agent.state.agent_type && !contains(taken, each.entityId);
        });
        if (place == to.agents.end())
            throw hosted_error(ErrorCode::invalid_argument,
                               "The other template has no place for the agent " + agent.state.id);
        assign(agent, place->entityId);
    }
}

std::vector<std::string> kept_blocks(const std::vector<DeployedAgent>& agents, const TemplateSnapshot& to,
                                     const MigrationFlags& flags) {
    std::vector<std::string> kept;
    for (const DeployedAgent& agent : agents)
        for (const TemplateBlock* wanted : blocks_of(to, agent.entity_id)) {
            const Block* block = deployed_block(agent.state, *wanted, to);
            if (block != nullptr && keeps_value(*block, *wanted, flags)) kept.push_back(wanted->entityId);
        }
    return kept;
}

MigrationPlan plan_migration(const std::vector<DeployedAgent>& agents, const TemplateSnapshot* from,
                             const TemplateSnapshot& to, const MigrationFlags& flags, const TextMap& values,
                             const std::vector<std::string>& known_ids, const DeploymentOrigin& origin) {
    MigrationPlan plan;
    for (const DeployedAgent& agent : agents)
        for (const TemplateBlock* wanted : blocks_of(to, agent.entity_id))
            if (const Block* block = deployed_block(agent.state, *wanted, to);
                block && !plan.blocks.contains(wanted->entityId))
                plan.blocks.emplace(wanted->entityId, moved_block(*block, *wanted, values, flags, origin));
    for (const DeployedAgent& agent : agents) {
        const TemplateAgent* wanted = agent.entity_id.empty() ? nullptr : find_agent(to, agent.entity_id);
        if (wanted == nullptr) continue;  // it stays as it is
        AgentMove& move = plan.moves.emplace_back();
        move.agent_id = agent.state.id;
        move.entity_id = agent.entity_id;
        move.agent_type = wanted->agentType;
        set_model(*wanted, values, move.request);
        set_switches(*wanted, move.request);
        const std::vector<std::string> notes = set_links(*wanted, known_ids, move.request);
        if (flags.preserve_sources.value_or(false)) add_folders_of(agent.state, move.request);
        if (!notes.empty()) move.request.metadata = with_notes(move.request.metadata.value_or(Json{"{}"}), notes);
        move.request.secrets = moved_secrets(*wanted, agent.secrets, flags.preserve_tool_variables.value_or(false));
        move.request.tags =
            moved_tags(agent.state.tags, from != nullptr ? find_agent(*from, agent.entity_id) : nullptr, *wanted);
        std::vector<std::string> kept_ids;
        for (const TemplateBlock* each : blocks_of(to, agent.entity_id)) {
            const auto there = plan.blocks.find(each->entityId);
            if (there != plan.blocks.end()) kept_ids.push_back(there->second.id);
            if (there == plan.blocks.end() || !holds(agent.state, there->second.id))
                move.attach.push_back(each->entityId);
        }
        for (const Block& block : agent.state.blocks) {
            if (block.deployment_id != origin.deployment_id || contains(kept_ids, block.id)) continue;
            const bool moved = block.entity_id && find_block(to, *block.entity_id) != nullptr;  // another agent's now
            if (!moved && !flags.reconcile_all.value_or(false)) continue;
            move.detach.push_back(block.id);
            const bool known =
                std::any_of(plan.gone.begin(), plan.gone.end(), [&](const Block& each) { return each.id == block.id; });
            if (!moved && !known) plan.gone.push_back(block);
        }
    }
    const auto has_agent = [&](const std::string& entity_id) {
        return std::any_of(agents.begin(), agents.end(),
                           [&](const DeployedAgent& each) { return each.entity_id == entity_id; });
    };
    for (const TemplateAgent& agent : to.agents)
        if (!has_agent(agent.entityId)) plan.fresh_agents.push_back(&agent);
    for (const TemplateBlock& block : to.blocks)
        if (!plan.blocks.contains(block.entityId)) plan.fresh_blocks.push_back(&block);
    return plan;
}

}  // namespace stele::runtime
