#include "domain/tool_request.hpp"

#include "base/utf8.hpp"
#include "domain/json_mapping.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>

namespace stele {
namespace {

namespace json = boost::json;

constexpr std::size_t name_characters_max = 48;
constexpr std::size_t tags_max = 100;
constexpr std::size_t tag_bytes_max = 255;
constexpr std::int64_t return_characters_max = 1'000'000;

bool is_object(const Json& value) { return value.text.front() == '{'; }

void check_object(const Patch<Json>& value, std::string_view member, Problems& problems) {
    if (value.has_value() && !value->is_null() && !is_object(*value))
        problems.add(member, "must be an object", "dict_type", json_string(first_bytes(value->text, 100)));
}

void check_source_type(const std::optional<std::string>& type, Problems& problems) {
    if (type && *type != "python" && *type != "typescript" && *type != "json")
        problems.add("source_type", "must be one of: python, typescript, json", "enum",
                     json_string(first_bytes(*type, 100)));
}

void check_definition(const ToolDefinitionRequest& request, Problems& problems) {
    check_object(request.json_schema, "json_schema", problems);
    check_object(request.args_json_schema, "args_json_schema", problems);
    check_object(request.metadata_, "metadata_", problems);
    check_source_type(request.source_type.optional(), problems);
    if (request.return_char_limit.has_value() &&
        (*request.return_char_limit < 1 || *request.return_char_limit > return_characters_max))
        problems.add("return_char_limit", "must be between 1 and 1000000", "value_error");
    const std::vector<std::string> tags = request.tags.value_or({});
    const bool long_tag =
        std::any_of(tags.begin(), tags.end(), [](const auto& tag) { return tag.size() > tag_bytes_max; });
    if (tags.size() > tags_max || long_tag)
        problems.add("tags", "must be at most 100 texts of at most 255 bytes", "too_long");
}

bool is_name(const std::string& name) {
    return !name.empty() && name.size() <= name_characters_max && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    });
}

void demand_name(const std::string& name, const std::string& where) {
    if (is_name(name)) return;
    throw refused(where + ": '" + std::string(first_code_points(name, 100)) +
                  "' can't be the name of a tool: 1 to 48 letters, digits, _ and -");
}

const std::string empty_parameters = R"({"type":"object","properties":{},"required":[]})";

Json stored_requirements(const std::vector<Requirement>& requirements) {
    Json made;
    made.text = to_json_array(requirements);
    return made;
}

}  // namespace

bool is_given(const Patch<Json>& schema) { return schema.has_value() && !schema->is_null() && schema->text != "{}"; }

void check(const ToolCreate& request, Problems& problems) {
    check_definition(request, problems);
    check_object(request.parameters, "parameters", problems);
    if (request.source_code.has_value()) return;
    if (!request.name.has_value() && !is_given(request.json_schema))
        problems.add("source_code", "is required, or the name of a tool that clients run", "missing");
}

void check(const ToolUpdate& request, Problems& problems) {
    check_definition(request, problems);
    check_object(request.parameters, "parameters", problems);
    if (request.json_schema.has_value() && request.args_json_schema.has_value())
        problems.add("args_json_schema", "must not come together with json_schema");
}

void check(const ToolRunFromSource& request, Problems& problems) {
    if (!is_object(request.args)) problems.add("args", "must be an object", "dict_type");
    check_object(request.args_json_schema, "args_json_schema", problems);
    check_object(request.json_schema, "json_schema", problems);
    check_source_type(request.source_type, problems);
}

void check(const ToolExecuteRequest& request, Problems& problems) {
    if (!request.args.is_null() && !is_object(request.args)) problems.add("args", "must be an object", "dict_type");
}

void check(const ToolSearchRequest& request, Problems& problems) {
    if (request.search_mode != "vector" && request.search_mode != "fts" && request.search_mode != "hybrid")
        problems.add("search_mode", "must be one of: vector, fts, hybrid", "literal_error");
    if (request.limit < 1 || request.limit > 100) problems.add("limit", "must be between 1 and 100");
    for (const std::string& type : request.tool_types.value_or({}))
        if (!is_tool_type(type)) problems.add("tool_types", "holds an unknown tool type", "enum", json_string(type));
}

