#include "api/images.hpp"
#include "api/message_answer.hpp"
#include "base/json_text.hpp"
#include "domain/generation.hpp"
#include "runtime/runtime.hpp"

// An agent's system message and model, without a run.
namespace stele::api {
namespace {

awaitable<Response> recompile(Services& services, const Request& request) {
    const std::string agent_id = request.path_id("agent_id", "agent");
    const bool update_timestamp = request.query.flag("update_timestamp").value_or(false);
    const bool dry_run = request.query.flag("dry_run").value_or(false);
    const std::string text = co_await services.runtime.recompile(request.organization_id, agent_id, std::string(),
                                                                 update_timestamp, dry_run);
    co_return json_answer(json_string(text));
}

awaitable<Response> generate(Services& services, const Request& request) {
    const std::string agent_id = request.path_id("agent_id", "agent");
    auto body = decode<GenerateRequest>(request.body());
    const GenerateResponse made =
        co_await services.runtime.generate(request.organization_id, request.user_id, agent_id, std::move(body));
    co_return answer(made);
}

awaitable<Response> preview(Services& services, const Request& request) {
    MessageTarget target;
    target.agent_id = request.path_id("agent_id", "agent");
    auto body = decode<MessageRequest>(request.body());
    const bool stream = body.streaming.value_or(false);
    co_await bring_images(services, request, body);
    const auto prepared =
        co_await services.runtime.prepare(turn_of(request, std::move(target), std::move(body), stream));
    co_return json_answer(prepared.json);
}

}  // namespace

std::span<const Route> model_call_routes() {
    static constexpr Route routes[] = {
        {Method::post, "/v1/agents/{agent_id}/recompile", recompile, "agents.recompile", "", "string",
         "update_timestamp:boolean, dry_run:boolean"},
        {Method::post, "/v1/agents/{agent_id}/system-prompt/recompile", recompile, "agents.system_prompt.recompile", "",
         "string", "update_timestamp:boolean, dry_run:boolean"},
        {Method::post, "/v1/agents/{agent_id}/generate", generate, "agents.generate", "GenerateRequest",
         "GenerateResponse"},
        {Method::post, "/v1/agents/{agent_id}/messages/preview-raw-payload", preview, "agents.messages.preview",
         "MessageRequest", "application/json"},
    };
    return routes;
}

}  // namespace stele::api
