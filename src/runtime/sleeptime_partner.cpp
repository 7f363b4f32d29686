#include "runtime/sleeptime_partner.hpp"

#include "base/ids.hpp"
#include "runtime/agent_service.hpp"
#include "runtime/initial_messages.hpp"

#include <algorithm>

namespace stele::runtime {
namespace {

constexpr char persona_label[] = "memory_persona";
constexpr char persona[] =
    "I look after the memory of another agent. I read what was said, keep what will matter later, correct what has "
    "changed and drop what is stale. I write plainly and never invent anything.";

}  // namespace

AgentType partner_type_of(AgentType type) {
    return type == AgentType::voice_convo_agent ? AgentType::voice_sleeptime_agent : AgentType::sleeptime_agent;
}

NewAgent make_partner(const Agent& main, const std::vector<Block>& blocks, std::vector<Tool> tools,
                      const std::string& actor) {
    NewAgent made;
    Agent& agent = made.agent;
    agent.id = new_id("agent");
    agent.organization_id = main.organization_id;
    agent.name = main.name + "-sleeptime";
    agent.agent_type = partner_type_of(main.agent_type);
    agent.created_at = agent.updated_at = now();
    agent.created_by_id = agent.last_updated_by_id = actor;
    agent.system = default_system_prompt(agent.agent_type);
    agent.llm_config = main.llm_config;
    agent.llm_config.put_inner_thoughts_in_kwargs = !speaks_in_text(agent.agent_type);
    agent.embedding_config = main.embedding_config;
    agent.model = main.model;
    agent.embedding = main.embedding;
    agent.model_settings = main.model_settings;
    agent.compaction_settings = main.compaction_settings;
    agent.timezone = main.timezone;
    agent.project_id = main.project_id;
    agent.max_files_open = main.max_files_open;
    agent.per_file_view_window_char_limit = main.per_file_view_window_char_limit;

    CreateAgent defaults;
    defaults.agent_type = agent.agent_type;
    add_automatic_rules(agent, tools, defaults);
    made.tools = std::move(tools);

    CreateBlock own;
    own.label = std::string(persona_label);
    BlockValue text;
    text.text = persona;
    own.value = std::move(text);
    made.blocks = blocks;
    const bool clash =
        std::any_of(blocks.begin(), blocks.end(), [](const Block& block) { return block.label == persona_label; });
    if (!clash) {
        made.fresh_blocks.push_back(make_block(std::move(own), actor));
        made.blocks.push_back(made.fresh_blocks.back());
    }
    made.messages.push_back(new_system_message({agent, made.blocks, {}, now(), 0, 0}));
    agent.message_count = 1;
    return made;
}

Group make_pair(const Agent& main, const Agent& partner, const std::string& actor) {
    Group group;
    group.id = new_id("group");
    const bool voice = main.agent_type == AgentType::voice_convo_agent;
    group.manager_type = voice ? ManagerType::voice_sleeptime : ManagerType::sleeptime;
    group.manager_agent_id = main.id;
    group.agent_ids = {partner.id};
    group.project_id = main.project_id;
    if (voice) {
        group.max_message_buffer_length = voice_buffer_max_default;
        group.min_message_buffer_length = voice_buffer_min_default;
    } else {
        group.sleeptime_agent_frequency = sleeptime_frequency_default;
        group.turns_counter = -1;
    }
    group.created_by_id = group.last_updated_by_id = actor;
    group.created_at = group.updated_at = now();
    return group;
}

}  // namespace stele::runtime
