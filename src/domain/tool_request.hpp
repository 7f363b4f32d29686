#pragma once

#include "domain/tool.hpp"

namespace stele {

// Members that create and change share.
struct ToolDefinitionRequest {
    Patch<std::string> description;
    Patch<std::vector<std::string>> tags;
    Patch<std::string> source_code;
    Patch<std::string> source_type;
    Patch<Json> json_schema;
    Patch<Json> args_json_schema;
    Patch<std::int64_t> return_char_limit;
    Patch<std::vector<Requirement>> pip_requirements;
    Patch<std::vector<Requirement>> npm_requirements;
    Patch<bool> default_requires_approval;
    Patch<bool> enable_parallel_execution;
    Patch<Json> metadata_;
    Patch<std::string> project_id;
};
BOOST_DESCRIBE_STRUCT(ToolDefinitionRequest, (),
                      (description, tags, source_code, source_type, json_schema, args_json_schema, return_char_limit,
                       pip_requirements, npm_requirements, default_requires_approval, enable_parallel_execution,
                       metadata_, project_id))

/// Body of POST and PUT /v1/tools. With source the name comes from its schema; without, from `name`, and clients run
/// it.
struct ToolCreate : ToolDefinitionRequest {
    Patch<std::string> name;
    Patch<Json> parameters;
};
BOOST_DESCRIBE_STRUCT(ToolCreate, (ToolDefinitionRequest), (name, parameters))
/// Whether a schema came: null and {} count as none.
bool is_given(const Patch<Json>& schema);

void check(const ToolCreate& request, Problems& problems);

/// Body of PATCH /v1/tools/{tool_id}.
struct ToolUpdate : ToolDefinitionRequest {
    Patch<Json> parameters;  ///< of a tool without source
};
BOOST_DESCRIBE_STRUCT(ToolUpdate, (ToolDefinitionRequest), (parameters))
void check(const ToolUpdate& request, Problems& problems);

/// Body of POST /v1/tools/run.
struct ToolRunFromSource {
    std::string source_code;
    Json args{"{}"};
    Patch<TextMap> env_vars;
    std::optional<std::string> name;
    std::optional<std::string> source_type;
    Patch<Json> args_json_schema;
    Patch<Json> json_schema;
    Patch<std::vector<Requirement>> pip_requirements;
    Patch<std::vector<Requirement>> npm_requirements;
};
BOOST_DESCRIBE_STRUCT(ToolRunFromSource, (),
                      (source_code, args, env_vars, name, source_type, args_json_schema, json_schema, pip_requirements,
                       npm_requirements))
void check(const ToolRunFromSource& request, Problems& problems);
constexpr std::array<std::string_view, 2> required_members(const ToolRunFromSource*) { return {"source_code", "args"}; }

/// Body of POST /v1/agents/{agent_id}/tools/{tool_name}/run.
struct ToolExecuteRequest {
    Json args{"{}"};
};
BOOST_DESCRIBE_STRUCT(ToolExecuteRequest, (), (args))
void check(const ToolExecuteRequest& request, Problems& problems);

/// What a tool gave back outside of any conversation.
struct ToolExecutionResult {
    std::string status = "success";
    Json func_return;
    Json agent_state;  ///< always null; an old member
    std::optional<std::vector<std::string>> stdout_;
    std::optional<std::vector<std::string>> stderr_;
    std::optional<std::string> sandbox_config_fingerprint;
};
void write_json(const ToolExecutionResult& result, std::string& out);
Schema json_schema(const ToolExecutionResult*);

/// Body of POST /v1/tools/search.
struct ToolSearchRequest {
    std::optional<std::string> query;
    std::string search_mode = "hybrid";
    Patch<std::vector<std::string>> tool_types;
    Patch<std::vector<std::string>> tags;  ///< any of them
    std::int64_t limit = 50;
};
BOOST_DESCRIBE_STRUCT(ToolSearchRequest, (), (query, search_mode, tool_types, tags, limit))
void check(const ToolSearchRequest& request, Problems& problems);

struct ToolSearchResult {
    Tool tool;
    std::optional<std::string> embedded_text;
    std::optional<std::int64_t> fts_rank;
    std::optional<std::int64_t> vector_rank;
    double combined_score = 0;
};
BOOST_DESCRIBE_STRUCT(ToolSearchResult, (), (tool, embedded_text, fts_rank, vector_rank, combined_score))

/// Body of POST /v1/tools/generate-schema.
struct CodeInput {
    std::string code;
    std::optional<std::string> source_type;
};
BOOST_DESCRIBE_STRUCT(CodeInput, (), (code, source_type))
constexpr std::array<std::string_view, 1> required_members(const CodeInput*) { return {"code"}; }

/// Body of POST /v1/tools/generate-tool.
struct GenerateToolInput {
    std::string tool_name;
    std::string prompt;
    std::optional<std::string> handle;
    std::optional<std::string> starter_code;
    Patch<std::vector<std::string>> validation_errors;
};
BOOST_DESCRIBE_STRUCT(GenerateToolInput, (), (tool_name, prompt, handle, starter_code, validation_errors))
constexpr std::array<std::string_view, 2> required_members(const GenerateToolInput*) { return {"tool_name", "prompt"}; }

/// Packages by name, as a model writes them; an empty version means any.
struct PackageVersions {
    TextMap packages;
};
BOOST_DESCRIBE_STRUCT(PackageVersions, (), (packages))

struct GenerateToolOutput {
    Tool tool;         ///< not stored
    Json sample_args;  ///< an object to try it with
    std::string response;
};
BOOST_DESCRIBE_STRUCT(GenerateToolOutput, (), (tool, sample_args, response))

/// Name and description in a schema {"name", "description", "parameters"}, which is completed where something that may
/// be left out is. Throws Error{invalid_argument} on `where` for one that no model could be given.
struct SchemaHead {
    std::string name, description;
};
SchemaHead complete_schema(Json& schema, const std::string& where);

/// The schema of a tool that has no source.
Json schema_of_client_tool(const std::string& name, const std::string& description, const Json& parameters);

/// Everything of `request` but source, schemas and description, which stand in relation to one another.
void apply_settings(const ToolDefinitionRequest& request, Tool& tool);

}  // namespace stele
