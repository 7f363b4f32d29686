// Tools that are run, looked for, read from source or written by a model: what makes or changes none.
#include "api/tool_caller.hpp"
#include "base/json_text.hpp"
#include "domain/message_view.hpp"
#include "runtime/custom_tool.hpp"
#include "runtime/runtime.hpp"
#include "runtime/tool_search.hpp"
#include "runtime/tool_service.hpp"
#include "runtime/tool_writer.hpp"
#include "storage/tool_repository.hpp"

#include <algorithm>

namespace stele::api {
namespace {

constexpr char no_id[] = "null";  // of a message and a call that exist in no conversation
constexpr std::int64_t candidates_a_page = 1'000, candidates_max = 5'000;

ToolReturnMessage message_of(const Tool& tool, const runtime::CustomToolReturn& made) {
    ToolReturnMessage message;
    message.id = no_id;
    message.date = to_iso8601_seconds(now());
    message.name = tool.name;
    message.message_type = "tool_return_message";
    message.first.tool_return = made.text;
    message.first.status = made.status;
    message.first.tool_call_id = no_id;
    message.first.stdout_ = made.out;
    message.first.stderr_ = made.err;
    message.tool_returns.push_back(message.first);
    return message;
}

awaitable<Response> run_from_source(Services& services, const Request& request) {
    auto body = decode<ToolRunFromSource>(request.body());
    runtime::CustomToolCall call;
    call.organization_id = request.organization_id;
    call.user_id = request.user_id;
    call.origin = origin_of(request);
    call.arguments_json = body.args.text;
    call.environment = body.env_vars.value_or({});
    call.tool = co_await services.tool_service.from_source(std::move(body));
    const Tool tool = call.tool;
    const runtime::CustomToolReturn made = co_await services.custom_tools.run(std::move(call));
    co_return answer(message_of(tool, made));
}

awaitable<Response> run_of_agent(Services& services, const Request& request) {
    const std::string agent_id = request.path_id("agent_id", "agent"), name = request.path("tool_name");
    auto body = decode_optional<ToolExecuteRequest>(request);
    runtime::HandRun wanted;
    wanted.organization_id = request.organization_id;
    wanted.user_id = request.user_id;
    wanted.agent_id = agent_id;
    wanted.tool_name = name;
    wanted.args = std::move(body.args);
    wanted.origin = origin_of(request);
    const ToolExecutionResult result = co_await services.runtime.run_tool(std::move(wanted));
    co_return answer(result);
}

// All tools that the filters leave, newest first.
awaitable<std::vector<Tool>> candidates(Services& services, const Request& request, storage::ToolFilter filter,
                                        std::vector<std::string> tags) {
    std::vector<Tool> found;
    storage::Page page;
    page.limit = candidates_a_page;
    for (std::int64_t seen = 0; seen < candidates_max; seen += candidates_a_page) {
        std::vector<Tool> some = co_await services.tools.list(request.organization_id, filter, page);
        const bool last = static_cast<std::int64_t>(some.size()) < candidates_a_page;
        if (!last) page.after = some.back().id;
        for (Tool& tool : some) {
            const bool tagged = tags.empty() || std::any_of(tags.begin(), tags.end(), [&](const std::string& tag) {
                                    return std::find(tool.tags.begin(), tool.tags.end(), tag) != tool.tags.end();
                                });
            if (tagged) found.push_back(std::move(tool));
        }
        if (last) break;
    }
    co_return found;
}

awaitable<Response> search(Services& services, const Request& request) {
    auto body = decode_optional<ToolSearchRequest>(request);
    storage::ToolFilter filter;
    filter.tool_types = body.tool_types.value_or({});
    std::vector<std::string> tags = body.tags.value_or({});
    std::vector<Tool> tools = co_await candidates(services, request, std::move(filter), std::move(tags));
    const std::vector<ToolSearchResult> results = co_await runtime::search_tools(std::move(tools), std::move(body));
    co_return answer(results);
}

awaitable<Response> generate_schema(Services& services, const Request& request) {
    auto body = decode<CodeInput>(request.body());
    std::string type = body.source_type.value_or("python");
    Json no_args;
    const Json schema =
        co_await services.tool_service.derive(std::move(body.code), std::move(type), std::move(no_args));
    co_return json_answer(schema.text);
}

awaitable<Response> generate_tool(Services& services, const Request& request) {
    auto body = decode<GenerateToolInput>(request.body());
    const GenerateToolOutput output =
        co_await services.tool_writer.write(request.organization_id, request.user_id, std::move(body));
    co_return answer(output);
}

// An integration that is gone: old clients ask what it offers.
awaitable<Response> no_composio(Services&, const Request&) { co_return json_answer("[]"); }

awaitable<Response> composio_is_gone(Services&, const Request& request) {
    throw Error(ErrorCode::gone, "Composio is no longer supported: add '" + request.path("composio_action_name") +
                                     "' as a tool with source, or through an MCP server");
    co_return Response();
}

}  // namespace

std::span<const Route> tool_run_routes() {
    static constexpr Route routes[] = {
        {Method::post, "/v1/tools/run", run_from_source, "tools.run_tool_from_source", "ToolRunFromSource",
         "ToolReturnMessage"},
        {Method::post, "/v1/tools/run-from-source", run_from_source, "tools.run_from_source_alias", "ToolRunFromSource",
         "ToolReturnMessage"},
        {Method::post, "/v1/agents/{agent_id}/tools/{tool_name}/run", run_of_agent, "agents.tools.run",
         "ToolExecuteRequest?", "ToolExecutionResult"},
        {Method::post, "/v1/tools/search", search, "tools.search", "ToolSearchRequest?", "ToolSearchResult[]"},
        {Method::post, "/v1/tools/generate-schema", generate_schema, "tools.generate_schema", "CodeInput", "object"},
        {Method::post, "/v1/tools/generate-tool", generate_tool, "tools.generate_tool", "GenerateToolInput",
         "GenerateToolOutput"},
        {Method::get, "/v1/tools/composio/apps", no_composio, "tools.list_composio_apps", "", "object[]"},
        {Method::get, "/v1/tools/composio/apps/{composio_app_name}/actions", no_composio,
         "tools.list_composio_actions_by_app", "", "object[]"},
        {Method::post, "/v1/tools/composio/{composio_action_name}", composio_is_gone, "tools.add_composio_tool", "",
         "Tool"},
    };
    return routes;
}

}  // namespace stele::api
