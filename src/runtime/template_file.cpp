// A template's content from an agent file.
#include "domain/agent_file.hpp"
#include "domain/hosted_error.hpp"
#include "domain/tool_request.hpp"
#include "runtime/template_service.hpp"
#include "runtime/tool_service.hpp"

#include <algorithm>

namespace stele::runtime {
namespace {

using boost::asio::awaitable;

Error bad_file(const std::string& text) {
    return hosted_error(ErrorCode::invalid_argument, "agent_file: " + text, "invalidAgentFile");
}

AgentFile parsed(const std::string& text) {
    try {
        return parse_agent_file(text);
    } catch (const Error& error) {
        throw bad_file(error.what());
    }
}

// With the ids of the file.
Block block_of(const FileBlock& block) {
    Block made;
    made.id = block.id;
    made.label = block.label;
    if (block.value.has_value()) made.value = block.value->text;
    made.limit = block.limit.value_or(made.limit);
    made.description = block.description.optional();
    made.read_only = block.read_only;
    made.preserve_on_migration = block.preserve_on_migration;
    return made;
}

// The agent as an answer would tell it, with the ids of the file.
AgentState state_of(const FileAgent& from, const AgentFile& file, const std::map<std::string, std::string>& tool_ids) {
    const CreateAgent& agent = from.request;
    AgentState state;
    state.id = from.links.id;
    state.name = agent.name.value_or(from.links.id);
    state.system = agent.system.value_or(agent.instructions.value_or(default_system_prompt(agent.agent_type)));
    state.agent_type = agent.agent_type;
    state.llm_config = agent.llm_config.value_or(LlmConfig());
    adjust(agent, state.llm_config);
    state.model = agent.model.has_value() ? agent.model.optional() : state.llm_config.handle;
    state.embedding = agent.embedding.optional();
    state.description = agent.description.optional();
    state.metadata = agent.metadata.value_or(Json());
    state.response_format = agent.response_format.value_or(Json());
    if (agent.compaction_settings.has_value()) apply(*agent.compaction_settings, state.compaction_settings.emplace());
    state.tags = agent.tags.value_or({});
    state.tool_rules = agent.tool_rules.value_or({});
    state.message_buffer_autoclear = agent.message_buffer_autoclear.value_or(false);
    state.timezone = agent.timezone.value_or("UTC");
    state.max_files_open = agent.max_files_open.optional();
    state.per_file_view_window_char_limit = agent.per_file_view_window_char_limit.optional();
    const auto& secrets = agent.secrets.has_value() ? agent.secrets : agent.tool_exec_environment_variables;
    for (const auto& [name, value] : secrets.value_or({})) state.secrets.emplace_back().key = name;
    for (const std::string& id : from.links.block_ids)
        for (const FileBlock& block : file.blocks)
            if (block.id == id) state.blocks.push_back(block_of(block));
    for (const std::string& id : from.links.tool_ids)
        if (const auto tool = tool_ids.find(id); tool != tool_ids.end()) state.tools.emplace_back().id = tool->second;
    return state;
}

std::optional<Group> group_of(const AgentFile& file) {
    if (file.groups.empty()) return std::nullopt;
    const FileGroup& group = file.groups.front();
    const FileManager& manager = group.manager_config;
    Group made;
    made.manager_type = manager.manager_type;
    made.agent_ids = group.agent_ids;
    made.shared_block_ids = group.shared_block_ids;
    made.manager_agent_id = manager.manager_agent_id.optional();
    made.termination_token = manager.termination_token.optional();
    made.max_turns = manager.max_turns.optional();
    made.sleeptime_agent_frequency = manager.sleeptime_agent_frequency.optional();
    made.max_message_buffer_length = manager.max_message_buffer_length.optional();
    made.min_message_buffer_length = manager.min_message_buffer_length.optional();
    return made;
}

}  // namespace

// Tools are made first, each for itself: one that is there already does no harm if the rest fails.
awaitable<std::map<std::string, std::string>> TemplateService::take_tools(std::string organization_id,
                                                                          std::string actor, std::vector<Tool> tools,
                                                                          bool update_existing) const {
    std::map<std::string, std::string> ids;
    for (const Tool& tool : tools) {
        std::vector<std::string> name{tool.name};
        const std::vector<Tool> found = co_await parts_.tools.find_by_names(organization_id, std::move(name));
        if (!found.empty() && (!update_existing || !is_custom(found.front()))) {
            ids[tool.id] = found.front().id;
            continue;
        }
        auto request = decode<ToolCreate>(to_json(tool));
        request.project_id = Patch<std::string>();
        if (!found.empty()) request.source_type = Patch<std::string>();  // of what is there it stays
        const std::optional<std::string> no_key;
        const Tool made = co_await parts_.tool_service.upsert(organization_id, actor, std::move(request), no_key);
        ids[tool.id] = made.id;
    }
    co_return ids;
}

awaitable<TemplateSnapshot> TemplateService::snapshot_of_file(std::string organization_id, std::string actor,
                                                              Json agent_file, bool update_existing_tools,
                                                              TemplateSnapshot known) const {
    const AgentFile file = parsed(agent_file.text);
    if (file.agents.empty()) throw bad_file("agents: must not be empty");
    const std::optional<Group> group = group_of(file);
    const std::map<std::string, std::string> tool_ids =
        co_await take_tools(organization_id, actor, file.tools, update_existing_tools);
    std::vector<AgentState> states;
    for (const FileAgent& agent : file.agents) states.push_back(state_of(agent, file, tool_ids));
    if (group && group->manager_agent_id)
        std::stable_partition(states.begin(), states.end(),
                              [&](const AgentState& state) { return state.id == *group->manager_agent_id; });
    co_return snapshot_of(states, group, known);
}

}  // namespace stele::runtime