void write_json(const ToolExecutionResult& result, std::string& out) {
    const auto lines = [&](const char* name, const std::optional<std::vector<std::string>>& texts) {
        out += std::string(",\"") + name + "\":";
        mapping::write(texts, out);
    };
    out += "{\"status\":";
    append_json_string(out, result.status);
    out += ",\"func_return\":" + result.func_return.text + ",\"agent_state\":" + result.agent_state.text;
    lines("stdout", result.stdout_);
    lines("stderr", result.stderr_);
    out += ",\"sandbox_config_fingerprint\":";
    mapping::write(result.sandbox_config_fingerprint, out);
    out += '}';
}

Schema json_schema(const ToolExecutionResult*) {
    const Schema text = mapping::schema_of_type<std::string>();
    const Schema any = mapping::schema_of_type<Json>();
    const Schema lines = mapping::schema_of_type<std::optional<std::vector<std::string>>>();
    Schema schema;
    schema.type = "object";
    schema.properties = {{"status", text, {}},
                         {"func_return", any, {}},
                         {"agent_state", any, {}},
                         {"stdout", lines, {}},
                         {"stderr", lines, {}},
                         {"sandbox_config_fingerprint", mapping::schema_of_type<std::optional<std::string>>(), {}}};
    return schema;
}

SchemaHead complete_schema(Json& schema, const std::string& where) {
    json::value value = json::parse(schema.text);
    json::object& object = value.as_object();
    const json::value* name = object.if_contains("name");
    if (name == nullptr || !name->is_string()) throw refused(where + ": needs a name");
    SchemaHead head;
    head.name = std::string(name->get_string());
    demand_name(head.name, where + ".name");
    json::value& description = object["description"];
    if (description.is_string())
        head.description = std::string(description.get_string());
    else if (description.is_null())
        description = "";
    else
        throw refused(where + ".description: must be a text");
    json::value& parameters = object["parameters"];
    if (parameters.is_null() || (parameters.is_object() && parameters.get_object().empty()))
        parameters = json::parse(empty_parameters);
    if (!parameters.is_object()) throw refused(where + ".parameters: must be an object");
    json::object& inside = parameters.get_object();
    if (!inside.contains("type")) inside["type"] = "object";
    const json::value* type = inside.if_contains("type");
    if (*type != "object") throw refused(where + ".parameters: must describe an object");
    json::value& properties = inside["properties"];
    if (properties.is_null()) properties = json::object();
    if (!properties.is_object()) throw refused(where + ".parameters.properties: must be an object");
    schema.text = json::serialize(value);
    return head;
}

Json schema_of_client_tool(const std::string& name, const std::string& description, const Json& parameters) {
    Json schema;
    schema.text = "{\"name\":" + json_string(name) + ",\"description\":" + json_string(description) +
                  ",\"parameters\":" + parameters.text + "}";
    complete_schema(schema, "body");
    return schema;
}

void apply_settings(const ToolDefinitionRequest& request, Tool& tool) {
    request.tags.set_into(tool.tags);
    request.source_type.set_into(tool.source_type);
    request.return_char_limit.set_into(tool.return_char_limit);
    if (request.pip_requirements.null()) tool.pip_requirements = Json();
    if (request.pip_requirements.has_value()) tool.pip_requirements = stored_requirements(*request.pip_requirements);
    if (request.npm_requirements.null()) tool.npm_requirements = Json();
    if (request.npm_requirements.has_value()) tool.npm_requirements = stored_requirements(*request.npm_requirements);
    request.default_requires_approval.set_into(tool.default_requires_approval);
    request.enable_parallel_execution.set_into(tool.enable_parallel_execution);
    if (request.metadata_.has_value() && !request.metadata_->is_null()) tool.metadata_ = *request.metadata_;
    request.project_id.set_into(tool.project_id);
}

STELE_JSON_READ(ToolCreate)
STELE_JSON_READ(ToolUpdate)
STELE_JSON_READ(ToolRunFromSource)
STELE_JSON_READ(ToolExecuteRequest)
STELE_JSON_WRITTEN(ToolExecutionResult)
STELE_JSON_READ(ToolSearchRequest)
STELE_JSON_WRITTEN(ToolSearchResult)
STELE_JSON_READ(CodeInput)
STELE_JSON_READ(GenerateToolInput)
STELE_JSON_READ(PackageVersions)
STELE_JSON_WRITTEN(GenerateToolOutput)

}  // namespace stele
