#include "runtime/runtime.hpp"

#include "base/ids.hpp"
#include "base/log.hpp"
#include "runtime/run_failure.hpp"
#include "runtime/run_recorder.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>

namespace stele::runtime {
namespace {

namespace asio = boost::asio;
using asio::awaitable;

std::string otid_key(const std::string& agent_id, const std::string& otid) { return agent_id + " " + otid; }

bool is_refused_when_busy(const TurnRequest& request, const Agent& agent) {
    for (const Patch<std::string>& said : {request.body.double_texting, agent.double_texting})
        if (said.has_value()) return *said == "reject";
    return request.refuse_if_busy;
}

Error busy_conversation(const std::string& run_id) {
    Error busy(ErrorCode::conflict, "CONVERSATION_BUSY: run " + run_id + " is at work in this conversation");
    busy.members.emplace_back("run_id", run_id);
    busy.retry_after = std::chrono::seconds(1);
    return busy;
}

}  // namespace

std::string lease_key(const std::string& agent_id, const std::string& conversation_id) {
    return conversation_id.empty() ? agent_id : conversation_id;
}

Run new_run(const TurnRequest& request) {
    Run run;
    run.id = request.run_id ? *request.run_id : new_id("run");
    run.status = RunStatus::created;
    run.created_at = now();
    run.updated_at = run.created_at;
    run.agent_id = request.agent_id;
    if (!request.conversation_id.empty()) run.conversation_id = request.conversation_id;
    run.background = request.background;
    run.metadata.text = run_metadata(request.run_type, {}, request.identity_id);
    RunRequestConfig& config = run.request_config.emplace();
    config.use_assistant_message = request.body.use_assistant_message;
    config.assistant_message_tool_name = request.body.assistant_message_tool_name;
    config.assistant_message_tool_kwarg = request.body.assistant_message_tool_kwarg;
    config.include_return_message_types = request.body.include_return_message_types;
    run.callback_url = request.body.callback_url;
    run.user_id = run.created_by_id = run.last_updated_by_id = request.user_id;
    return run;
}

awaitable<std::shared_ptr<RunLog>> Runtime::start(TurnRequest request) {
    if (stopping_) throw Error(ErrorCode::unavailable, "The server is shutting down");
    static_cast<void>(
        input_messages(request.body, request.agent_id));  // refuses what says nothing, before anything is begun
    co_await name_identity(request);
    const Run run = new_run(request);
    auto log = std::make_shared<RunLog>(run);
    const auto executor = co_await asio::this_coro::executor;
    request.control = std::make_shared<RunControl>(executor);
    if (auto same = remember(log, request)) co_return same;
    const std::string organization_id = request.organization_id;
    std::optional<Error> cancelled;
    try {
        co_await begin_or_queue(log, std::move(request), executor);
    } catch (const Error& error) {
        if (error.code != ErrorCode::cancelled) {
            forget(run.id);
            throw;
        }
        cancelled = error;
    } catch (...) {
        forget(run.id);
        throw;
    }
    if (cancelled) co_await end_unbegun(log, organization_id, std::move(*cancelled));
    if (log->background()) asio::co_spawn(executor, record(log), asio::detached);
    co_return log;
}

awaitable<void> Runtime::begin_or_queue(std::shared_ptr<RunLog> run_log, TurnRequest request,
                                        asio::any_io_executor executor) {
    const std::string key = lease_key(request.agent_id, request.conversation_id);
    std::optional<Lease> lease = leases_.try_acquire(key);
    if (!lease) {
        const auto agent = co_await services_.agents.find(request.organization_id, request.agent_id);
        if (!agent) throw not_found("Agent", request.agent_id);
        if (is_refused_when_busy(request, *agent)) refuse_if_at_work(request.organization_id, key, run_log->run_id());
        if (run_log->background()) co_await save_begun(request.organization_id, run_log->run());
        asio::co_spawn(executor, begin_when_free(std::move(run_log), std::move(request)), asio::detached);
        co_return;
    }
    LoadedAgent loaded = co_await load(request);
    co_await join_own_group(request, loaded);
    TurnInput input = co_await take_input(services_, request, loaded);
    co_await note_identity(request, loaded, *run_log);
    auto choosing = model_of(request.organization_id, request.body.override_model, loaded.agent.llm_config);
    llm::ResolvedModel model = co_await request.control->interruptible(std::move(choosing));
    if (run_log->background()) co_await save_begun(request.organization_id, run_log->run());
    auto turn = make_turn(run_log, std::move(request), std::move(model), std::move(loaded), std::move(input),
                          std::move(*lease));
    asio::co_spawn(executor, carry_out(std::move(run_log), std::move(turn)), asio::detached);
}

// Names the run that has been at work longest: the one that the new one would wait for. A lease without a run belongs
// to something short, such as the compaction behind a turn: that is waited for.
void Runtime::refuse_if_at_work(const std::string& organization_id, const std::string& key,
                                const std::string& own_run_id) const {
    const std::vector<Run> runs = active_of(organization_id);
    const auto blocking = std::find_if(runs.rbegin(), runs.rend(), [&](const Run& run) {
        return run.id != own_run_id && !run.completed_at &&
               lease_key(run.agent_id, run.conversation_id.value_or("")) == key;
    });
    if (blocking != runs.rend()) throw busy_conversation(blocking->id);
}

// The run that the request repeats, if that is at work; else the new one is entered.
std::shared_ptr<RunLog> Runtime::remember(const std::shared_ptr<RunLog>& run_log, const TurnRequest& request) {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> otids;
    // A run that was given its id is no repetition: whoever keeps that id knows.
    if (!request.run_id && request.body.messages.has_value())
        for (const InputMessage& message : *request.body.messages)
            if (message.otid.has_value()) otids.push_back(otid_key(request.agent_id, *message.otid));
    for (const std::string& otid : otids) {
        const auto same = run_of_otid_.find(otid);
        if (same == run_of_otid_.end()) continue;
        const auto found = active_.find(same->second);
        if (found != active_.end() && found->second.organization_id == request.organization_id)
            return found->second.log;
    }
    for (const std::string& otid : otids) run_of_otid_[otid] = run_log->run_id();
    active_.emplace(run_log->run_id(), Active{run_log, request.control, request.organization_id});
    return nullptr;
}

awaitable<LoadedAgent> Runtime::load(TurnRequest request) {
    RunIdentity identity(request.identity_id, services_.identity_rules);
    auto loaded = co_await load_agent(services_.database, request.organization_id, request.agent_id,
                                      request.conversation_id, std::move(identity));
    if (!loaded) throw not_found("Agent", request.agent_id);
    co_return std::move(*loaded);
}

awaitable<llm::ResolvedModel> Runtime::model_of(std::string organization_id, std::optional<std::string> override_model,
                                                LlmConfig config) {
    const std::string handle =
        override_model ? *override_model
                       : config.handle.value_or(config.provider_name.value_or("openai") + "/" + config.model);
    auto model = co_await services_.catalogue.resolve(std::move(organization_id), handle);
    if (!model)
        throw Error(ErrorCode::not_found, "The model '" + handle +
                                              "' is not available: no configured provider offers it. "
                                              "GET /v1/models lists what is there");
    co_return std::move(*model);
}

// On the heap: as parameters, what a turn works on would lie in the frames of several coroutines while the model
// thinks.
std::unique_ptr<Turn> Runtime::make_turn(const std::shared_ptr<RunLog>& run_log, TurnRequest request,
                                         llm::ResolvedModel model, LoadedAgent loaded, TurnInput input,
                                         Lease lease) const {
    Run run = run_log->run();
    run.status = RunStatus::running;
    run_log->update(run);
    return std::make_unique<Turn>(services_, std::move(request), run_log, std::move(lease), std::move(loaded),
                                  std::move(input), std::move(model));
}

awaitable<void> Runtime::carry_out(std::shared_ptr<RunLog> run_log, std::unique_ptr<Turn> turn) {
    co_await turn->carry_out();
    leave(*run_log);
    co_await turn->record_late();
}

awaitable<void> Runtime::begin_when_free(std::shared_ptr<RunLog> run_log, TurnRequest request) {
    std::optional<Error> refused;
    const std::string organization_id = request.organization_id;
    const std::shared_ptr<RunControl> control = request.control;
    try {
        auto waiting = leases_.acquire(lease_key(request.agent_id, request.conversation_id));
        Lease lease = co_await control->interruptible(std::move(waiting));
        LoadedAgent loaded = co_await load(request);
        co_await join_own_group(request, loaded);
        TurnInput input = co_await take_input(services_, request, loaded);
        co_await note_identity(request, loaded, *run_log);
        auto choosing = model_of(request.organization_id, request.body.override_model, loaded.agent.llm_config);
        llm::ResolvedModel model = co_await control->interruptible(std::move(choosing));
        auto turn = make_turn(run_log, std::move(request), std::move(model), std::move(loaded), std::move(input),
                              std::move(lease));
        co_await carry_out(run_log, std::move(turn));
    } catch (const Error& error) {
        refused = error;
    } catch (const std::exception& error) {
        log::error("run.not_begun", {{"run_id", run_log->run_id()}, {"why", error.what()}});
        refused = Error(ErrorCode::internal, "The run could not be begun");
    }
    if (refused) co_await end_unbegun(run_log, organization_id, std::move(*refused));
}

// A run that ends before its first step leaves nothing but its record; whoever waits for it hears why.
awaitable<void> Runtime::end_unbegun(std::shared_ptr<RunLog> run_log, std::string organization_id, Error error) {
    const bool cancelled = error.code == ErrorCode::cancelled;
    Run run = run_log->run();
    run.stop_reason = stop_reason_of(error);
    run.status = status_of(*run.stop_reason);
    run.completed_at = run.updated_at = now();
    if (!cancelled)
        run.metadata.text = run_metadata(json_member_text(run.metadata.text, "run_type").value_or(""), error.what(),
                                         json_member_text(run.metadata.text, "identity_id").value_or(""));
    storage::Transaction transaction;
    services_.runs.save(transaction, organization_id, run);
    try {
        co_await services_.database.commit(std::move(transaction));
    } catch (const Error& unrecorded) {
        log::error("run.end_not_recorded", {{"run_id", run.id}, {"why", unrecorded.what()}});
    }
    run_log->update(run);
    RunEnd end;
    end.reason = *run.stop_reason;
    if (!cancelled) end.failure = std::move(error);
    leave(*run_log);
    run_log->end(std::move(end));
}

std::shared_ptr<RunLog> Runtime::find(const std::string& organization_id, const std::string& run_id) const {
    const std::lock_guard lock(mutex_);
    const auto found = active_.find(run_id);
    const bool theirs = found != active_.end() && found->second.organization_id == organization_id;
    return theirs ? found->second.log : nullptr;
}

std::string Runtime::run_of_otid(const std::string& agent_id, const std::string& otid) const {
    const std::lock_guard lock(mutex_);
    const auto found = run_of_otid_.find(otid_key(agent_id, otid));
    return found == run_of_otid_.end() ? std::string() : found->second;
}

std::vector<Run> Runtime::active() const {
    return active_that([](const Active&) { return true; });
}

std::vector<Run> Runtime::active_of(const std::string& organization_id) const {
    return active_that([&](const Active& run) { return run.organization_id == organization_id; });
}

std::vector<Run> Runtime::active_that(const std::function<bool(const Active&)>& wanted) const {
    std::vector<std::shared_ptr<RunLog>> logs;
    {
        const std::lock_guard lock(mutex_);
        for (const auto& [id, run] : active_)
            if (wanted(run)) logs.push_back(run.log);
    }
    std::vector<Run> runs;
    for (const auto& log : logs) runs.push_back(log->run());
    std::sort(runs.begin(), runs.end(), [](const Run& a, const Run& b) { return a.created_at > b.created_at; });
    return runs;
}

// A background run is known from the moment it was asked for, and closed as failed if the server does not live to end
// it.
awaitable<void> Runtime::save_begun(std::string organization_id, Run run) {
    storage::Transaction transaction;
    services_.runs.save(transaction, organization_id, run);
    co_await services_.database.commit(std::move(transaction));
}

awaitable<void> Runtime::record(std::shared_ptr<RunLog> run_log) {
    co_await record_run(services_, run_log);
    forget(run_log->run_id());
}

// The log of a background run stays until all of it is in the store.
void Runtime::leave(const RunLog& run_log) {
    if (!run_log.background()) forget(run_log.run_id());
}

void Runtime::forget(const std::string& run_id) {
    const std::lock_guard lock(mutex_);
    active_.erase(run_id);
    std::erase_if(run_of_otid_, [&](const auto& entry) { return entry.second == run_id; });
}

awaitable<Lease> Runtime::lease(std::string agent_id, std::string conversation_id) {
    return leases_.acquire(lease_key(agent_id, conversation_id));
}

awaitable<std::vector<Lease>> Runtime::leases(const std::string& agent_id,
                                              const std::set<std::string>& conversation_ids) {
    std::vector<std::string> keys;
    for (const std::string& id : conversation_ids) keys.push_back(lease_key(agent_id, id));
    return leases_.acquire_all(std::move(keys));
}

awaitable<std::optional<LoadedAgent>> Runtime::load_refreshed(std::string organization_id, std::string agent_id,
                                                              std::string conversation_id) {
    auto loaded = co_await load_agent(services_.database, std::move(organization_id), std::move(agent_id),
                                      std::move(conversation_id));
    bool changed = false;
    if (loaded) changed = co_await refresh_system_message(services_.database, *loaded);
    if (changed) {
        storage::Transaction transaction;
        services_.messages.rewrite_system(transaction, loaded->messages.front());
        co_await services_.database.commit(std::move(transaction));
    }
    co_return loaded;
}

}  // namespace stele::runtime
