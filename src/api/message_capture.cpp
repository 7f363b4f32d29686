#include "runtime/message_capture.hpp"

#include "api/terminal_services.hpp"
#include "api/tool_caller.hpp"

namespace stele::api {
namespace {

awaitable<Response> capture(Services& services, const Request& request) {
    runtime::CaptureTask task;
    task.agent_id = request.path_id("agent_id", "agent");
    auto body = decode<CaptureMessagesRequest>(request.body());
    task.organization_id = request.organization_id;
    task.user_id = request.user_id;
    task.request_id = request.request_id;
    task.conversation_id = body.conversation_id.value_or("");
    if (task.conversation_id == "default") task.conversation_id.clear();
    task.provider = std::move(body.provider);
    task.model = std::move(body.model);
    std::string messages = "[";
    for (const Json& message : body.request_messages) messages += (messages.size() > 1 ? "," : "") + message.text;
    task.turn = llm::read_foreign_turn(messages + "]", body.response_dict.text);
    will_wait(services, request, task.agent_id, task.conversation_id);
    const CapturedMessages captured = co_await services.terminal.capture.capture(std::move(task));
    co_return answer(captured);
}

}  // namespace

std::span<const Route> message_capture_routes() {
    static constexpr Route routes[] = {
        {Method::post, "/v1/agents/{agent_id}/messages/capture", capture, "agents.messages.capture",
         "CaptureMessagesRequest", "CapturedMessages"},
    };
    return routes;
}

}  // namespace stele::api
