#include "api/run_cancel.hpp"

#include "api/run_answer.hpp"
#include "base/json_text.hpp"

namespace stele::api {
namespace {

awaitable<Response> cancel(Services& services, const Request& request) {
    const std::string agent_id = request.path_id("agent_id", "agent");
    auto body = decode_optional<CancelRequest>(request);
    const bool there = co_await services.agents.exists(request.organization_id, agent_id);
    if (!there) throw not_found("Agent", agent_id);

    std::vector<std::string> run_ids;
    if (body.run_ids) {
        run_ids = std::move(*body.run_ids);
    } else {
        for (const Run& run : services.runtime.active())
            if (run.agent_id == agent_id && !run.completed_at) run_ids.push_back(run.id);
    }
    if (run_ids.empty()) throw Error(ErrorCode::conflict, "No active runs found to cancel");

    const TextMap outcome = co_await cancel_runs(services, request.organization_id, agent_id, std::move(run_ids));
    std::string json = "{";
    for (const auto& [id, word] : outcome)
        json += (json.size() > 1 ? "," : "") + json_string(id) + ":" + json_string(word);
    co_return json_answer(json + "}");
}

}  // namespace

awaitable<TextMap> cancel_runs(Services& services, std::string organization_id, std::string agent_id,
                               std::vector<std::string> run_ids) {
    for (const std::string& id : run_ids) {
        const Run run = co_await find_run(services, organization_id, id);
        if (run.agent_id != agent_id) throw not_found("Run", id);
    }
    TextMap outcome;
    // The newest first: those that wait end before the one they wait for, and none of them gets to begin.
    for (const std::string& id : run_ids) {
        const bool ended = co_await services.runtime.cancel(id);
        std::string word = "failed";
        if (ended) {
            const Run run = co_await find_run(services, organization_id, id);
            word = to_string(run.status);
        }
        outcome.emplace_back(id, std::move(word));
    }
    co_return outcome;
}

std::span<const Route> run_cancel_routes() {
    static constexpr Route routes[] = {
        {Method::post, "/v1/agents/{agent_id}/messages/cancel", cancel, "agents.messages.cancel", "CancelRequest?",
         "texts"},
    };
    return routes;
}

}  // namespace stele::api
