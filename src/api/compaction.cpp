#include "domain/compaction.hpp"
#include "api/tool_caller.hpp"
#include "runtime/runtime.hpp"

namespace stele::api {
namespace {

awaitable<Response> compact(Services& services, const Request& request) {
    const std::string agent_id = request.path_id("agent_id", "agent");
    auto body = decode_optional<CompactionRequest>(request);
    body.messages_max = request.query.integer("max_message_length");
    if (body.messages_max && *body.messages_max < 1)
        throw invalid_field("query.max_message_length", "must be at least 1");
    will_wait(services, request, agent_id);
    const CompactionResponse done = co_await services.runtime.compact(request.organization_id, request.user_id,
                                                                      agent_id, std::string(), std::move(body));
    co_return answer(done);
}

awaitable<Response> undo(Services& services, const Request& request) {
    const std::string agent_id = request.path_id("agent_id", "agent");
    will_wait(services, request, agent_id);
    const CompactionResponse done =
        co_await services.runtime.undo_compaction(request.organization_id, agent_id, std::string());
    co_return answer(done);
}

}  // namespace

std::span<const Route> compaction_routes() {
    static constexpr Route routes[] = {
        {Method::post, "/v1/agents/{agent_id}/summarize", compact, "agents.messages.compact", "CompactionRequest?",
         "CompactionResponse", "max_message_length:integer"},
        {Method::post, "/v1/agents/{agent_id}/compact", compact, "agents.messages.compact_alias", "CompactionRequest?",
         "CompactionResponse"},
        {Method::post, "/v1/agents/{agent_id}/compact/undo", undo, "agents.messages.undo_compaction", "",
         "CompactionResponse"},
    };
    return routes;
}

}  // namespace stele::api
