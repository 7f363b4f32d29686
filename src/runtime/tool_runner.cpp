#include "runtime/tool_runner.hpp"

#include "base/utf8.hpp"
#include "tools/builtin/builtin.hpp"

#include <algorithm>

namespace stele::runtime {
namespace {

using boost::asio::awaitable;

const Tool* find_tool(const LoadedAgent& loaded, const std::string& name) {
    const auto found =
        std::find_if(loaded.tools.begin(), loaded.tools.end(), [&](const Tool& tool) { return tool.name == name; });
    return found == loaded.tools.end() ? nullptr : &*found;
}

void fail(PreparedCall& call, std::string text) {
    call.result.status = "error";
    call.result.is_object = false;
    call.result.value = std::move(text);
}

void shorten(MessageToolReturn& result, std::int64_t limit_characters) {
    const std::size_t characters = code_points(result.value);
    const auto limit = static_cast<std::size_t>(std::max<std::int64_t>(1, limit_characters));
    if (characters <= limit) return;
    result.value.resize(first_code_points(result.value, limit).size());
    result.value +=
        "... [the return was cut: " + std::to_string(characters) + " > " + std::to_string(limit) + " characters]";
    result.is_object = false;  // half a JSON text is a text
}

}  // namespace

awaitable<void> ToolRunner::run(std::vector<PreparedCall>& calls, tools::WorkingMemory& memory) const {
    for (PreparedCall& call : calls) co_await run_one(call, memory);
}

awaitable<void> ToolRunner::rerun_edits(std::vector<PreparedCall>& calls, tools::WorkingMemory& memory) const {
    for (PreparedCall& call : calls) {
        const tools::BuiltinTool* builtin = tools::find_builtin(call.tool);
        if (builtin != nullptr && builtin->edits_memory) co_await run_one(call, memory);
    }
}

void ToolRunner::fail_edits(std::vector<PreparedCall>& calls, const std::string& why) {
    for (PreparedCall& call : calls) {
        const tools::BuiltinTool* builtin = tools::find_builtin(call.tool);
        if (builtin != nullptr && builtin->edits_memory && call.result.status != "error")
            fail(call, "The edit could not be stored: " + why);
    }
}

awaitable<void> ToolRunner::run_one(PreparedCall& call, tools::WorkingMemory& memory) const {
    call.result = MessageToolReturn{};
    call.result.tool_call_id = call.id;
    call.result.name = call.tool;
    if (!call.refusal.empty()) {
        fail(call, call.refusal);
        co_return;
    }
    const Tool* tool = find_tool(loaded_, call.tool);
    if (tool == nullptr) {  // gone since the call was looked at: somebody detached it
        fail(call, "The tool '" + call.tool + "' is no longer yours");
        co_return;
    }
    if (!call.arguments_json) {
        fail(call, "The arguments of this call are no JSON object. Nothing was done; call it again with valid JSON");
        co_return;
    }
    const tools::BuiltinTool* builtin = tool->tool_type == "custom" ? nullptr : tools::find_builtin(tool->name);
    if (builtin == nullptr) {
        fail(call, "The tool '" + call.tool + "' can't be run by this server: it runs built-in tools only");
        co_return;
    }
    try {
        tools::BuiltinContext context{loaded_.agent, actor_, memory, messages_, others_, now()};
        tools::ToolResult result = co_await builtin->run(context, *call.arguments_json);
        call.result.value = std::move(result.value);
        call.result.is_object = result.is_object;
        shorten(call.result, tool->return_char_limit);
    } catch (const tools::ToolFailure& failure) {
        fail(call, failure.what());
    } catch (const Error& error) {
        if (error.code != ErrorCode::invalid_argument) throw;
        fail(call, error.what());
    }
}

}  // namespace stele::runtime
