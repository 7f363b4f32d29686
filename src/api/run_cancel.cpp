#include "api/run_cancel.hpp"

#include "api/conversation_place.hpp"
#include "api/run_answer.hpp"
#include "base/json_text.hpp"
#include "runtime/runtime.hpp"
#include "storage/agent_repository.hpp"

namespace stele::api {
namespace {

// One cancelled run after another; without ids those at work, else the one that waits for an approval.
awaitable<Response> cancel_in(Services& services, std::string organization_id, std::string agent_id,
                              std::optional<std::string> conversation_id,
                              std::optional<std::vector<std::string>> run_ids) {
    TextMap outcome;
    if (!run_ids) {
        run_ids.emplace();
        for (const Run& run : services.runtime.active_of(organization_id))
            if (run.agent_id == agent_id && !run.completed_at &&
                conversation_id.value_or(run.conversation_id.value_or("")) == run.conversation_id.value_or(""))
                run_ids->push_back(run.id);
        if (run_ids->empty()) {
            auto waiting = co_await services.runtime.cancel_waiting(organization_id, agent_id,
                                                                    conversation_id.value_or(""), std::nullopt);
            if (waiting) outcome.emplace_back(std::move(*waiting), to_string(RunStatus::cancelled));
        }
    }
    if (run_ids->empty() && outcome.empty()) throw Error(ErrorCode::conflict, "No active runs found to cancel");
    if (!run_ids->empty())
        outcome = co_await cancel_runs(services, organization_id, std::move(agent_id), std::move(*run_ids));
    std::string json = "{";
    for (const auto& [id, word] : outcome)
        json += (json.size() > 1 ? "," : "") + json_string(id) + ":" + json_string(word);
    co_return json_answer(json + "}");
}

awaitable<Response> cancel(Services& services, const Request& request) {
    const std::string agent_id = request.path_id("agent_id", "agent");
    auto body = decode_optional<CancelRequest>(request);
    const bool there = co_await services.agents.exists(request.organization_id, agent_id);
    if (!there) throw not_found("Agent", agent_id);
    co_return co_await cancel_in(services, request.organization_id, agent_id, std::nullopt, std::move(body.run_ids));
}

awaitable<Response> cancel_conversation(Services& services, const Request& request) {
    const ConversationPlace place = co_await conversation_place(services, request, std::nullopt);
    co_return co_await cancel_in(services, request.organization_id, place.agent_id, place.conversation_id,
                                 std::nullopt);
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
            Run run = co_await find_run(services, organization_id, id);
            // In a fork the same calls may have been cancelled before; in the run's own conversation they wait still.
            if (run.stop_reason == StopReason::requires_approval || run.stop_reason == StopReason::cancelled) {
                const auto denied = co_await services.runtime.cancel_waiting(organization_id, agent_id,
                                                                             run.conversation_id.value_or(""), id);
                if (denied) run.status = RunStatus::cancelled;
            }
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
        {Method::post, "/v1/conversations/{conversation_id}/cancel", cancel_conversation, "conversations.cancel", "",
         "texts", "agent_id"},
    };
    return routes;
}

}  // namespace stele::api
