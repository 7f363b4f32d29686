#include "tools/sandbox/call_frames.hpp"

#include "base/error.hpp"
#include "base/json_text.hpp"
#include "domain/json_parse.hpp"
#include "tools/sandbox/embedded_files.hpp"

#include <boost/json/serialize.hpp>

#include <csignal>
#include <map>

namespace stele::tools {
namespace {

namespace json = boost::json;

constexpr std::int64_t memory_bytes_max = std::int64_t{2} << 30;
// It reserves far more than it uses; its heap has a limit of its own.
constexpr std::int64_t address_space_of_node = std::int64_t{256} << 30;
constexpr std::int64_t file_bytes_max = 64 << 20;
constexpr std::int64_t files_max = 256, processes_max = 64;
constexpr std::chrono::seconds cpu_surplus{5};  // so that the wall clock speaks first

std::string limits(std::chrono::milliseconds time_limit, std::int64_t memory = memory_bytes_max) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time_limit) + cpu_surplus;
    return R"({"cpu_s":)" + std::to_string(seconds.count()) + R"(,"as":)" + std::to_string(memory) + R"(,"fsize":)" +
           std::to_string(file_bytes_max) + R"(,"nofile":)" + std::to_string(files_max) + R"(,"nproc":)" +
           std::to_string(processes_max) + "}";
}

std::string or_null(std::string_view given) { return given.empty() ? "null" : std::string(given); }

std::string list_of(const std::vector<std::string>& words) {
    std::string made = "[";
    for (const std::string& word : words) made += (made.size() > 1 ? "," : "") + json_string(word);
    return made + "]";
}

std::string program_text(const Program& program) {
    std::string made = R"({"preludes":[)";
    for (const auto& [name, source] : program.preludes)
        made += (made.back() == '[' ? "[" : ",[") + json_string(name) + "," + json_string(source) + "]";
    made += R"(],"stubs":[)";
    for (const Program::Stub& stub : program.stubs)
        made += (made.back() == '[' ? R"({"name":)" : R"(,{"name":)") + json_string(stub.name) + R"(,"path":)" +
                json_string(stub.path) + R"(,"parameters":)" + list_of(stub.parameters) + "}";
    return made + "]}";
}

void crash(SandboxResult& result, std::string message) {
    result.ok = false;
    result.value_json.clear();
    result.error_type = "Crash";
    result.error_message = std::move(message);
}

}  // namespace

std::string call_request(const SandboxCall& call, const std::vector<std::pair<std::string, std::string>>& environment,
                         const std::string& node, const std::string& api_socket) {
    std::string made = R"({"op":"call","source":)" + json_string(call.source_code);
    made += R"(,"name":)" + json_string(call.function);
    made += R"(,"args":)" + (call.arguments_json.empty() ? "{}" : call.arguments_json);
    made += R"(,"schema":)" + or_null(call.json_schema);
    made += R"(,"args_schema":)" + or_null(call.args_json_schema);
    made += R"(,"agent_id":)" + (call.agent_id ? json_string(*call.agent_id) : "null");
    made += R"(,"agent_state":)" + or_null(call.agent_state_json);
    if (call.program) made += R"(,"program":)" + program_text(*call.program);
    if (!call.run_token.empty() && !api_socket.empty())
        made +=
            R"(,"client":{"socket":)" + json_string(api_socket) + R"(,"token":)" + json_string(call.run_token) + "}";
    if (!node.empty())
        for (const EmbeddedFile& file : embedded_files())
            if (file.name == "run_tool.mjs")
                made += R"(,"types":)" + std::string(call.source_type == "typescript" ? "true" : "false") +
                        R"(,"node":)" + json_string(node) + R"(,"runner":)" + json_string(file.content);
    std::map<std::string, std::string> merged;
    for (const auto& [name, value] : environment) merged[name] = value;
    made += R"(,"env":{)";
    for (const auto& [name, value] : merged) {
        if (name.empty() || name.find('=') != std::string::npos || name.find('\0') != std::string::npos) continue;
        if (made.back() != '{') made += ',';
        append_json_string(made, name);
        made += ':';
        append_json_string(made, value.substr(0, value.find('\0')));
    }
    return made + R"(},"limits":)" + limits(call.time_limit, node.empty() ? memory_bytes_max : address_space_of_node) +
           "}";
}

std::string derivation_request(std::string_view source_code, std::string_view source_type,
                               std::string_view args_json_schema) {
    return R"({"op":"derive_schema","source":)" + json_string(source_code) + R"(,"source_type":)" +
           json_string(source_type) + R"(,"args_schema":)" + or_null(args_json_schema) + R"(,"limits":)" +
           limits(std::chrono::seconds(10)) + "}";
}

void read_answer(std::string_view answer, SandboxResult& result) {
    const JsonParse parsed = parse_json_value(answer);
    const json::object* object = parsed.problem.empty() ? parsed.value.if_object() : nullptr;
    const json::value* ok = object == nullptr ? nullptr : object->if_contains("ok");
    if (ok == nullptr || !ok->is_bool()) return crash(result, "The tool's process gave no answer that can be read");
    const auto text = [&](std::string_view name) -> std::string {
        const json::value* value = object->if_contains(name);
        return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
    };
    result.ok = ok->get_bool();
    if (!result.ok) {
        result.error_type = text("type");
        result.error_message = text("message");
        return;
    }
    // A text within the text: so 1.0 stays 1.0, and keys keep their order.
    result.value_json = text("result");
    if (!parse_json_value(result.value_json).problem.empty())
        return crash(result, "The tool's process gave a result that can't be read");
    if (const json::value* blocks = object->if_contains("blocks"); blocks != nullptr && blocks->is_object())
        for (const auto& [label, content] : blocks->get_object())
            if (content.is_string()) result.block_values.emplace_back(label, content.get_string());
}

std::string read_derivation(std::string_view answer) {
    const JsonParse parsed = parse_json_value(answer);
    const json::object* object = parsed.problem.empty() ? parsed.value.if_object() : nullptr;
    if (object != nullptr)
        if (const json::value* schema = object->if_contains("schema"); schema != nullptr && schema->is_object())
            return json::serialize(*schema);
    const json::value* message = object == nullptr ? nullptr : object->if_contains("message");
    throw Error(ErrorCode::invalid_argument, message != nullptr && message->is_string()
                                                 ? std::string(message->get_string())
                                                 : "the source can't be read");
}

std::string crash_text(int exit_code) {
    if (exit_code >= 0)
        return "The tool's process ended before it answered, with exit code " + std::to_string(exit_code);
    std::string text = "The tool's process was ended by signal " + std::to_string(-exit_code);
    if (exit_code == -SIGKILL) text += ": it used too much memory or processor time";
    if (exit_code == -SIGSEGV || exit_code == -SIGABRT || exit_code == -SIGBUS) text += ": it crashed";
    return text;
}

}  // namespace stele::tools
