// The tools with which an agent runs programs of its own.
#include "base/json_text.hpp"
#include "base/utf8.hpp"
#include "tools/builtin/arguments.hpp"
#include "tools/builtin/tables.hpp"
#include "tools/code_runner.hpp"

#include <algorithm>

namespace stele::tools {
namespace {

using boost::asio::awaitable;

// So that the whole stays within what a tool may return, and so JSON: a text that is cut later on is none.
constexpr std::size_t characters_max = 15'000;

// Without its middle: what is said first and last tells the most.
std::string shortened(const std::string& text) {
    const std::size_t characters = code_points(text);
    if (characters <= characters_max) return text;
    const std::size_t end = first_code_points(text, characters - characters_max / 2).size();
    return std::string(first_code_points(text, characters_max / 2)) + "\n... [" +
           std::to_string(characters - characters_max) + " characters left out] ...\n" + text.substr(end);
}

std::string list_of(const std::string& printed) {
    return printed.empty() ? "[]" : "[" + json_string(shortened(printed)) + "]";
}

std::string word_of(CodeLanguage language) {
    switch (language) {
        case CodeLanguage::python:
            return "python";
        case CodeLanguage::js:
            return "js";
        case CodeLanguage::ts:
            return "ts";
        case CodeLanguage::r:
            return "r";
        case CodeLanguage::java:
            return "java";
    }
    return {};
}

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (std::size_t i = 0; i < words.size(); ++i)
        text += (i == 0 ? "" : i + 1 == words.size() ? " and " : ", ") + words[i];
    return text;
}

// {"results", "logs": {"stdout", "stderr"}, "error"?: {"name", "value", "traceback"}}
std::string execution_of(const CodeOutcome& outcome) {
    std::string json = "{\"results\":" + (outcome.text ? list_of(*outcome.text) : std::string("[]")) +
                       ",\"logs\":{\"stdout\":" + list_of(outcome.out) + ",\"stderr\":" + list_of(outcome.err) + "}";
    if (!outcome.error_name.empty())
        json += ",\"error\":{\"name\":" + json_string(outcome.error_name) +
                ",\"value\":" + json_string(outcome.error_message) +
                ",\"traceback\":" + json_string(shortened(outcome.traceback)) + "}";
    return json + "}";
}

// {"status", "func_return", "stdout", "stderr"}, as of a tool's run: what went wrong stands on stderr.
std::string result_of(const CodeOutcome& outcome) {
    const bool failed = !outcome.error_name.empty();
    std::string err = outcome.err;
    if (failed)
        err += outcome.traceback.empty() ? outcome.error_name + ": " + outcome.error_message + "\n" : outcome.traceback;
    return std::string("{\"status\":") + (failed ? "\"error\"" : "\"success\"") +
           ",\"func_return\":" + (failed ? "null" : outcome.value_json) + ",\"stdout\":" + list_of(outcome.out) +
           ",\"stderr\":" + list_of(err) + "}";
}

awaitable<ToolResult> run_code(BuiltinContext& context, std::string json) {
    auto arguments = read_arguments<RunCodeArguments>("run_code", json);
    Code code;
    code.text = std::move(arguments.code);
    code.language = word_of(arguments.language);
    const std::vector<std::string> languages = context.code.languages();
    if (std::find(languages.begin(), languages.end(), code.language) == languages.end())
        throw ToolFailure("run_code: this server can't run '" + code.language + "'; it runs " + joined(languages));
    const CodeOutcome outcome = co_await context.code.run(std::move(code));
    ToolResult result;
    result.value = execution_of(outcome);
    co_return result;
}

awaitable<ToolResult> run_code_with_tools(BuiltinContext& context, std::string json) {
    auto arguments = read_arguments<CodeArguments>("run_code_with_tools", json);
    Code code;
    code.text = std::move(arguments.code);
    code.with_tools = true;
    const CodeOutcome outcome = co_await context.code.run(std::move(code));
    ToolResult result;
    result.value = result_of(outcome);
    co_return result;
}

constexpr BuiltinTool table[] = {
    {"run_code", "letta_builtin",
     "Runs a program and shows what it prints and the value of its last line. Nothing is kept from one run to the "
     "next.",
     [](const char* name, const char* description) {
         return tool_schema<RunCodeArguments>(
             name, description, {{"code", "The program, whole."}, {"language", "What it is written in."}});
     },
     true, Effect::outside, run_code},
    {"run_code_with_tools", "letta_builtin",
     "Runs a Python program in which your other tools are functions, to be called by their names and with their "
     "parameters. Good for many calls, or for work on what they give back. Returns what it prints and the value of its "
     "last line.",
     [](const char* name, const char* description) {
         return tool_schema<CodeArguments>(name, description, {{"code", "The program, in Python."}});
     },
     false, Effect::outside, run_code_with_tools},
};

}  // namespace

std::span<const BuiltinTool> code_tools() { return table; }

}  // namespace stele::tools
