#pragma once

#include "domain/audit.hpp"
#include "domain/json.hpp"

#include <boost/describe/class.hpp>

#include <array>

namespace stele {

/// A package that a tool imports.
struct Requirement {
    std::string name;
    std::optional<std::string> version;

    bool operator==(const Requirement&) const = default;
};
BOOST_DESCRIBE_STRUCT(Requirement, (), (name, version))
void check(const Requirement& requirement, Problems& problems);
constexpr std::array<std::string_view, 1> required_members(const Requirement*) { return {"name"}; }

/// A list of them as it stands in a tool's row.
struct RequirementList {
    std::vector<Requirement> requirements;
};
BOOST_DESCRIBE_STRUCT(RequirementList, (), (requirements))

/// A function that agents may call. Built-ins have no source; their schema comes from tools/builtin.
struct Tool {
    std::string id;                    ///< "tool-<uuid>"
    std::string tool_type = "custom";  ///< letta_core, letta_memory_core, letta_sleeptime_core, custom, ...
    std::optional<std::string> description;
    std::optional<std::string> source_type;
    std::string name;
    std::vector<std::string> tags;
    std::optional<std::string> source_code;
    Json json_schema;  ///< {"name", "description", "parameters"}
    Json args_json_schema;
    std::int64_t return_char_limit = 50'000;
    Json pip_requirements;
    Json npm_requirements;
    std::optional<bool> default_requires_approval;
    bool enable_parallel_execution = false;
    std::optional<std::string> created_by_id;
    std::optional<std::string> last_updated_by_id;
    Json metadata_{"{}"};
    std::optional<std::string> project_id;
    Timestamp created_at{};    ///< orders lists; not described
    std::int64_t version = 1;  ///< of the row that was read; not described
};
BOOST_DESCRIBE_STRUCT(Tool, (),
                      (id, tool_type, description, source_type, name, tags, source_code, json_schema, args_json_schema,
                       return_char_limit, pip_requirements, npm_requirements, default_requires_approval,
                       enable_parallel_execution, created_by_id, last_updated_by_id, metadata_, project_id))

/// A constraint on when an agent may call which tool. Which further members count depends on `type`.
struct ToolRule {
    std::string tool_name;
    std::string type;  ///< run_first, exit_loop, continue_loop, constrain_child_tools, ...
    std::optional<std::string> prompt_template;
    Patch<Json> args;
    Patch<std::vector<std::string>> children;
    Patch<Json> child_arg_nodes;
    Patch<std::string> default_child;
    Patch<Json> child_output_mapping;
    Patch<bool> require_output_mapping;
    Patch<std::int64_t> max_count_limit;

    bool operator==(const ToolRule&) const = default;
};
BOOST_DESCRIBE_STRUCT(ToolRule, (),
                      (tool_name, type, prompt_template, args, children, child_arg_nodes, default_child,
                       child_output_mapping, require_output_mapping, max_count_limit))
void check(const ToolRule& rule, Problems& problems);

/// True for tools that are made, changed and deleted by users; the others come with the server or from MCP servers.
bool is_custom(const Tool& tool);

/// True for one that has no source: the client that asked the agent runs it, as it runs the tools it brings along.
bool runs_on_client(const Tool& tool);

/// True for a word that the API knows as `tool_type`, those of retired integrations included.
bool is_tool_type(std::string_view word);

/// The rule that a call of `tool` waits for a person, added if it is not there yet, or taken away.
void add_approval_rule(std::vector<ToolRule>& rules, const std::string& tool);
void remove_approval_rule(std::vector<ToolRule>& rules, const std::string& tool);

/// Exact duplicates dropped, the first kept.
void remove_duplicates(std::vector<ToolRule>& rules);

}  // namespace stele
