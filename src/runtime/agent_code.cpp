#include "runtime/agent_code.hpp"

#include "base/utf8.hpp"
#include "runtime/custom_tool.hpp"
#include "tools/sandbox/sandbox.hpp"
#include "tools/working_memory.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>

namespace stele::runtime {
namespace {

using boost::asio::awaitable;
namespace json = boost::json;

constexpr char itself[] = "run_code_with_tools";

bool is_python(const Tool& tool) { return is_custom(tool) && tool.source_code && tool.source_type == "python"; }

// A call that waits for a person can't wait inside a program: it has to be a call of its own.
bool needs_approval(const LoadedAgent& loaded, const Tool& tool) {
    const auto& rules = loaded.agent.tool_rules;
    return std::any_of(rules.begin(), rules.end(), [&](const ToolRule& rule) {
        return rule.type == "requires_approval" && rule.tool_name == tool.name;
    });
}

std::vector<std::string> parameters_of(const Tool& tool) {
    boost::system::error_code failure;
    const json::value schema = json::parse(tool.json_schema.text, failure);
    std::vector<std::string> names;
    if (failure || !schema.is_object()) return names;
    const json::value* parameters = schema.get_object().if_contains("parameters");
    if (parameters == nullptr || !parameters->is_object()) return names;
    const json::value* properties = parameters->get_object().if_contains("properties");
    if (properties != nullptr && properties->is_object())
        for (const auto& [name, property] : properties->get_object()) names.emplace_back(name);
    return names;
}

// What the inlined sources import, as the row of one tool would name it.
Json requirements_of(const LoadedAgent& loaded) {
    json::array all;
    for (const Tool& tool : loaded.tools) {
        if (!is_python(tool) || tool.pip_requirements.is_null()) continue;
        const json::value some = json::parse(tool.pip_requirements.text);
        if (some.is_array()) all.insert(all.end(), some.get_array().begin(), some.get_array().end());
    }
    Json made;
    if (!all.empty()) made.text = json::serialize(all);
    return made;
}

std::string text_of(const json::object& object, std::string_view name) {
    const json::value* value = object.if_contains(name);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

// The program's own account of itself, {"value", "text", "error"}; of one that was ended, what the sandbox says.
tools::CodeOutcome outcome_of(tools::SandboxResult result) {
    tools::CodeOutcome outcome;
    outcome.out = to_valid_utf8(result.out);
    outcome.err = to_valid_utf8(result.err);
    boost::system::error_code failure;
    const json::value told = json::parse(result.value_json, failure);
    if (!result.ok || failure || !told.is_object()) {
        outcome.error_name = result.error_type.empty() ? "Crash" : result.error_type;
        outcome.error_message = to_valid_utf8(result.error_message);
        return outcome;
    }
    const json::object& object = told.get_object();
    if (const json::value* value = object.if_contains("value")) outcome.value_json = json::serialize(*value);
    if (const json::value* text = object.if_contains("text"); text != nullptr && text->is_string())
        outcome.text = std::string(text->get_string());
    if (const json::value* error = object.if_contains("error"); error != nullptr && error->is_object()) {
        outcome.error_name = text_of(error->get_object(), "name");
        outcome.error_message = text_of(error->get_object(), "value");
        outcome.traceback = text_of(error->get_object(), "traceback");
        if (outcome.error_name.empty()) outcome.error_name = "Error";
    }
    return outcome;
}

}  // namespace

tools::Program program_for(const LoadedAgent& loaded, bool with_tools) {
    tools::Program program;
    for (const Tool& tool : loaded.tools) {
        const bool approved = !needs_approval(loaded, tool);
        if (is_python(tool) && approved) {
            program.preludes.emplace_back(tool.name, *tool.source_code);
        } else if (with_tools && !runs_on_client(tool) && tool.name != itself) {
            tools::Program::Stub stub;
            stub.name = tool.name;
            if (approved) stub.path = "/v1/agents/" + loaded.agent.id + "/tools/" + tool.name + "/run";
            stub.parameters = parameters_of(tool);
            program.stubs.push_back(std::move(stub));
        }
    }
    return program;
}

std::vector<std::string> AgentCode::languages() const {
    std::vector<std::string> words{"python"};
    if (sandbox_.has_node()) words.insert(words.end(), {"js", "ts"});
    return words;
}

awaitable<tools::CodeOutcome> AgentCode::run(tools::Code code) {
    const bool python = code.language == "python";
    CustomToolCall call;
    call.organization_id = caller_.organization_id;
    call.user_id = caller_.user_id;
    call.origin = caller_.origin;
    call.tool.name = code.with_tools ? itself : "run_code";
    call.tool.source_type = python ? "python" : code.language == "ts" ? "typescript" : "javascript";
    call.tool.source_code = std::move(code.text);
    call.agent = state_for_tools(loaded_.agent, loaded_.blocks);
    tools::Program program;
    if (python) {
        program = program_for(loaded_, code.with_tools);
        call.tool.pip_requirements = requirements_of(loaded_);
    }
    CustomToolCall once_more = call;
    once_more.tool.pip_requirements = Json();
    tools::Program same = program;
    tools::SandboxResult result = co_await custom_tools_.run_program(std::move(call), std::move(program));
    if (result.error_type == "InstallFailed") {  // the program itself may do without what a tool requires
        const std::string why = "The packages of your tools are not there: " + result.error_message + "\n";
        result = co_await custom_tools_.run_program(std::move(once_more), std::move(same));
        result.err.insert(0, why);
    }
    if (result.error_type == "Unavailable") throw tools::ToolFailure(result.error_message);
    tools::CodeOutcome outcome = outcome_of(std::move(result));
    co_return outcome;
}

}  // namespace stele::runtime
