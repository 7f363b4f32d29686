#include "runtime/tool_runner.hpp"

#include "runtime/agent_code.hpp"
#include "runtime/return_limit.hpp"
#include "runtime/turn.hpp"
#include "tools/builtin/builtin.hpp"
#include "tools/mcp/client.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

namespace stele::runtime {
namespace {

namespace asio = boost::asio;
using asio::awaitable;

const Tool* find_tool(const LoadedAgent& loaded, const std::string& name) {
    const auto found =
        std::find_if(loaded.tools.begin(), loaded.tools.end(), [&](const Tool& tool) { return tool.name == name; });
    return found == loaded.tools.end() ? nullptr : &*found;
}

const tools::BuiltinTool* builtin_of(const Tool& tool) {
    return is_custom(tool) || tool.tool_type == "external_mcp" ? nullptr : tools::find_builtin(tool.name);
}

void fail(PreparedCall& call, std::string text) {
    call.made = true;
    call.result.tool_call_id = call.id;
    call.result.name = call.tool;
    call.result.status = "error";
    call.result.is_object = false;
    call.result.value = std::move(text);
}

// What a custom tool made of the agent's memory goes to `memory`, whole or not at all.
void keep(PreparedCall& call, tools::WorkingMemory& memory) {
    CustomToolReturn returned = *call.returned;
    memory.edit_as(call.tool);
    keep_blocks(returned, memory);
    fill_return(call.result, returned);
    call.made = true;
}

}  // namespace

bool ToolRunner::acts_outside(const PreparedCall& call) const {
    const Tool* tool = find_tool(loaded_, call.tool);
    if (tool == nullptr || !call.refusal.empty() || !call.arguments_json) return false;
    const tools::BuiltinTool* builtin = builtin_of(*tool);
    return builtin == nullptr || builtin->effect == tools::Effect::outside;
}

bool ToolRunner::may_run_beside_others(const PreparedCall& call) const {
    const Tool* tool = find_tool(loaded_, call.tool);
    return tool != nullptr && tool->enable_parallel_execution;
}

awaitable<void> ToolRunner::run(std::vector<PreparedCall>& calls, tools::WorkingMemory& memory) const {
    std::vector<PreparedCall*> beside, in_order;
    for (PreparedCall& call : calls) (may_run_beside_others(call) ? beside : in_order).push_back(&call);
    if (beside.size() > 1)
        co_await run_together(beside, memory);
    else
        in_order.insert(in_order.begin(), beside.begin(), beside.end());
    for (PreparedCall* call : in_order) co_await run_one(*call, memory);
}

// All of them end before this does, also when it is cancelled or one fails: they work on what their turn owns.
awaitable<void> ToolRunner::run_together(std::vector<PreparedCall*> calls, tools::WorkingMemory& memory) const {
    const auto executor = co_await asio::this_coro::executor;
    const auto begin = [&](PreparedCall* call) {
        return asio::co_spawn(executor, run_one(*call, memory), asio::deferred);
    };
    std::vector<decltype(begin(nullptr))> running;
    for (PreparedCall* call : calls) running.push_back(begin(call));
    auto group = asio::experimental::make_parallel_group(std::move(running));
    const auto [order, failures] = co_await group.async_wait(asio::experimental::wait_for_all(), asio::use_awaitable);
    for (const std::exception_ptr& failure : failures)
        if (failure) std::rethrow_exception(failure);
}

awaitable<void> ToolRunner::rerun_edits(std::vector<PreparedCall>& calls, tools::WorkingMemory& memory) const {
    for (PreparedCall& call : calls) {
        const tools::BuiltinTool* builtin = tools::find_builtin(call.tool);
        if (call.returned)
            keep(call, memory);
        else if (builtin != nullptr && builtin->effect == tools::Effect::memory)
            co_await run_one(call, memory);
    }
}

void ToolRunner::fail_edits(std::vector<PreparedCall>& calls, const std::string& why) {
    for (PreparedCall& call : calls) {
        const tools::BuiltinTool* builtin = tools::find_builtin(call.tool);
        const bool edits = call.returned ? !call.returned->block_changes.empty()
                                         : builtin != nullptr && builtin->effect == tools::Effect::memory;
        if (edits && call.result.status != "error") fail(call, "The edit could not be stored: " + why);
    }
}

void ToolRunner::fail_unmade(std::vector<PreparedCall>& calls, const std::string& why) {
    for (PreparedCall& call : calls)
        if (!call.made) fail(call, why);
}

awaitable<void> ToolRunner::run_one(PreparedCall& call, tools::WorkingMemory& memory) const {
    call.made = false;
    call.returned.reset();
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
    if (is_custom(*tool))
        co_await run_custom(call, *tool, memory);
    else if (tool->tool_type == "external_mcp")
        co_await run_external(call, *tool);
    else
        co_await run_builtin(call, *tool, memory);
}

awaitable<void> ToolRunner::run_builtin(PreparedCall& call, const Tool& tool, tools::WorkingMemory& memory) const {
    const tools::BuiltinTool* builtin = builtin_of(tool);
    if (builtin == nullptr) {
        fail(call, "The tool '" + call.tool + "' can't be run by this server: it is none of its built-in tools");
        co_return;
    }
    try {
        memory.edit_as(call.tool);
        AgentCode code(services_.custom_tools, services_.sandbox, loaded_, {organization_id_, actor_, origin_});
        AgentShelf shelf(services_.shelf, loaded_.agent);
        tools::BuiltinContext context{loaded_.agent, actor_, memory,        services_.messages, others_,
                                      code,          now(),  services_.web, services_.archive,  shelf};
        tools::ToolResult result = co_await builtin->run(context, *call.arguments_json);
        call.result.value = std::move(result.value);
        call.result.is_object = result.is_object;
        if (!builtin->whole) shorten(call.result, tool.return_char_limit);
        call.made = true;
    } catch (const tools::ToolFailure& failure) {
        fail(call, failure.what());
    } catch (const Error& error) {
        if (error.code != ErrorCode::invalid_argument) throw;
        fail(call, error.what());
    }
}

awaitable<void> ToolRunner::run_custom(PreparedCall& call, const Tool& tool, tools::WorkingMemory& memory) const {
    CustomToolCall wanted;
    wanted.organization_id = organization_id_;
    wanted.user_id = actor_;
    wanted.origin = origin_;
    wanted.tool = tool;
    wanted.arguments_json = *call.arguments_json;
    wanted.agent = state_for_tools(loaded_.agent, memory.blocks());
    call.returned = co_await services_.custom_tools.run(std::move(wanted));
    keep(call, memory);
}

awaitable<void> ToolRunner::run_external(PreparedCall& call, const Tool& tool) const {
    tools::mcp::Caller caller;
    caller.organization_id = organization_id_;
    caller.agent_id = loaded_.agent.id;
    tools::mcp::CallResult result = co_await services_.mcp.call(tool, *call.arguments_json, std::move(caller));
    call.result.status = result.ok ? "success" : "error";
    call.result.value = result.parts.empty() ? std::move(result.text) : plain_text(result.parts);
    if (!result.parts.empty()) call.result.parts = std::move(result.parts);
    shorten(call.result, tool.return_char_limit);
    call.made = true;
}

}  // namespace stele::runtime
