#include "runtime/custom_tool.hpp"

#include "base/replaced.hpp"
#include "base/utf8.hpp"
#include "runtime/text_merge.hpp"
#include "storage/agent_repository.hpp"
#include "storage/sandbox_repository.hpp"
#include "tools/sandbox/sandbox.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>
#include <map>

namespace stele::runtime {
namespace {

using boost::asio::awaitable;

constexpr std::size_t failure_characters_max = 1'000;
constexpr char hidden[] = "[run token]";

void put(TextMap& environment, const std::string& name, const std::string& value) {
    const bool possible = !name.empty() && name.find('=') == std::string::npos &&
                          name.find('\0') == std::string::npos && value.find('\0') == std::string::npos;
    if (!possible) return;
    std::erase_if(environment, [&](const auto& each) { return each.first == name; });
    environment.emplace_back(name, value);
}

void put_all(TextMap& environment, const TextMap& more) {
    for (const auto& [name, value] : more) put(environment, name, value);
}

// Packages are the same whatever case and separators their names are written with.
std::string package_key(const std::string& name) {
    std::string key;
    for (const char c : name) key += c == '_' || c == '.' ? '-' : static_cast<char>(std::tolower(c));
    return key;
}

std::vector<Requirement> requirements_of(const Json& list) {
    if (list.is_null()) return {};
    return decode_stored<RequirementList>("{\"requirements\":" + list.text + "}").requirements;
}

bool in_node(const Tool& tool) { return tool.source_type == "typescript" || tool.source_type == "javascript"; }

// Without a key of its own a source may use the API in the name of who has it called; so may the stubs of a program.
bool may_ask_server(const tools::SandboxCall& call) {
    const auto says_client = [](const std::string& source) { return source.find("client") != std::string::npos; };
    bool wants = says_client(call.source_code);
    if (call.program) {
        if (!call.program->stubs.empty()) return true;
        for (const auto& [name, source] : call.program->preludes) wants = wants || says_client(source);
    }
    const auto is_key = [](const auto& variable) { return variable.first == "LETTA_API_KEY"; };
    return wants && std::none_of(call.environment.begin(), call.environment.end(), is_key);
}

// It is worth nothing any more, and yet: nobody should have to find that out.
void hide(const std::string& token, tools::SandboxResult& result) {
    const auto hide_in = [&](std::string& text) {
        if (text.find(token) != std::string::npos) text = replaced(text, token, hidden);
    };
    for (std::string* text : {&result.value_json, &result.error_message, &result.out, &result.err}) hide_in(*text);
    for (auto& [label, value] : result.block_values) {
        hide_in(label);
        hide_in(value);
    }
}

// What Python's str() makes of a value, save that lists stay JSON: the same text means the same to every reader.
void take_value(CustomToolReturn& made, std::string value_json) {
    boost::system::error_code failure;
    const boost::json::value value = boost::json::parse(value_json, failure);
    if (failure) {
        made.status = "error";
        made.text = "The tool gave back what JSON cannot hold";
        return;
    }
    if (value.is_string())
        made.text = std::string(value.get_string());
    else if (value.is_null())
        made.text = "None";
    else if (value.is_bool())
        made.text = value.get_bool() ? "True" : "False";
    else
        made.text = value_json;
    std::erase(made.text, '\0');
    made.is_object = value.is_object();
    made.value_json = std::move(value_json);
}

void cut_text(CustomToolReturn& made, std::int64_t limit_characters) {
    const std::size_t characters = code_points(made.text);
    const auto limit = static_cast<std::size_t>(std::max<std::int64_t>(1, limit_characters));
    if (characters <= limit) return;
    made.text.resize(first_code_points(made.text, limit).size());
    made.text +=
        "... [the return was cut: " + std::to_string(characters) + " > " + std::to_string(limit) + " characters]";
    made.is_object = false;  // half a JSON text is a text
    made.cut = true;
}

// The class of what was raised, or what the sandbox calls its own reasons to give up, and the text of either.
std::string why(const tools::SandboxResult& result) {
    return result.error_type.empty() ? result.error_message : result.error_type + ": " + result.error_message;
}

std::vector<std::string> printed(std::string text) {
    std::vector<std::string> lines;
    if (!text.empty()) lines.push_back(std::move(text));
    return lines;
}

}  // namespace

TextMap tool_environment(const TextMap& passed_on, const TextMap& sandbox, const CustomToolCall& call,
                         const TextMap& secrets) {
    TextMap environment;
    put_all(environment, passed_on);
    put_all(environment, sandbox);
    put_all(environment, call.environment);
    const auto project = call.agent && call.agent->project_id ? call.agent->project_id : call.tool.project_id;
    if (project) put(environment, "PROJECT_ID", *project);
    put_all(environment, secrets);
    std::erase_if(environment, [](const auto& each) {
        return each.first == "LETTA_AGENT_ID" || each.first == "LETTA_PROJECT_ID" || each.first == "LETTA_TOOL_ID";
    });
    if (call.agent) put(environment, "LETTA_AGENT_ID", call.agent->id);
    if (project) put(environment, "LETTA_PROJECT_ID", *project);
    if (!call.tool.id.empty()) put(environment, "LETTA_TOOL_ID", call.tool.id);
    return environment;
}

std::vector<std::string> tool_requirements(const Tool& tool, const SandboxConfig& config) {
    const bool typescript = in_node(tool);
    std::map<std::string, std::string> by_package;
    const auto take = [&](const std::vector<Requirement>& requirements) {
        for (const Requirement& each : requirements)
            by_package[package_key(each.name)] = requirement_text(each, typescript ? "@" : "==");
    };
    if (!typescript) take(decode_stored<LocalSandboxConfig>(config.config.text).pip_requirements);
    take(requirements_of(typescript ? tool.npm_requirements : tool.pip_requirements));
    std::vector<std::string> texts;
    for (auto& [key, text] : by_package) texts.push_back(std::move(text));
    std::sort(texts.begin(), texts.end());
    return texts;
}

CustomToolReturn pack_return(const Tool& tool, tools::SandboxResult result) {
    CustomToolReturn made;
    made.out = printed(to_valid_utf8(result.out));
    made.err = printed(to_valid_utf8(result.err));
    if (result.ok)
        take_value(made, std::move(result.value_json));
    else
        made.text = why(result);
    if (!result.ok || made.status == "error") {
        made.status = "error";
        made.text = to_valid_utf8("Error executing function " + tool.name + ": " + made.text);
        made.text.resize(first_code_points(made.text, failure_characters_max).size());
        if (made.err.empty()) made.err.push_back(made.text);
        return made;
    }
    for (auto& [label, value] : result.block_values) {
        BlockChange change;
        change.label = std::move(label);
        change.value = std::move(value);
        made.block_changes.push_back(std::move(change));
    }
    cut_text(made, tool.return_char_limit);
    return made;
}

AgentState state_for_tools(const Agent& agent, const std::vector<Block>& blocks) {
    AgentState state(agent);
    state.tool_rules.clear();
    state.blocks = state.memory.blocks = blocks;
    return state;
}

void keep_blocks(CustomToolReturn& made, tools::WorkingMemory& memory) {
    tools::WorkingMemory tried = memory;
    try {
        for (const BlockChange& change : made.block_changes) {
            auto value = merged_text(change.seen, change.value, tried.get(change.label).value);
            if (!value)
                throw tools::ToolFailure(
                    "the memory block '" + change.label +
                    "' was edited at the same place meanwhile. Look at it and call the tool again");
            tried.set_value(change.label, std::move(*value));
        }
        memory = std::move(tried);
    } catch (const tools::ToolFailure& failure) {
        made.status = "error";
        made.value_json = "null";
        made.is_object = false;
        made.text = std::string("The tool ran, but none of its changes of memory were kept: ") + failure.what();
        made.err.push_back(made.text);
    }
    made.block_changes.clear();
}

void fill_return(MessageToolReturn& result, const CustomToolReturn& made) {
    result.status = made.status;
    result.value = made.text;
    result.is_object = made.is_object;
    result.stdout_lines = made.out;
    result.stderr_lines = made.err;
}

/// A call as the sandbox takes it, and in which configuration.
struct CustomTools::Gathered {
    tools::SandboxCall wanted;
    SandboxConfig config;
};

awaitable<CustomTools::Gathered> CustomTools::gather(CustomToolCall call) const {
    storage::ReadBatch batch;
    batch.add(storage::SandboxRepository::local_statement(), call.organization_id);
    batch.add(storage::SandboxRepository::local_variables_statement(), call.organization_id);
    if (call.agent) batch.add(storage::AgentRepository::variables_statement(), call.agent->id);
    std::vector<storage::Rows> rows = co_await parts_.database.read(std::move(batch));
    std::vector<SandboxConfig> configs = storage::SandboxRepository::from_rows(std::move(rows[0]));
    Gathered made;
    made.config = configs.empty() ? default_sandbox_config("local", call.organization_id, default_user_id)
                                  : std::move(configs.front());
    TextMap shared, secrets;
    for (const auto& sealed : storage::SandboxRepository::variables_from_rows(std::move(rows[1])))
        shared.emplace_back(sealed.variable.key, parts_.sealer.open(sealed.sealed_value));
    if (call.agent)
        for (const auto& sealed : storage::AgentRepository::variables_from_rows(std::move(rows[2])))
            secrets.emplace_back(sealed.name, parts_.sealer.open(sealed.sealed_value));

    tools::SandboxCall& wanted = made.wanted;
    wanted.organization_id = call.organization_id;
    wanted.source_type = call.tool.source_type.value_or("python");
    if (!in_node(call.tool)) wanted.source_type = "python";
    wanted.source_code = call.tool.source_code.value_or("");
    wanted.function = call.tool.name;
    wanted.arguments_json = std::move(call.arguments_json);
    if (!call.tool.json_schema.is_null()) wanted.json_schema = call.tool.json_schema.text;
    if (!call.tool.args_json_schema.is_null()) wanted.args_json_schema = call.tool.args_json_schema.text;
    wanted.requirements = tool_requirements(call.tool, made.config);
    wanted.environment = tool_environment(parts_.passed_on, shared, call, secrets);
    wanted.time_limit = parts_.time_limit;
    if (call.agent) {
        wanted.agent_id = call.agent->id;
        // Most tools never look at it, and it is large.
        if (wanted.source_code.find("agent_state") != std::string::npos) wanted.agent_state_json = to_json(*call.agent);
    }
    co_return made;
}

awaitable<tools::SandboxResult> CustomTools::carry_out(CustomToolCall call, tools::SandboxCall wanted) const {
    std::optional<RunTokens::Token> token;
    if (may_ask_server(wanted)) {
        ToolCaller caller{call.organization_id, call.user_id, wanted.agent_id.value_or(""), call.origin};
        token.emplace(parts_.tokens.issue(std::move(caller)));
        wanted.run_token = token->text();
    }
    tools::SandboxResult result = co_await parts_.sandbox.call(std::move(wanted));
    if (token) hide(token->text(), result);
    co_return result;
}

awaitable<CustomToolReturn> CustomTools::run(CustomToolCall call) const {
    Gathered gathered = co_await gather(call);
    tools::SandboxResult result = co_await carry_out(call, std::move(gathered.wanted));
    CustomToolReturn made = pack_return(call.tool, std::move(result));
    for (BlockChange& change : made.block_changes)
        for (const Block& block : call.agent->memory.blocks)
            if (block.label == change.label) change.seen = block.value;
    made.fingerprint = fingerprint_of(gathered.config);
    co_return made;
}

awaitable<tools::SandboxResult> CustomTools::run_program(CustomToolCall call, tools::Program program) const {
    Gathered gathered = co_await gather(call);
    gathered.wanted.program = std::move(program);
    tools::SandboxResult result = co_await carry_out(call, std::move(gathered.wanted));
    co_return result;
}

}  // namespace stele::runtime
