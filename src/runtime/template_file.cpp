// A template's content from an agent file.
#include "domain/template_file.hpp"
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

template <class T>
T decode_file(const std::string& text) {
    try {
        return decode<T>(text);
    } catch (const Error& error) {
        std::string problems;
        for (const Error::Field& field : error.fields)
            problems += (problems.empty() ? "" : "; ") + field.where + ": " + field.problem;
        throw bad_file(problems.empty() ? error.what() : problems);
    }
}

template <class T>
const T* with_id(const std::vector<T>& list, const std::string& id) {
    const auto found = std::find_if(list.begin(), list.end(), [&](const T& each) { return each.id == id; });
    return found == list.end() ? nullptr : &*found;
}

Block block_of(const TemplateFileBlock& block) {
    Block made;
    made.id = block.id;
    made.label = block.label;
    made.value = block.value;
    made.limit = block.limit.value_or(made.limit);
    made.description = block.description.optional();
    made.read_only = block.read_only;
    made.preserve_on_migration = block.preserve_on_migration;
    return made;
}

// The agent as an answer would tell it, with the ids of the file.
AgentState state_of(const TemplateFileAgent& agent, const TemplateFile& file,
                    const std::map<std::string, std::string>& tool_ids) {
    AgentState state;
    state.id = agent.id;
    state.name = agent.name.value_or(agent.id);
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
    for (const std::string& id : agent.block_ids.value_or({})) {
        const TemplateFileBlock* block = with_id(file.blocks, id);
        if (block == nullptr) throw bad_file("agents: " + agent.id + " names the block " + id + ", which is not there");
        state.blocks.push_back(block_of(*block));
    }
    for (const std::string& id : agent.tool_ids.value_or({})) {
        const auto tool = tool_ids.find(id);
        if (tool == tool_ids.end())
            throw bad_file("agents: " + agent.id + " names the tool " + id + ", which is not there");
        state.tools.emplace_back().id = tool->second;
    }
    return state;
}

std::optional<Group> group_of(const TemplateFile& file) {
    if (file.groups.empty()) return std::nullopt;
    const TemplateFileGroup& group = file.groups.front();
    const TemplateFileManager manager = group.manager_config.value_or({});
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
    std::vector<std::string> all = group.agent_ids;
    if (made.manager_agent_id) all.push_back(*made.manager_agent_id);
    for (const std::string& id : all)
        if (with_id(file.agents, id) == nullptr) throw bad_file("groups: the agent " + id + " is not there");
    return made;
}

}  // namespace

// Tools are made first, each for itself: one that is there already does no harm if the rest fails.
awaitable<std::map<std::string, std::string>> TemplateService::take_tools(std::string organization_id,
                                                                          std::string actor, std::vector<Json> tools,
                                                                          bool update_existing) const {
    std::map<std::string, std::string> ids;
    for (const Json& each : tools) {
        auto tool = decode_file<TemplateFileTool>(each.text);
        if (tool.id.empty()) tool.id = tool.name;
        std::vector<std::string> name{tool.name};
        const std::vector<Tool> found = co_await parts_.tools.find_by_names(organization_id, std::move(name));
        if (!found.empty() && (!update_existing || !is_custom(found.front()))) {
            ids[tool.id] = found.front().id;
            continue;
        }
        auto request = decode_file<ToolCreate>(each.text);
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
    const bool first_version =
        json_member_text(agent_file.text, "core_memory") && !json_member_text(agent_file.text, "agents");
    const TemplateFile file = first_version ? to_version_2(decode_file<TemplateFileV1>(agent_file.text))
                                            : decode_file<TemplateFile>(agent_file.text);
    if (file.agents.empty()) throw bad_file("agents: must not be empty");
    const std::optional<Group> group = group_of(file);
    const std::map<std::string, std::string> tool_ids =
        co_await take_tools(organization_id, actor, file.tools, update_existing_tools);
    std::vector<AgentState> states;
    for (const TemplateFileAgent& agent : file.agents) states.push_back(state_of(agent, file, tool_ids));
    if (group && group->manager_agent_id)
        std::stable_partition(states.begin(), states.end(),
                              [&](const AgentState& state) { return state.id == *group->manager_agent_id; });
    co_return snapshot_of(states, group, known);
}

}  // namespace stele::runtime
