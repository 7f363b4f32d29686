// The runs that the talks of groups are.
#include "base/log.hpp"
#include "runtime/group_talk.hpp"
#include "runtime/run_failure.hpp"
#include "storage/identity_repository.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>

namespace stele::runtime {

namespace asio = boost::asio;
using asio::awaitable;

awaitable<std::shared_ptr<RunLog>> Runtime::start_talk(TurnRequest request, std::string group_id) {
    if (stopping_) throw Error(ErrorCode::unavailable, "The server is shutting down");
    auto group = co_await services_.groups.find(request.organization_id, group_id);
    if (!group) throw not_found("Group", group_id);
    const bool led = group->manager_type != ManagerType::round_robin;
    if (!led && group->agent_ids.empty()) throw refused("The group has no members who could answer");
    request.agent_id = led ? *group->manager_agent_id : group->agent_ids.front();
    if (approval_of(request.body) != nullptr)
        throw refused("messages: an approval goes to the agent that waits for it, not to its group");
    static_cast<void>(input_messages(request.body, request.agent_id));  // refuses what says nothing
    request.background = false;
    co_await name_identity(request);
    const auto executor = co_await asio::this_coro::executor;
    request.control = std::make_shared<RunControl>(executor);
    Run run = new_run(request);
    run.status = RunStatus::running;
    auto run_log = std::make_shared<RunLog>(run);
    storage::Transaction transaction;
    services_.runs.save(transaction, request.organization_id, run);
    if (!request.identity_id.empty()) services_.identities.note_run(transaction, request.identity_id, run.id);
    if (request.idempotency_key)
        services_.idempotency.keep(transaction, request.organization_id, *request.idempotency_key, 200,
                                   "run:" + run.id);
    co_await services_.database.commit(std::move(transaction));
    {
        const std::lock_guard lock(mutex_);
        active_.emplace(run.id, Active{run_log, request.control, request.organization_id});
    }
    asio::co_spawn(executor, carry_out_talk(run_log, std::move(request), std::move(*group)), asio::detached);
    co_return run_log;
}

// What is said to an agent whose memory others look after is said in their group.
awaitable<void> Runtime::join_own_group(TurnRequest& request, const LoadedAgent& loaded) {
    if (request.group || !loaded.agent.enable_sleeptime.value_or(false)) co_return;
    const std::vector<Group> groups = co_await services_.groups.managed_by(request.agent_id);
    for (const Group& group : groups)
        if (works_asleep(group) && !request.group) request.group.emplace().id = group.id;
}

awaitable<void> Runtime::carry_out_talk(std::shared_ptr<RunLog> run_log, TurnRequest request, Group group) {
    const auto began = std::chrono::steady_clock::now();
    RunEnd end;
    std::optional<Error> failure;
    Lease lease;
    try {
        auto waiting = leases_.acquire(lease_key(group.id, std::string()));
        lease = co_await request.control->interruptible(std::move(waiting));
        GroupTalk talk(services_, request, group, *run_log);
        auto talking = talk.carry_out();
        end = co_await request.control->interruptible(std::move(talking));
    } catch (const Error& error) {
        failure = error;
    } catch (const std::exception& error) {
        log::error("run.broke", {{"run_id", run_log->run_id()}, {"group_id", group.id}, {"why", error.what()}});
        failure = Error(ErrorCode::internal, "The run failed on an internal error");
    }
    if (!failure && end.failure) failure = end.failure;
    Run run = run_log->run();
    if (failure) end.reason = stop_reason_of(*failure);
    end.failure = failure && failure->code != ErrorCode::cancelled ? failure : std::nullopt;
    run.stop_reason = end.reason;
    run.status = status_of(end.reason);
    run.completed_at = run.updated_at = now();
    run.total_duration_ns =
        std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - began).count();
    run.step_count = end.usage.step_count;
    if (end.failure) run.metadata.text = run_metadata(request.run_type, end.failure->what(), request.identity_id);
    run_log->update(run);
    try {
        co_await save_begun(request.organization_id, run);
    } catch (const Error& unrecorded) {
        log::error("run.end_not_recorded", {{"run_id", run.id}, {"why", unrecorded.what()}});
    }
    lease.release();
    forget(run.id);
    run_log->end(std::move(end));
}

}  // namespace stele::runtime
