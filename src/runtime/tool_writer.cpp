#include "runtime/tool_writer.hpp"

#include "base/ids.hpp"
#include "runtime/call_arguments.hpp"

namespace stele::runtime {
namespace {

using boost::asio::awaitable;

constexpr char default_model[] = "openai/gpt-4.1";
constexpr char answer_tool[] = "propose_tool";

constexpr char instructions[] =
    "You write one Python function that an AI agent will call as a tool. Rules: the function is the last one at the "
    "top "
    "level of its source and has the name that is asked for; every parameter has a type annotation (str, int, float, "
    "bool, list[...], dict, Literal, Optional, or a Pydantic model defined in the same source); it has a docstring in "
    "Google style with a line for each parameter under Args; imports stand at the top; it returns a value that JSON "
    "can "
    "hold and raises an exception with a clear text when it cannot do its work. Secrets come from os.environ. Answer "
    "by "
    "calling propose_tool.";

constexpr char answer_schema[] =
    R"({"type":"object","properties":{)"
    R"("raw_source_code":{"type":"string","description":"The whole source, imports included"},)"
    R"("sample_args_json":{"type":"string","description":"Arguments to try the function with: a JSON object as text"},)"
    R"("pip_requirements_json":{"type":"string","description":"Packages to install: a JSON object of name and version )"
    R"((or an empty text for any), as text; {} for none"}},)"
    R"("required":["raw_source_code","sample_args_json","pip_requirements_json"]})";

llm::ModelRequest request_of(const GenerateToolInput& wanted, const std::string& model, const std::string& user_id) {
    llm::ModelRequest request;
    request.model = model;
    request.user = user_id;
    llm::Turn& system = request.turns.emplace_back();
    system.role = llm::Role::system;
    system.text = instructions;
    llm::Turn& user = request.turns.emplace_back();
    user.role = llm::Role::user;
    user.text = "Name of the function: " + wanted.tool_name + "\nWhat it is to do:\n" + wanted.prompt;
    if (wanted.starter_code && !wanted.starter_code->empty())
        user.text += "\n\nStart from this source:\n" + *wanted.starter_code;
    for (const std::string& error : wanted.validation_errors.value_or({}))
        user.text += "\n\nThe last source was refused, avoid that: " + error;
    llm::ToolSpec& tool = request.tools.emplace_back();
    tool.name = answer_tool;
    tool.description = "Hands over the function.";
    tool.parameters_json = answer_schema;
    request.tool_choice.kind = llm::ToolChoice::Kind::tool;
    request.tool_choice.tool = answer_tool;
    return request;
}

Error bad_answer(const std::string& why) {
    Error failure(ErrorCode::model_failed, why);
    failure.type = "llm_error";
    failure.final = true;
    return failure;
}

// {"name": "version"} as the model wrote it.
Json requirements_in(const std::string& text) {
    std::vector<Requirement> requirements;
    Json list;
    try {
        for (auto& [name, version] :
             decode<PackageVersions>("{\"packages\":" + (text.empty() ? "{}" : text) + "}").packages) {
            Requirement& each = requirements.emplace_back();
            each.name = name;
            if (!version.empty()) each.version = version;
        }
        list.text = to_json_array(requirements);
        static_cast<void>(decode<RequirementList>("{\"requirements\":" + list.text + "}"));
    } catch (const Error& error) {
        throw bad_answer(std::string("The model's pip_requirements_json can't be used: ") + error.what());
    }
    return list;
}

}  // namespace

awaitable<llm::ResolvedModel> ToolWriter::model_for(std::string organization_id,
                                                    std::optional<std::string> handle) const {
    auto model = co_await catalogue_.resolve(organization_id, handle.value_or(default_model));
    if (!model && !handle) model = co_await catalogue_.resolve(organization_id, fallback_model_);
    if (!model)
        throw Error(ErrorCode::not_found, "The model '" + handle.value_or(fallback_model_) +
                                              "' is not available: no configured provider offers it. "
                                              "GET /v1/models lists what is there");
    co_return std::move(*model);
}

awaitable<GenerateToolOutput> ToolWriter::write(std::string organization_id, std::string user_id,
                                                GenerateToolInput wanted) const {
    const llm::ResolvedModel model = co_await model_for(std::move(organization_id), wanted.handle);
    llm::ModelRequest request = request_of(wanted, model.model, user_id);
    llm::ModelAnswer made = co_await model.provider->complete(std::move(request), nullptr);
    const auto written =
        made.tool_calls.empty() ? std::nullopt : read_call_arguments(made.tool_calls.front().arguments, false);
    const auto source = written ? json_member_text(written->json, "raw_source_code") : std::nullopt;
    if (!source) throw bad_answer("The model did not answer with a source");
    const auto sample = parse_json(json_member_text(written->json, "sample_args_json").value_or("{}"));
    if (!sample || sample->text.front() != '{') throw bad_answer("The model's sample_args_json is no JSON object");

    GenerateToolOutput output;
    output.response = std::move(made.text);
    output.sample_args = *sample;
    Tool& tool = output.tool;
    tool.id = new_id("tool");
    tool.source_type = "python";
    tool.source_code = *source;
    tool.pip_requirements = requirements_in(json_member_text(written->json, "pip_requirements_json").value_or(""));
    Json no_args;
    tool.json_schema = co_await tools_.derive(*source, "python", std::move(no_args));
    const SchemaHead head = complete_schema(tool.json_schema, "tool");
    tool.name = head.name;
    tool.description = head.description;
    tool.created_by_id = tool.last_updated_by_id = user_id;
    tool.created_at = now();
    co_return output;
}

}  // namespace stele::runtime
