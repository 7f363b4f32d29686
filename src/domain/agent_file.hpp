#pragma once

#include "domain/agent.hpp"
#include "domain/agent_file_folders.hpp"
#include "domain/message.hpp"

#include <boost/describe/class.hpp>

#include <deque>
#include <map>

/// Agent files (.af), version 2: agents with all that they need, to be carried from one server to another. Ids in a
/// file are of the file alone ("agent-0", "block-3"); whoever reads it gives new ones.
namespace stele {

struct FileFunction {
    std::string name;
    std::string arguments;
};
BOOST_DESCRIBE_STRUCT(FileFunction, (), (name, arguments))

struct FileToolCall {
    std::string id;
    std::string type = "function";
    FileFunction function;
};
BOOST_DESCRIBE_STRUCT(FileToolCall, (), (id, type, function))

struct FileToolReturn {
    std::optional<std::string> tool_call_id;
    std::string status = "success";
    std::optional<std::vector<std::string>> stdout, stderr;
    Json func_response;  ///< a text, an object, or a list of content parts
};
BOOST_DESCRIBE_STRUCT(FileToolReturn, (), (tool_call_id, status, stdout, stderr, func_response))

/// Content as a file has it: always a list when written; read as MessageContent is, and null is nothing.
struct FileContent {
    std::vector<ContentPart> parts;
};
void read_json(const boost::json::value& from, FileContent& into, Problems& problems);
void write_json(const FileContent& from, std::string& out);
Schema json_schema(const FileContent*);

struct FileMessage {
    std::string type = "message";
    std::optional<std::string> otid;
    std::optional<std::string> group_id;
    MessageRole role = MessageRole::user;
    FileContent content;
    std::optional<std::string> name;
    std::optional<std::string> sender_id;
    std::optional<std::string> batch_item_id;
    std::string id;
    std::optional<std::string> model;
    std::optional<std::string> agent_id;
    std::optional<std::vector<FileToolCall>> tool_calls;
    std::optional<std::string> tool_call_id;
    std::vector<FileToolReturn> tool_returns;
    Timestamp created_at{};
    std::optional<bool> approve;
    std::optional<std::string> approval_request_id;
    std::optional<std::string> denial_reason;
    std::vector<ApprovalDecision> approvals;
};
BOOST_DESCRIBE_STRUCT(FileMessage, (),
                      (type, otid, group_id, role, content, name, sender_id, batch_item_id, id, model, agent_id,
                       tool_calls, tool_call_id, tool_returns, created_at, approve, approval_request_id, denial_reason,
                       approvals))

/// An agent as it is written, up to its messages.
struct FileAgentHead {
    std::string name;
    std::vector<Json> memory_blocks, tools;  ///< empty: what they hold stands in the lists of the file
    std::vector<std::string> tool_ids, source_ids;
    Json folder_ids;
    std::vector<std::string> block_ids;
    std::vector<ToolRule> tool_rules;
    std::vector<std::string> tags;
    std::string system;
    AgentType agent_type = AgentType::letta_v1_agent;
    Json initial_message_sequence;
    bool include_base_tools = false, include_multi_agent_tools = false, include_base_tool_rules = false,
         include_default_source = false;
    std::optional<std::string> description;
    Json metadata;
    LlmConfig llm_config;
    std::optional<EmbeddingConfig> embedding_config;
    std::optional<std::string> model, embedding;
    std::optional<ModelSettings> model_settings;
    std::optional<CompactionSettings> compaction_settings;
    Json context_window_limit, embedding_chunk_size, max_tokens, max_reasoning_tokens, enable_reasoner, reasoning,
        from_template, project;
    TextMap tool_exec_environment_variables;
    std::optional<TextMap> secrets;
    Json memory_variables, project_id, template_id, base_template_id, identity_ids;
    bool message_buffer_autoclear = false;
    bool enable_sleeptime = false;
    Json response_format;
    std::optional<std::string> timezone;
    std::optional<std::int64_t> max_files_open, per_file_view_window_char_limit;
    std::optional<bool> hidden;
    Json parallel_tool_calls;
    Patch<std::string> double_texting;
    std::string id;
    std::vector<std::string> in_context_message_ids;
};
BOOST_DESCRIBE_STRUCT(FileAgentHead, (),
                      (name, memory_blocks, tools, tool_ids, source_ids, folder_ids, block_ids, tool_rules, tags,
                       system, agent_type, initial_message_sequence, include_base_tools, include_multi_agent_tools,
                       include_base_tool_rules, include_default_source, description, metadata, llm_config,
                       embedding_config, model, embedding, model_settings, compaction_settings, context_window_limit,
                       embedding_chunk_size, max_tokens, max_reasoning_tokens, enable_reasoner, reasoning,
                       from_template, project, tool_exec_environment_variables, secrets, memory_variables, project_id,
                       template_id, base_template_id, identity_ids, message_buffer_autoclear, enable_sleeptime,
                       response_format, timezone, max_files_open, per_file_view_window_char_limit, hidden,
                       parallel_tool_calls, double_texting, id, in_context_message_ids))

/// What stands behind its messages.
struct FileAgentTail {
    std::vector<FileAttachment> files_agents;
    std::vector<std::string> group_ids;
};
BOOST_DESCRIBE_STRUCT(FileAgentTail, (), (files_agents, group_ids))

struct FileBlock : CreateBlock {
    std::string id;
};
BOOST_DESCRIBE_STRUCT(FileBlock, (CreateBlock), (id))
inline void check(const FileBlock&, Problems&) {}  // what a block's limit allows is no matter of a file

/// A block as it is written.
struct FileBlockBody : BlockBody {
    std::vector<std::string> tags;
    std::string id;
};
BOOST_DESCRIBE_STRUCT(FileBlockBody, (BlockBody), (tags, id))

/// A group's manager, which is named by an id of the file.
struct FileManager : ManagerConfig {};
BOOST_DESCRIBE_STRUCT(FileManager, (ManagerConfig), ())
inline void check(const FileManager&, Problems&) {}

struct FileGroup {
    std::vector<std::string> agent_ids;
    std::string description;
    FileManager manager_config;
    std::optional<std::string> project_id;
    std::vector<std::string> shared_block_ids;
    std::optional<bool> hidden;
    std::string id;
};
BOOST_DESCRIBE_STRUCT(FileGroup, (), (agent_ids, description, manager_config, project_id, shared_block_ids, hidden, id))

struct FileMcpServer {
    std::string id;
    std::string server_type;
    std::string server_name;
    std::optional<std::string> server_url;
    Json stdio_config;  ///< without `env`
    Json metadata_;
};
BOOST_DESCRIBE_STRUCT(FileMcpServer, (), (id, server_type, server_name, server_url, stdio_config, metadata_))

/// What a file holds besides its agents, in the order in which it is written; its files come between the two.
struct AgentFileFront {
    std::vector<FileGroup> groups;
    std::vector<FileBlockBody> blocks;
};
BOOST_DESCRIBE_STRUCT(AgentFileFront, (), (groups, blocks))

struct AgentFileRest {
    std::vector<FileFolder> sources;
    std::vector<Tool> tools;
    std::vector<FileMcpServer> mcp_servers;
    std::vector<Json> skills;
    TextMap metadata;
    Timestamp created_at{};
};
BOOST_DESCRIBE_STRUCT(AgentFileRest, (), (sources, tools, mcp_servers, skills, metadata, created_at))

struct AgentFileTail : AgentFileFront, AgentFileRest {};

/// An agent as it is read: what links it to the rest of the file, and the request that makes it.
struct FileAgentLinks {
    std::string id;
    std::vector<std::string> tool_ids, block_ids, source_ids;
    std::vector<std::string> in_context_message_ids;
    std::vector<FileMessage> messages;
    std::vector<FileAttachment> files_agents;
    std::vector<std::string> group_ids;
};
BOOST_DESCRIBE_STRUCT(FileAgentLinks, (),
                      (id, tool_ids, block_ids, source_ids, in_context_message_ids, messages, files_agents, group_ids))

struct FileAgent {
    FileAgentLinks links;
    CreateAgent request;  ///< its lists of ids are empty
};
void read_json(const boost::json::value& from, FileAgent& into, Problems& problems);
Schema json_schema(const FileAgent*);

/// A file as it is read. Of one that was too large to be kept (AgentFileReader) messages are missing, and texts of
/// files are empty.
struct AgentFile {
    std::vector<FileAgent> agents;
    std::vector<FileGroup> groups;
    std::vector<FileBlock> blocks;
    std::vector<FileDocument> files;
    std::vector<FileFolder> sources;
    std::vector<Tool> tools;
    std::vector<FileMcpServer> mcp_servers;
    std::vector<Json> skills;
};
BOOST_DESCRIBE_STRUCT(AgentFile, (), (agents, groups, blocks, files, sources, tools, mcp_servers, skills))

/// The file that `text` holds: JSON, or a JSON string with JSON in it, of version 2 or of the legacy version (one
/// agent, no `agents`). Throws Error{invalid_argument} (status 400) that names all that is wrong with it, references
/// that lead nowhere included.
AgentFile parse_agent_file(const std::string& text);

/// Answer of POST /v1/agents/import.
struct ImportedAgents {
    std::vector<std::string> agent_ids;
};
BOOST_DESCRIBE_STRUCT(ImportedAgents, (), (agent_ids))

/// Body of POST /v1/agents/{agent_id}/export.
struct ExportAgentRequest {
    std::vector<Json> skills;
    std::optional<std::string> conversation_id;
    bool scrub_messages = false;
};
BOOST_DESCRIBE_STRUCT(ExportAgentRequest, (), (skills, conversation_id, scrub_messages))

/// A stored message in the file's form; its ids are the store's. `timezone`: of the agent, for what models read.
FileMessage file_message(const Message& message, const std::string& timezone);

/// Makes stored messages of those of one agent in a file, which are given in order; what one needs of those before is
/// remembered.
class StoredMessages {
public:
    /// Without agent, position and place in the window.
    Message next(const FileMessage& from);

private:
    static constexpr std::size_t calls_max = 10'000;  ///< returns that come later are named by their message

    std::map<std::string, std::string> names_;  ///< of tools, by the ids of the calls
    std::deque<std::string> calls_;             ///< the same ids, oldest first
    std::vector<MessageToolCall> asked_;        ///< by the newest request for approval
};

}  // namespace stele
