#pragma once

#include "domain/audit.hpp"
#include "domain/block.hpp"
#include "domain/group.hpp"
#include "domain/identity.hpp"
#include "domain/model_config.hpp"
#include "domain/run.hpp"
#include "domain/tool.hpp"

namespace stele {

BOOST_DEFINE_ENUM_CLASS(AgentType, letta_v1_agent, memgpt_agent, memgpt_v2_agent, react_agent, workflow_agent,
                        split_thread_agent, sleeptime_agent, voice_convo_agent, voice_sleeptime_agent)

std::string_view to_string(AgentType type);

// An agent's answer is put together from the groups below, in the order of the API. Those of AgentSettings are kept as
// one JSON text in the agent's row: what no list filters by needs no column.

struct AgentHead {
    std::string id;  ///< "agent-<uuid>"
    std::string name;
};
BOOST_DESCRIBE_STRUCT(AgentHead, (), (id, name))

struct AgentToolRules {
    std::vector<ToolRule> tool_rules;
};
BOOST_DESCRIBE_STRUCT(AgentToolRules, (), (tool_rules))

struct AgentContext {
    std::vector<std::string> message_ids;  ///< in the context window, in order
};
BOOST_DESCRIBE_STRUCT(AgentContext, (), (message_ids))

struct AgentModel {
    std::string system;  ///< prompt without memory
    AgentType agent_type = AgentType::letta_v1_agent;
    LlmConfig llm_config;
    std::optional<EmbeddingConfig> embedding_config;
    std::optional<std::string> model;      ///< handle
    std::optional<std::string> embedding;  ///< handle
    std::optional<ModelSettings> model_settings;
    std::optional<CompactionSettings> compaction_settings;
    Json response_format;
    std::optional<std::string> description;
    Json metadata;
};
BOOST_DESCRIBE_STRUCT(AgentModel, (),
                      (system, agent_type, llm_config, embedding_config, model, embedding, model_settings,
                       compaction_settings, response_format, description, metadata))

/// The blocks as they stand in the context.
struct AgentMemory {
    AgentType agent_type = AgentType::letta_v1_agent;
    bool git_enabled = false;
    std::vector<Block> blocks;
    std::vector<Json> file_blocks;  ///< of domain/file_block.hpp
    std::string prompt_template;
};
BOOST_DESCRIBE_STRUCT(AgentMemory, (), (agent_type, git_enabled, blocks, file_blocks, prompt_template))

/// A secret that tools see as an environment variable.
struct AgentVariable : Audit {
    std::string id;  ///< "agent-env-<uuid>"
    std::string key;
    std::string value;
    std::optional<std::string> description;
    std::string agent_id;
};
BOOST_DESCRIBE_STRUCT(AgentVariable, (Audit), (id, key, value, description, agent_id))

struct AgentRelations {
    AgentMemory memory;
    std::vector<Block> blocks;
    std::vector<Tool> tools;
    std::vector<Json> sources;
    std::vector<std::string> tags;
    std::vector<AgentVariable> tool_exec_environment_variables;
    std::vector<AgentVariable> secrets;
};
BOOST_DESCRIBE_STRUCT(AgentRelations, (),
                      (memory, blocks, tools, sources, tags, tool_exec_environment_variables, secrets))

struct AgentOrigin {
    std::optional<std::string> project_id;
    std::optional<std::string> template_id;
    std::optional<std::string> base_template_id;
    std::optional<std::string> deployment_id;
    std::optional<std::string> entity_id;
};
BOOST_DESCRIBE_STRUCT(AgentOrigin, (), (project_id, template_id, base_template_id, deployment_id, entity_id))

struct AgentIdentities {
    std::vector<std::string> identity_ids;
    std::vector<Identity> identities;
    Json pending_approval;
};
BOOST_DESCRIBE_STRUCT(AgentIdentities, (), (identity_ids, identities, pending_approval))

struct AgentSwitches {
    bool message_buffer_autoclear = false;
    std::optional<bool> enable_sleeptime;
};
BOOST_DESCRIBE_STRUCT(AgentSwitches, (), (message_buffer_autoclear, enable_sleeptime))

struct AgentGroups {
    std::optional<Group> multi_agent_group;  ///< older word for the next
    std::optional<Group> managed_group;
};
BOOST_DESCRIBE_STRUCT(AgentGroups, (), (multi_agent_group, managed_group))

struct AgentLastRun {
    std::optional<Timestamp> last_run_completion;
    std::optional<std::int64_t> last_run_duration_ms;
    std::optional<StopReason> last_stop_reason;
};
BOOST_DESCRIBE_STRUCT(AgentLastRun, (), (last_run_completion, last_run_duration_ms, last_stop_reason))

struct AgentPlace {
    std::optional<std::string> timezone = "UTC";
    std::optional<std::int64_t> max_files_open;
    std::optional<std::int64_t> per_file_view_window_char_limit;
};
BOOST_DESCRIBE_STRUCT(AgentPlace, (), (timezone, max_files_open, per_file_view_window_char_limit))

struct AgentVisibility {
    std::optional<bool> hidden;
};
BOOST_DESCRIBE_STRUCT(AgentVisibility, (), (hidden))

struct AgentTurnTaking {
    Patch<std::string>
        double_texting;  ///< as in MessageRequest, for requests that don't say; absent: as the path has it
};
BOOST_DESCRIBE_STRUCT(AgentTurnTaking, (), (double_texting))

/// What an agent's row keeps as JSON.
struct AgentSettings : AgentToolRules, AgentModel, AgentSwitches, AgentPlace, AgentTurnTaking {};
BOOST_DESCRIBE_STRUCT(AgentSettings, (AgentToolRules, AgentModel, AgentSwitches, AgentPlace, AgentTurnTaking), ())

/// An agent as its row holds it: everything but what other tables say of it.
struct Agent : Audit, AgentHead, AgentSettings, AgentOrigin, AgentLastRun, AgentVisibility {
    std::string organization_id;
    std::int64_t message_count = 0;  ///< all stored messages, in context or not
    std::int64_t version = 1;        ///< of the row
    std::int64_t folder_count = 0;   ///< folders that it has; read, never written with the row
    bool git_memory = false;         ///< its memory is a repository of git, too; likewise
};

/// The answer: an agent with all that belongs to it.
struct AgentState : Audit,
                    AgentHead,
                    AgentToolRules,
                    AgentContext,
                    AgentModel,
                    AgentRelations,
                    AgentOrigin,
                    AgentIdentities,
                    AgentSwitches,
                    AgentGroups,
                    AgentLastRun,
                    AgentPlace,
                    AgentVisibility,
                    AgentTurnTaking {
    AgentState() = default;
    explicit AgentState(const Agent& agent);
};
BOOST_DESCRIBE_STRUCT(AgentState,
                      (Audit, AgentHead, AgentToolRules, AgentContext, AgentModel, AgentRelations, AgentOrigin,
                       AgentIdentities, AgentSwitches, AgentGroups, AgentLastRun, AgentPlace, AgentVisibility,
                       AgentTurnTaking),
                      ())

/// An element of `initial_message_sequence`.
struct InitialMessage {
    std::string role;
    std::string content;
    std::optional<std::string> name;
};
BOOST_DESCRIBE_STRUCT(InitialMessage, (), (role, content, name))
void check(const InitialMessage& message, Problems& problems);
constexpr std::array<std::string_view, 2> required_members(const InitialMessage*) { return {"role", "content"}; }

// Members that create and modify share.
struct AgentModelRequest {
    Patch<std::string> system;
    Patch<std::string> instructions;  ///< the seed's word for system
    Patch<std::string> description;
    Patch<Json> metadata;
    Patch<std::string> model;
    Patch<std::string> embedding;
    Patch<LlmConfig> llm_config;
    Patch<EmbeddingConfig> embedding_config;
    Patch<ModelSettings> model_settings;
    Patch<CompactionSettingsUpdate> compaction_settings;
    Patch<std::int64_t> context_window_limit;
    Patch<std::int64_t> max_tokens;
    Patch<std::int64_t> max_reasoning_tokens;
    Patch<std::int64_t> embedding_chunk_size;
    Patch<bool> reasoning;
    Patch<bool> enable_reasoner;
    Patch<Json> response_format;
    Patch<bool> parallel_tool_calls;
};
BOOST_DESCRIBE_STRUCT(AgentModelRequest, (),
                      (system, instructions, description, metadata, model, embedding, llm_config, embedding_config,
                       model_settings, compaction_settings, context_window_limit, max_tokens, max_reasoning_tokens,
                       embedding_chunk_size, reasoning, enable_reasoner, response_format, parallel_tool_calls))

struct AgentLinksRequest {
    Patch<std::vector<std::string>> tool_ids;
    Patch<std::vector<std::string>> block_ids;
    Patch<std::vector<std::string>> source_ids;
    Patch<std::vector<std::string>> folder_ids;
    Patch<std::vector<std::string>> identity_ids;
    Patch<std::vector<std::string>> tags;
    Patch<std::vector<ToolRule>> tool_rules;
    Patch<TextMap> secrets;
    Patch<TextMap> tool_exec_environment_variables;
};
BOOST_DESCRIBE_STRUCT(AgentLinksRequest, (),
                      (tool_ids, block_ids, source_ids, folder_ids, identity_ids, tags, tool_rules, secrets,
                       tool_exec_environment_variables))

struct AgentSwitchesRequest {
    Patch<bool> message_buffer_autoclear;
    Patch<bool> enable_sleeptime;
    Patch<std::string> timezone;
    Patch<std::int64_t> max_files_open;
    Patch<std::int64_t> per_file_view_window_char_limit;
    Patch<bool> hidden;
    Patch<std::string> project_id;
    Patch<std::string> template_id;
    Patch<std::string> base_template_id;
    Patch<std::string> double_texting;
};
BOOST_DESCRIBE_STRUCT(AgentSwitchesRequest, (),
                      (message_buffer_autoclear, enable_sleeptime, timezone, max_files_open,
                       per_file_view_window_char_limit, hidden, project_id, template_id, base_template_id,
                       double_texting))

/// Body of POST /v1/agents.
struct CreateAgent : AgentModelRequest, AgentLinksRequest, AgentSwitchesRequest {
    Patch<std::string> name;
    AgentType agent_type = AgentType::letta_v1_agent;
    Patch<std::vector<CreateBlock>> memory_blocks;
    Patch<std::vector<std::string>> tools;
    bool include_base_tools = true;
    bool include_multi_agent_tools = false;
    Patch<bool> include_base_tool_rules;
    bool include_default_source = false;
    Patch<std::vector<InitialMessage>> initial_message_sequence;
};
BOOST_DESCRIBE_STRUCT(CreateAgent, (AgentModelRequest, AgentLinksRequest, AgentSwitchesRequest),
                      (name, agent_type, memory_blocks, tools, include_base_tools, include_multi_agent_tools,
                       include_base_tool_rules, include_default_source, initial_message_sequence))
void check(const CreateAgent& request, Problems& problems);

/// Body of PATCH /v1/agents/{agent_id}.
struct UpdateAgent : AgentModelRequest, AgentLinksRequest, AgentSwitchesRequest {
    Patch<std::string> name;
    Patch<std::vector<std::string>> message_ids;
    Patch<Timestamp> last_run_completion;
    Patch<std::int64_t> last_run_duration_ms;
    Patch<StopReason> last_stop_reason;
};
BOOST_DESCRIBE_STRUCT(UpdateAgent, (AgentModelRequest, AgentLinksRequest, AgentSwitchesRequest),
                      (name, message_ids, last_run_completion, last_run_duration_ms, last_stop_reason))
void check(const UpdateAgent& request, Problems& problems);

struct ResetMessages {
    bool add_default_initial_messages = false;
};
BOOST_DESCRIBE_STRUCT(ResetMessages, (), (add_default_initial_messages))

/// Answer of GET /v1/agents/{agent_id}/context.
struct ContextWindowOverview {
    std::int64_t context_window_size_max = 0;
    std::int64_t context_window_size_current = 0;
    std::int64_t num_messages = 0;
    std::int64_t num_archival_memory = 0;
    std::int64_t num_recall_memory = 0;
    std::int64_t num_tokens_external_memory_summary = 0;
    std::string external_memory_summary;
    std::int64_t num_tokens_system = 0;
    std::string system_prompt;
    std::int64_t num_tokens_core_memory = 0;
    std::string core_memory;
    std::int64_t num_tokens_memory_filesystem = 0;
    std::optional<std::string> memory_filesystem;
    std::int64_t num_tokens_tool_usage_rules = 0;
    std::optional<std::string> tool_usage_rules;
    std::int64_t num_tokens_directories = 0;
    std::optional<std::string> directories;
    std::int64_t num_tokens_summary_memory = 0;
    std::optional<std::string> summary_memory;
    std::int64_t num_tokens_functions_definitions = 0;
    std::vector<Json> functions_definitions;
    std::int64_t num_tokens_messages = 0;
    std::vector<Json> messages;
};
BOOST_DESCRIBE_STRUCT(ContextWindowOverview, (),
                      (context_window_size_max, context_window_size_current, num_messages, num_archival_memory,
                       num_recall_memory, num_tokens_external_memory_summary, external_memory_summary,
                       num_tokens_system, system_prompt, num_tokens_core_memory, core_memory,
                       num_tokens_memory_filesystem, memory_filesystem, num_tokens_tool_usage_rules, tool_usage_rules,
                       num_tokens_directories, directories, num_tokens_summary_memory, summary_memory,
                       num_tokens_functions_definitions, functions_definitions, num_tokens_messages, messages))

/// Open-file limits for a context window: the fields that the request left open are filled.
void fill_file_limits(AgentPlace& place, std::int64_t context_window);

/// Throws Error{invalid_argument} for limits of open files beyond what the API allows.
void demand_file_limits(const AgentSwitchesRequest& request);

/// The prompt that an agent of this type starts with; empty for a type that has none of its own.
std::string default_system_prompt(AgentType type);

/// Two words, capitalised and joined: "QuietHarbour".
std::string random_agent_name();

/// Names of the built-in tools that an agent of this type is given. `looked_after`: another agent writes its memory, so
/// it has no tools for that itself.
std::vector<std::string> base_tools_of(AgentType type, bool looked_after = false);

/// True for the types whose loop ends with a text; the others speak through tools only.
bool speaks_in_text(AgentType type);

/// Applies the plain fields of `update` (not model, links and messages, which need other tables) and tells whether
/// anything changed. Throws Error{invalid_argument} for an unknown time zone.
bool apply_plain_fields(const UpdateAgent& update, Agent& agent);

}  // namespace stele
