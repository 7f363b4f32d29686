#pragma once

#include "domain/agent.hpp"

namespace stele {

// What a template takes from an agent file: agents, their blocks, tools and groups, by the ids of the file
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
    std::string id;  ///< empty in version 1: its name
    std::string name;
    std::string tool_type = "custom";
};
BOOST_DESCRIBE_STRUCT(TemplateFileTool, (), (id, name, tool_type))
constexpr std::array<std::string_view, 1> required_members(const TemplateFileTool*) { return {"name"}; }

struct TemplateFile {
    std::vector<TemplateFileAgent> agents;
    std::vector<TemplateFileBlock> blocks;
    std::vector<TemplateFileGroup> groups;
    std::vector<Json> tools;
};
BOOST_DESCRIBE_STRUCT(TemplateFile, (), (agents, blocks, groups, tools))
constexpr std::array<std::string_view, 1> required_members(const TemplateFile*) { return {"agents"}; }

/// A file of version 1: one agent, whose parts have no ids.
struct TemplateFileMemory {
    std::string label;
    std::string value;
    Patch<std::int64_t> limit;
    Patch<std::string> description;
};
BOOST_DESCRIBE_STRUCT(TemplateFileMemory, (), (label, value, limit, description))
constexpr std::array<std::string_view, 1> required_members(const TemplateFileMemory*) { return {"label"}; }

struct TemplateFileTag {
    std::string tag;
};
BOOST_DESCRIBE_STRUCT(TemplateFileTag, (), (tag))

struct TemplateFileVariable {
    std::string key;
};
BOOST_DESCRIBE_STRUCT(TemplateFileVariable, (), (key))

struct TemplateFileV1 {
    Patch<std::string> name;
    AgentType agent_type = AgentType::memgpt_agent;
    Patch<std::string> system, description;
    Patch<LlmConfig> llm_config;
    Patch<Json> metadata_;
    Patch<bool> message_buffer_autoclear;
    std::vector<TemplateFileMemory> core_memory;
    std::vector<TemplateFileTag> tags;
    Patch<std::vector<ToolRule>> tool_rules;
    std::vector<Json> tools;
    std::vector<TemplateFileVariable> tool_exec_environment_variables;
};
BOOST_DESCRIBE_STRUCT(TemplateFileV1, (),
                      (name, agent_type, system, description, llm_config, metadata_, message_buffer_autoclear,
                       core_memory, tags, tool_rules, tools, tool_exec_environment_variables))
constexpr std::array<std::string_view, 1> required_members(const TemplateFileV1*) { return {"core_memory"}; }

/// The same content in the form of version 2. Its tools are known by their names.
TemplateFile to_version_2(TemplateFileV1 file);

}  // namespace stele
