#include "domain/template_snapshot.hpp"

#include "base/ids.hpp"
#include "domain/hosted_error.hpp"
#include "domain/json_mapping.hpp"
#include "domain/template_variables.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace stele {
namespace {

constexpr std::size_t entity_id_max = 100;

Error nonsense(const std::string& text) { return hosted_error(ErrorCode::invalid_argument, text, "invalidSnapshot"); }

void demand_entity(const std::string& id, std::set<std::string>& seen) {
    if (id.empty() || id.size() > entity_id_max)
        throw nonsense("entityId: must have 1 to " + std::to_string(entity_id_max) + " bytes");
    if (!seen.insert(id).second) throw nonsense("entityId: " + id + " stands for two things");
}

void demand_distinct_labels(const TemplateSnapshot& snapshot) {
    for (const TemplateAgent& agent : snapshot.agents) {
        std::set<std::string> labels;
        for (const TemplateBlock* block : blocks_of(snapshot, agent.entityId))
            if (!labels.insert(block->label).second)
                throw nonsense("blocks: agent " + agent.entityId + " has two with the label '" + block->label + "'");
    }
}

void demand_group(const TemplateSnapshot& snapshot) {
    if (snapshot.type == "cluster") return;
    if (snapshot.type == "classic") {
        if (snapshot.agents.size() > 1) throw nonsense("type: a classic template has one agent");
        return;
    }
    const auto type = parse_manager_type(snapshot.type);
    if (!type)
        throw nonsense(
            "type: must be one of: classic, cluster, sleeptime, round_robin, supervisor, dynamic, voice_sleeptime");
    const Patch<std::string>& manager = snapshot.configuration.managerAgentEntityId;
    if (*type != ManagerType::round_robin && !manager.has_value())
        throw nonsense("configuration.managerAgentEntityId: is required for this type");
    if (manager.has_value() && find_agent(snapshot, *manager) == nullptr)
        throw nonsense("configuration.managerAgentEntityId: names no agent of the template");
    if (snapshot.agents.size() < (manager.has_value() ? 2u : 1u)) throw nonsense("agents: a group needs members");
}

const Patch<std::string>* default_of(const std::optional<TemplateVariables>& variables, const std::string& key) {
    if (!variables) return nullptr;
    for (const TemplateVariable& each : variables->data)
        if (each.key == key) return &each.defaultValue;
    return nullptr;
}

}  // namespace

const TemplateAgent* find_agent(const TemplateSnapshot& snapshot, const std::string& entity_id) {
    const auto found = std::find_if(snapshot.agents.begin(), snapshot.agents.end(),
                                    [&](const TemplateAgent& each) { return each.entityId == entity_id; });
    return found == snapshot.agents.end() ? nullptr : &*found;
}

const TemplateBlock* find_block(const TemplateSnapshot& snapshot, const std::string& entity_id) {
    const auto found = std::find_if(snapshot.blocks.begin(), snapshot.blocks.end(),
                                    [&](const TemplateBlock& each) { return each.entityId == entity_id; });
    return found == snapshot.blocks.end() ? nullptr : &*found;
}

std::vector<const TemplateBlock*> blocks_of(const TemplateSnapshot& snapshot, const std::string& agent_entity_id) {
    std::vector<const TemplateBlock*> blocks;
    for (const TemplateRelationship& each : snapshot.relationships) {
        if (each.agentEntityId != agent_entity_id) continue;
        if (const TemplateBlock* block = find_block(snapshot, each.blockEntityId)) blocks.push_back(block);
    }
    return blocks;
}

const TemplateAgent& main_agent(const TemplateSnapshot& snapshot) {
    const Patch<std::string>& manager = snapshot.configuration.managerAgentEntityId;
    const TemplateAgent* found = manager.has_value() ? find_agent(snapshot, *manager) : nullptr;
    return found != nullptr ? *found : snapshot.agents.front();
}

void demand_sense(const TemplateSnapshot& snapshot) {
    if (snapshot.agents.empty()) throw nonsense("agents: must not be empty");
    std::set<std::string> seen;
    for (const TemplateAgent& agent : snapshot.agents) demand_entity(agent.entityId, seen);
    for (const TemplateBlock& block : snapshot.blocks) {
        demand_entity(block.entityId, seen);
        if (block.label.empty()) throw nonsense("blocks: a label must not be empty");
        if (block.limit < 1) throw nonsense("blocks: the limit of '" + block.label + "' must be at least 1");
    }
    for (std::size_t i = 0; i < snapshot.relationships.size(); ++i) {
        const TemplateRelationship& each = snapshot.relationships[i];
        if (find_agent(snapshot, each.agentEntityId) == nullptr || find_block(snapshot, each.blockEntityId) == nullptr)
            throw nonsense("relationships: " + each.agentEntityId + " and " + each.blockEntityId +
                           " are not both in the template");
        const auto begin = snapshot.relationships.begin();
        if (std::find(begin, begin + static_cast<std::ptrdiff_t>(i), each) != begin + static_cast<std::ptrdiff_t>(i))
            throw nonsense("relationships: the same one stands twice");
    }
    demand_distinct_labels(snapshot);
    demand_group(snapshot);
}

void list_variables(TemplateSnapshot& snapshot) {
    for (TemplateAgent& agent : snapshot.agents) {
        std::vector<std::string> names = variables_in(agent.systemPrompt);
        for (const TemplateBlock* block : blocks_of(snapshot, agent.entityId))
            for (std::string& name : variables_in(block->value))
                if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(std::move(name));
        TemplateVariables listed;
        for (std::string& name : names) {
            TemplateVariable& variable = listed.data.emplace_back();
            if (const auto* given = default_of(agent.memoryVariables, name)) variable.defaultValue = *given;
            variable.key = std::move(name);
        }
        agent.memoryVariables = std::move(listed);
    }
}

TemplateSnapshot with_new_entities(TemplateSnapshot snapshot) {
    std::map<std::string, std::string> ids;
    for (TemplateAgent& agent : snapshot.agents) agent.entityId = ids[agent.entityId] = new_uuid();
    for (TemplateBlock& block : snapshot.blocks) block.entityId = ids[block.entityId] = new_uuid();
    for (TemplateRelationship& each : snapshot.relationships) {
        each.agentEntityId = ids[each.agentEntityId];
        each.blockEntityId = ids[each.blockEntityId];
    }
    TemplateConfig& configuration = snapshot.configuration;
    if (configuration.managerAgentEntityId.has_value())
        configuration.managerAgentEntityId = ids[*configuration.managerAgentEntityId];
    if (configuration.sharedBlockEntityIds.has_value())
        for (std::string& id : *configuration.sharedBlockEntityIds) id = ids[id];
    return snapshot;
}

STELE_JSON(TemplateSnapshot)

}  // namespace stele
