// How a run is ended from outside: one at work, and one that stopped to wait for an approval.
#include "base/log.hpp"
#include "runtime/approval.hpp"
#include "runtime/run_failure.hpp"
#include "runtime/runtime.hpp"

#include <boost/asio/this_coro.hpp>

namespace stele::runtime {
namespace {

namespace asio = boost::asio;
using asio::awaitable;

// How long a run may take to come to its end once it is cancelled: no more than a commit does.
constexpr std::chrono::seconds cancel_patience{10};

}  // namespace

void Runtime::cancel_soon(const std::string& run_id) {
    const std::lock_guard lock(mutex_);
    const auto found = active_.find(run_id);
    if (found == active_.end() || found->second.log->ended()) return;
    found->second.control->cancel();
    log::info("run.cancelled", {{"run_id", run_id}});
}

awaitable<bool> Runtime::cancel(std::string run_id) {
    std::shared_ptr<RunLog> run_log;
    {
        const std::lock_guard lock(mutex_);
        const auto found = active_.find(run_id);
        if (found != active_.end()) run_log = found->second.log;
    }
    if (!run_log || run_log->ended()) co_return true;
    cancel_soon(run_id);
    const auto until = std::chrono::steady_clock::now() + cancel_patience;
    RunReader reader(run_log, co_await asio::this_coro::executor);
    while (!run_log->ended()) {
        const auto left = until - std::chrono::steady_clock::now();
        if (left <= left.zero()) co_return false;
        co_await reader.read(std::chrono::ceil<std::chrono::milliseconds>(left));
    }
    co_return true;
}

awaitable<std::optional<std::string>> Runtime::cancel_waiting(std::string organization_id, std::string agent_id,
                                                              std::string conversation_id,
                                                              std::optional<std::string> only) {
    const std::optional<Lease> lease = leases_.try_acquire(lease_key(agent_id, conversation_id));
    if (!lease) co_return std::nullopt;  // whoever is at work there answers the request, or is cancelled itself
    const auto loaded = co_await load_agent(services_.database, organization_id, agent_id, conversation_id);
    const auto pending = loaded ? pending_approval(loaded->messages) : std::nullopt;
    if (!pending || !pending->request->run_id || (only && *only != *pending->request->run_id)) co_return std::nullopt;

    const std::vector<Message> closing = denial(*pending, user_cancelled);
    storage::Transaction transaction;
    services_.messages.insert(transaction, organization_id, closing);
    AgentLastRun last;
    last.last_run_completion = now();
    last.last_run_duration_ms = loaded->agent.last_run_duration_ms.value_or(0);
    last.last_stop_reason = StopReason::cancelled;
    services_.agents.finish_turn(transaction, agent_id, static_cast<std::int64_t>(closing.size()), last);
    auto run = co_await services_.runs.find(organization_id, *pending->request->run_id);
    if (run) {  // it may have been deleted
        run->stop_reason = StopReason::cancelled;
        run->status = status_of(*run->stop_reason);
        run->updated_at = last.last_run_completion;
        services_.runs.save(transaction, organization_id, *run);
    }
    co_await services_.database.commit(std::move(transaction));
    log::info("run.cancelled",
              {{"run_id", *pending->request->run_id}, {"calls_denied", closing.back().tool_returns.size()}});
    co_return pending->request->run_id;
}

}  // namespace stele::runtime
