#pragma once

#include "domain/agent.hpp"

namespace stele {

// What a template takes from an agent file (version 2): agents, their blocks, tools and groups, by the ids of the file
// ("agent-0"). Everything else in the file is left where it is.

struct TemplateFileAgent : AgentModelRequest, AgentSwitchesRequest {
    std::string id;
    Patch<std::string> name;
    AgentType agent_type = AgentType::letta_v1_agent;
    Patch<std::vector<std::string>> tool_ids, block_ids, tags;
    Patch<std::vector<ToolRule>> tool_rules;
    Patch<TextMap> secrets, tool_exec_environment_variables;
};
BOOST_DESCRIBE_STRUCT(TemplateFileAgent, (AgentModelRequest, AgentSwitchesRequest),
                      (id, name, agent_type, tool_ids, block_ids, tags, tool_rules, secrets,
                       tool_exec_environment_variables))
constexpr std::array<std::string_view, 1> required_members(const TemplateFileAgent*) { return {"id"}; }

struct TemplateFileBlock {
    std::string id;
    std::string label;
    std::string value;
    Patch<std::int64_t> limit;
    Patch<std::string> description;
    bool read_only = false;
    bool preserve_on_migration = false;
};
BOOST_DESCRIBE_STRUCT(TemplateFileBlock, (), (id, label, value, limit, description, read_only, preserve_on_migration))
constexpr std::array<std::string_view, 2> required_members(const TemplateFileBlock*) { return {"id", "label"}; }

struct TemplateFileManager {
    ManagerType manager_type = ManagerType::round_robin;
    Patch<std::string> manager_agent_id, termination_token;
    Patch<std::int64_t> max_turns, sleeptime_agent_frequency, max_message_buffer_length, min_message_buffer_length;
};
BOOST_DESCRIBE_STRUCT(TemplateFileManager, (),
                      (manager_type, manager_agent_id, termination_token, max_turns, sleeptime_agent_frequency,
                       max_message_buffer_length, min_message_buffer_length))

struct TemplateFileGroup {
    std::vector<std::string> agent_ids, shared_block_ids;
    Patch<TemplateFileManager> manager_config;
};
BOOST_DESCRIBE_STRUCT(TemplateFileGroup, (), (agent_ids, shared_block_ids, manager_config))

/// A tool, of which the whole is a ToolCreate too.
struct TemplateFileTool {
    std::string id;
    std::string name;
    std::string tool_type = "custom";
};
BOOST_DESCRIBE_STRUCT(TemplateFileTool, (), (id, name, tool_type))
constexpr std::array<std::string_view, 2> required_members(const TemplateFileTool*) { return {"id", "name"}; }

struct TemplateFile {
    std::vector<TemplateFileAgent> agents;
    std::vector<TemplateFileBlock> blocks;
    std::vector<TemplateFileGroup> groups;
    std::vector<Json> tools;
};
BOOST_DESCRIBE_STRUCT(TemplateFile, (), (agents, blocks, groups, tools))
constexpr std::array<std::string_view, 1> required_members(const TemplateFile*) { return {"agents"}; }

}  // namespace stele
