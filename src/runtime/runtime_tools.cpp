// A tool of an agent, run by hand.
#include "base/json_text.hpp"
#include "runtime/memory_changes.hpp"
#include "runtime/runtime.hpp"

#include <boost/asio/this_coro.hpp>

#include <algorithm>

namespace stele::runtime {
namespace {

using boost::asio::awaitable;

constexpr int attempts_max = 8;  // of the commit: others may write the same blocks

const Tool& tool_named(const LoadedAgent& loaded, const std::string& name) {
    const auto found =
        std::find_if(loaded.tools.begin(), loaded.tools.end(), [&](const Tool& tool) { return tool.name == name; });
    if (found == loaded.tools.end())
        throw Error(ErrorCode::not_found, "Agent " + loaded.agent.id + " has no tool '" + name + "'");
    if (runs_on_client(*found))
        throw refused("The tool '" + name + "' has no source: the client that talks to the agent runs it");
    return *found;
}

// What the tool gave back, as the wire has it: a failure says why on stderr alone.
ToolExecutionResult result_of(const MessageToolReturn& made) {
    ToolExecutionResult result;
    result.status = made.status;
    if (made.status == "error")
        result.stderr_ = std::vector<std::string>{made.value};
    else
        result.func_return.text = made.is_object ? made.value : json_string(made.value);
    return result;
}

ToolExecutionResult result_of(const CustomToolReturn& made) {
    ToolExecutionResult result;
    result.status = made.status;
    result.stdout_ = made.out;
    result.stderr_ = made.err;
    result.func_return.text = made.cut ? json_string(made.text) : made.value_json;
    result.sandbox_config_fingerprint = made.fingerprint;
    return result;
}

TurnRequest nobodys_request(std::string organization_id, std::string user_id, std::string agent_id) {
    TurnRequest request;
    request.organization_id = std::move(organization_id);
    request.user_id = std::move(user_id);
    request.agent_id = std::move(agent_id);
    return request;
}

}  // namespace

awaitable<ToolExecutionResult> Runtime::run_tool(HandRun wanted) {
    std::optional<LoadedAgent> found =
        co_await load_agent(services_.database, wanted.organization_id, wanted.agent_id, {});
    if (!found) throw not_found("Agent", wanted.agent_id);
    LoadedAgent& loaded = *found;
    const Tool tool = tool_named(loaded, wanted.tool_name);
    if (wanted.args.is_null()) wanted.args.text = "{}";
    TurnRequest request = nobodys_request(wanted.organization_id, wanted.user_id, wanted.agent_id);
    request.control = std::make_shared<RunControl>(co_await boost::asio::this_coro::executor);
    AgentMessenger others(services_, request, wanted.origin.waiting);
    const ToolRunner runner(services_, request.organization_id, request.user_id, loaded, others, wanted.origin);

    tools::WorkingMemory memory(loaded.blocks);
    memory.edit_as(tool.name);
    std::vector<PreparedCall> calls(1);
    CustomToolReturn made;
    CustomToolReturn returned;  // before its changes of memory were kept
    if (is_custom(tool)) {
        CustomToolCall call;
        call.organization_id = wanted.organization_id;
        call.user_id = wanted.user_id;
        call.origin = wanted.origin;
        call.tool = tool;
        call.arguments_json = wanted.args.text;
        call.agent = state_for_tools(loaded.agent, loaded.blocks);
        returned = co_await services_.custom_tools.run(std::move(call));
        made = returned;
        keep_blocks(made, memory);
    } else {
        calls.front().id = "null";
        calls.front().tool = tool.name;
        calls.front().arguments_json = wanted.args.text;
        co_await runner.run(calls, memory);
    }
    BlockOrigin origin;
    origin.user_id = wanted.user_id;
    for (int attempt = 1; memory.dirty(); ++attempt) {
        storage::Transaction transaction;
        add_memory(transaction, services_, loaded, memory, origin);
        std::optional<Error> conflict;
        try {
            co_await services_.database.commit(std::move(transaction));
            break;
        } catch (const Error& error) {
            if (error.code != ErrorCode::conflict || attempt == attempts_max) throw;
            conflict = error;
        }
        // Another writer was faster with one of the blocks: the edits are made anew on top of theirs.
        const bool there = co_await reload_settings(services_.database, loaded);
        if (!there) throw not_found("Agent", wanted.agent_id);
        memory = tools::WorkingMemory(loaded.blocks);
        memory.edit_as(tool.name);
        if (is_custom(tool)) {
            made = returned;
            keep_blocks(made, memory);
        } else {
            co_await runner.rerun_edits(calls, memory);
        }
    }
    co_return is_custom(tool) ? result_of(made) : result_of(calls.front().result);
}

}  // namespace stele::runtime
