#include "runtime/tool_service.hpp"

#include "base/ids.hpp"
#include "tools/sandbox/sandbox.hpp"

namespace stele::runtime {
namespace {

using boost::asio::awaitable;

constexpr int attempts_max = 32;  // other writers may be faster; each round one of them gets through

bool lost_a_race(const Error& error) {
    return error.code == ErrorCode::conflict && error.type == changed_meanwhile_type;
}

Error not_yours(const Tool& tool) {
    return refused("The tool '" + tool.name + "' is of type " + tool.tool_type +
                   ": it does not come from a user's source, and can't be given one");
}

// Sources may define several functions: the schema must be of one of them. A plain look at the text, as it has always
// been, so that a decorator or an assignment does no harm.
void demand_function(const Tool& tool) {
    const std::string& source = *tool.source_code;
    const bool there = tool.source_type == "typescript" ? source.find("function " + tool.name) != std::string::npos ||
                                                              source.find("const " + tool.name) != std::string::npos
                                                        : source.find("def " + tool.name) != std::string::npos;
    if (!there)
        throw refused("The source defines no function '" + tool.name +
                      "', which json_schema.name asks for. Name and "
                      "schema mismatch: send source_code and json_schema together");
}

// What a request says of description, settings and schemas, on a tool that is new or has been there.
void merge(ToolCreate request, Json schema, SchemaHead head, bool is_new, Tool& tool) {
    const bool has_source = request.source_code.has_value();
    if (!is_new && request.tags.has_value() && request.tags->empty()) request.tags = {};
    apply_settings(request, tool);
    tool.name = head.name;
    if (has_source) {
        tool.source_code = *request.source_code;
        if (!request.source_type.has_value() || *request.source_type == "json") tool.source_type = "python";
        tool.args_json_schema = is_given(request.args_json_schema) ? *request.args_json_schema : Json();
    } else {
        tool.source_type = "json";
    }
    tool.json_schema = std::move(schema);
    tool.description = request.description.has_value() ? *request.description : head.description;
}

// Without source a request that brings no parameters keeps those there are.
Json schema_without_source(const ToolCreate& request, const std::optional<Tool>& stored) {
    std::string description = request.description.value_or("");
    if (!request.description.has_value() && stored) description = stored->description.value_or("");
    Json parameters{"null"};
    if (request.parameters.has_value())
        parameters = *request.parameters;
    else if (stored)
        parameters.text = json_member_text(stored->json_schema.text, "parameters").value_or("null");
    return schema_of_client_tool(*request.name, description, parameters);
}

}  // namespace

awaitable<Json> ToolService::derive(std::string source_code, std::string source_type, Json args_json_schema) const {
    Json schema;
    std::string failure;
    std::string args;
    if (!args_json_schema.is_null()) args = std::move(args_json_schema.text);
    try {
        schema.text =
            co_await parts_.sandbox.derive_schema(std::move(source_code), std::move(source_type), std::move(args));
    } catch (const Error& error) {
        if (error.code != ErrorCode::invalid_argument) throw;
        failure = error.what();
    }
    if (!failure.empty()) throw refused("Failed to derive json schema: Schema generation failed: " + failure);
    co_return schema;
}

// Of a request with source, or with a schema of its own.
awaitable<Json> ToolService::schema_for(ToolCreate request) const {
    if (is_given(request.json_schema)) co_return *request.json_schema;
    const std::string type = request.source_type.value_or("python");
    if (type == "typescript")
        throw invalid_field("body.json_schema",
                            "is required for TypeScript; POST /v1/tools/generate-schema reads one from the source");
    Json args = is_given(request.args_json_schema) ? *request.args_json_schema : Json();
    Json schema = co_await derive(*request.source_code, type, std::move(args));
    co_return schema;
}

awaitable<Tool> ToolService::upsert(std::string organization_id, std::string actor, ToolCreate request,
                                    std::optional<std::string> idempotency_key) const {
    const bool described = request.source_code.has_value() || is_given(request.json_schema);
    Json schema;
    SchemaHead head;
    if (described) {
        ToolCreate wanted = request;
        schema = co_await schema_for(std::move(wanted));
        head = complete_schema(schema, "body.json_schema");
    } else {
        head.name = request.name.value_or("");
    }
    for (int attempt = 1;; ++attempt) {
        std::vector<std::string> names{head.name};
        std::vector<Tool> found = co_await parts_.tools.find_by_names(organization_id, std::move(names));
        const std::optional<Tool> stored = found.empty() ? std::nullopt : std::optional(found.front());
        if (stored && !is_custom(*stored)) throw not_yours(*stored);
        if (stored && stored->source_code && !request.source_code.has_value())
            throw refused("The tool '" + stored->name +
                          "' has a source. Send source_code with what is to change, or "
                          "PATCH it; deleted, its name is free for a tool that clients run");
        if (!described) {
            schema = schema_without_source(request, stored);
            head = complete_schema(schema, "body");
        }
        Tool tool = stored.value_or(Tool());
        if (!stored) {
            tool.id = new_id("tool");
            tool.created_by_id = actor;
            tool.created_at = now();
        }
        merge(request, schema, head, !stored, tool);
        tool.last_updated_by_id = actor;
        if (stored && !idempotency_key && to_json(tool) == to_json(*stored)) co_return tool;

        storage::Transaction transaction;
        if (stored)
            parts_.tools.update(transaction, organization_id, tool);
        else
            parts_.tools.insert(transaction, organization_id, tool);
        if (idempotency_key) parts_.idempotency.keep_made(transaction, organization_id, *idempotency_key, tool.id);
        try {
            co_await parts_.database.commit(std::move(transaction));
            co_return tool;
        } catch (const Error& error) {
            if (!lost_a_race(error) || attempt == attempts_max) throw;
        }
    }
}

awaitable<Tool> ToolService::update(std::string organization_id, std::string actor, std::string id,
                                    ToolUpdate request) const {
    auto tool = co_await parts_.tools.find(organization_id, id);
    if (!tool) throw not_found("Tool", id);
    const bool defines = request.source_code.has_value() || request.json_schema.has_value() ||
                         request.args_json_schema.has_value() || request.parameters.has_value() ||
                         request.description.has_value() || request.source_type.has_value();
    if (defines && !is_custom(*tool)) throw not_yours(*tool);

    apply_settings(request, *tool);
    if (request.source_code.has_value()) tool->source_code = *request.source_code;
    if (tool->source_code && tool->source_type == "json") tool->source_type = "python";
    if (request.args_json_schema.present())
        tool->args_json_schema = is_given(request.args_json_schema) ? *request.args_json_schema : Json();
    std::optional<Json> schema;
    if (is_given(request.json_schema)) schema = *request.json_schema;
    if (!schema && is_given(request.args_json_schema) && tool->source_code && tool->source_type != "typescript") {
        std::string source = *tool->source_code;
        Json args = *request.args_json_schema;
        schema = co_await derive(std::move(source), "python", std::move(args));
    }
    if (!schema && request.parameters.has_value()) {
        if (tool->source_code)
            throw invalid_field("body.parameters", "belongs to tools without source: send json_schema");
        schema = schema_of_client_tool(tool->name, tool->description.value_or(""), *request.parameters);
    }
    if (schema) {
        const SchemaHead head = complete_schema(*schema, "body.json_schema");
        tool->name = head.name;
        tool->json_schema = std::move(*schema);
        if (!head.description.empty()) tool->description = head.description;
    }
    request.description.set_into(tool->description);
    if (!tool->source_code && request.description.present() && is_custom(*tool)) {
        Json parameters{json_member_text(tool->json_schema.text, "parameters").value_or("null")};
        tool->json_schema = schema_of_client_tool(tool->name, tool->description.value_or(""), parameters);
    }
    if (tool->source_code && (schema || request.source_code.has_value())) demand_function(*tool);
    tool->last_updated_by_id = actor;

    storage::Transaction transaction;
    parts_.tools.update(transaction, organization_id, *tool);
    co_await parts_.database.commit(std::move(transaction));
    ++tool->version;
    co_return std::move(*tool);
}

awaitable<void> ToolService::remove(std::string organization_id, std::string id) const {
    for (int attempt = 1;; ++attempt) {
        const auto tool = co_await parts_.tools.find(organization_id, id);
        if (!tool) throw not_found("Tool", id);
        if (!is_custom(*tool) && tool->tool_type != "external_mcp")
            throw refused("The tool '" + tool->name +
                          "' comes with the server and can't be deleted; detach it instead");
        storage::Transaction transaction;
        if (tool->default_requires_approval.value_or(false)) {
            const std::vector<std::string> holders = co_await parts_.tools.agents_of(id);
            for (const std::string& holder : holders) {
                auto agent = co_await parts_.agents.find(organization_id, holder);
                if (!agent) continue;
                remove_approval_rule(agent->tool_rules, tool->name);
                parts_.agents.update(transaction, *agent);
            }
        }
        parts_.tools.remove(transaction, organization_id, *tool);
        try {
            co_await parts_.database.commit(std::move(transaction));
            co_return;
        } catch (const Error& error) {
            if (!lost_a_race(error) || attempt == attempts_max) throw;
        }
    }
}

awaitable<Tool> ToolService::from_source(ToolRunFromSource request) const {
    ToolCreate wanted;
    wanted.source_code = request.source_code;
    if (request.source_type) wanted.source_type = *request.source_type;
    wanted.json_schema = request.json_schema;
    wanted.args_json_schema = request.args_json_schema;
    wanted.pip_requirements = request.pip_requirements;
    wanted.npm_requirements = request.npm_requirements;
    ToolCreate described = wanted;
    Json schema = co_await schema_for(std::move(described));
    SchemaHead head = complete_schema(schema, "body.json_schema");
    Tool tool;
    merge(std::move(wanted), std::move(schema), head, true, tool);
    if (request.name && *request.name != head.name) {  // another function of the source: nothing is known of its form
        tool.name = *request.name;
        tool.json_schema = tool.args_json_schema = Json();
    }
    demand_function(tool);
    co_return tool;
}

}  // namespace stele::runtime
