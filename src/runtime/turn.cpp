#include "runtime/turn.hpp"

#include "base/ids.hpp"
#include "base/log.hpp"
#include "base/positions.hpp"
#include "runtime/initial_messages.hpp"
#include "runtime/memory_changes.hpp"
#include "runtime/turn_work.hpp"
#include "storage/identity_repository.hpp"

namespace stele::runtime {
namespace {

using boost::asio::awaitable;
using Clock = std::chrono::steady_clock;

// Somebody else may write an agent's blocks while its tools do; each time the edits are made anew on what is there.
constexpr int commit_attempts_max = 8;

// Behind everything that has been stored so far.
void place_behind_all(Message& message) {
    message.position = next_position();
    message.context_position = message.position;
}

}  // namespace

Turn::Turn(const TurnServices& services, TurnRequest request, std::shared_ptr<RunLog> log, Lease lease,
           LoadedAgent loaded, TurnInput input, llm::ResolvedModel model)
    : services_(services),
      request_(std::move(request)),
      others_(services_, request_),
      log_(std::move(log)),
      lease_(std::move(lease)),
      loaded_(std::move(loaded)),
      input_(std::move(input.messages)),
      decision_(std::move(input.decision)),
      model_(std::move(model)),
      run_(log_->run()) {
    state_.speaks_in_text = speaks_in_text(loaded_.agent.agent_type);
    state_.rules = ToolRuleSet(rules_of_turn());
    state_.steps_left = request_.body.max_steps;
    // Agents that speak by tool know no client-side tools.
    if (state_.speaks_in_text && request_.body.client_tools.has_value() && !request_.body.client_tools->empty())
        client_tools_ = &*request_.body.client_tools;
    if (loaded_.agent.message_buffer_autoclear && !input.continues && loaded_.messages.size() > 1) {
        clear_context_but_ = loaded_.messages.front().id;
        loaded_.messages.resize(1);
    }
    const auto take = [&](Message& message) {
        message.run_id = run_.id;
        message.conversation_id = request_.conversation_id;
        if (request_.group) message.group_id = request_.group->id;
    };
    if (decision_) take(*decision_);
    for (Message& message : input_) {
        take(message);
        note_group_input(message.id);
    }
}

awaitable<void> Turn::carry_out() {
    std::optional<Error> failure;
    try {
        bool more = true;
        if (decision_) more = co_await carry_out_decision();
        while (more) more = co_await step();
    } catch (const Error& error) {
        failure = error;
    } catch (const std::exception& error) {
        log::error("run.broke", {{"request_id", request_.request_id},
                                 {"run_id", run_.id},
                                 {"agent_id", run_.agent_id},
                                 {"why", error.what()}});
        failure = Error(ErrorCode::internal, "The run failed on an internal error");
    }
    if (failure) co_await fail(*failure);  // a copy: whoever waits hears it too
    const bool ended_well = !failure && run_.stop_reason != StopReason::cancelled;
    if (ended_well) co_await wake_partners();
    const bool full = ended_well && window_is_full();
    if (full && request_.body.include_compaction_messages) co_await compact_afterwards();
    if (full && !request_.body.include_compaction_messages) {
        // The client need not wait for the summary; only the next request to this conversation does.
        tell(std::nullopt);
        co_await compact_afterwards();
        co_return;
    }
    lease_.release();  // before the client hears: its next request finds the agent free
    tell(std::move(failure));
}

awaitable<llm::ModelRequest> Turn::first_request() {
    StepWork work;
    co_await prepare(work);
    co_return make_request();
}

void Turn::tell(std::optional<Error> failure) {
    RunEnd end;
    end.reason = run_.stop_reason.value_or(StopReason::error);
    end.usage = usage_;
    if (failure && failure->code != ErrorCode::cancelled) end.failure = std::move(failure);
    log::info("run.ended", {{"request_id", request_.request_id},
                            {"run_id", run_.id},
                            {"agent_id", run_.agent_id},
                            {"status", to_string(run_.status)},
                            {"stop_reason", to_string(end.reason)},
                            {"steps", run_.step_count},
                            {"total_ms", static_cast<double>(nanoseconds(Clock::now() - began_)) / 1e6}});
    log_->end(std::move(end));
}

awaitable<bool> Turn::step() {
    StepWork work;
    present_step_id_ = work.step_id;
    --state_.steps_left;
    co_await prepare(work);
    co_await ask_model(work);

    ModelAnswered answered;
    answered.calls = work.answer.tool_calls.size();
    answered.truncated = work.answer.finish == llm::Finish::length;
    answered.waits = work.waits;
    work.action = next_action(state_, answered);
    if (const auto* run = std::get_if<RunTools>(&work.action)) co_await run_tools(work, run->calls);
    if (const auto* wait = std::get_if<AwaitApproval>(&work.action)) await_approval(work, wait->calls);

    co_await commit(work);
    show(work);
    if (std::holds_alternative<Stop>(work.action)) co_return false;
    co_await compact_if_full();
    co_return true;
}

// The first step works on what start() has loaded; later ones look again, since others may have edited meanwhile.
awaitable<void> Turn::prepare(StepWork& work) {
    work.times.started_ns = now_ns();
    if (committed_) {
        const bool there = co_await reload_settings(services_.database, loaded_);
        if (!there) throw not_found("Agent", request_.agent_id);
    }
    work.system_changed = co_await refresh_system_message(services_.database, loaded_);
    co_await learn_senders(services_, request_.organization_id, loaded_.messages, sender_marks_);
    co_await learn_senders(services_, request_.organization_id, input_, sender_marks_);
    take_tools();
    // Agents that speak by tool make one call an answer: a second one would be stored, and never made.
    state_.parallel_calls = state_.speaks_in_text && loaded_.agent.llm_config.parallel_tool_calls.value_or(false) &&
                            state_.rules.unconstrained();
    work.assistant = new_message(MessageRole::assistant, work.step_id);
}

Message Turn::new_message(MessageRole role, const std::string& step_id) const {
    Message message;
    message.id = new_id("message");
    message.agent_id = request_.agent_id;
    message.conversation_id = request_.conversation_id;
    message.role = role;
    message.run_id = run_.id;
    message.step_id = step_id;
    if (request_.group) message.group_id = request_.group->id;
    message.created_at = now();
    return message;
}

Message Turn::returns_of(const StepWork& work, std::vector<MessageToolReturn> returns) const {
    Message message = new_message(MessageRole::tool, work.step_id);
    if (!work.calls.empty() && work.part != StepWork::Part::calls) message.name = work.calls.front().tool;
    message.tool_returns = std::move(returns);
    return message;
}

// The input, what the model answered to it, and what its calls gave back.
void Turn::gather_answer(StepWork& work) {
    work.fresh.clear();
    if (work.part != StepWork::Part::returns) {
        work.fresh = input_;
        for (Message& message : work.fresh) message.step_id = work.step_id;
        const bool in_request = work.request && work.assistant.content.empty() && work.assistant.tool_calls.empty();
        if (!in_request) work.fresh.push_back(work.assistant);
        if (work.request) work.fresh.push_back(*work.request);
    }
    if (work.calls.empty() || work.part == StepWork::Part::calls) return;
    std::vector<MessageToolReturn> results;
    for (const PreparedCall& call : work.calls) results.push_back(call.result);
    work.fresh.push_back(returns_of(work, std::move(results)));
}

// All that the step stores, in order. May be called again after the tools were.
void Turn::gather_messages(StepWork& work) {
    if (work.settles)
        gather_decision(work);
    else
        gather_answer(work);
    if (const auto* ask = std::get_if<AskModel>(&work.action); ask != nullptr && !ask->heartbeat.empty()) {
        Message heartbeat = new_message(MessageRole::user, work.step_id);
        heartbeat.content.push_back(text_part(packaged_event(loaded_.agent, "heartbeat", "reason", ask->heartbeat)));
        work.fresh.push_back(std::move(heartbeat));
    }
    // What follows a decision is seen by the model in the next step, if there is one.
    if (work.settles && std::holds_alternative<Stop>(work.action))
        work.fresh.insert(work.fresh.end(), input_.begin(), input_.end());
    // Now, and not when the request came: a run in another conversation may have ended meanwhile, and whoever reads on
    // behind it would miss what came to stand before it.
    for (Message& message : work.fresh) place_behind_all(message);
}

void Turn::finish_run(StopReason reason) {
    run_.stop_reason = reason;
    run_.status = status_of(reason);
    run_.completed_at = run_.updated_at = now();
    run_.total_duration_ns = nanoseconds(Clock::now() - began_);
}

AgentLastRun Turn::last_run() const {
    AgentLastRun last;
    last.last_run_completion = run_.completed_at;
    last.last_run_duration_ms = run_.total_duration_ns.value_or(0) / 1'000'000;
    last.last_stop_reason = run_.stop_reason;
    return last;
}

// A step is one transaction: input, answer, returns, edited memory, context, usage, step and run.
storage::Transaction Turn::transaction_of(StepWork& work) {
    storage::Transaction transaction;
    const std::string& organization_id = request_.organization_id;
    if (work.system_changed) services_.messages.rewrite_system(transaction, loaded_.messages.front());
    if (clear_context_but_)
        services_.messages.evict_all_but(transaction, request_.agent_id, loaded_.conversation_id, *clear_context_but_);
    services_.messages.insert(transaction, organization_id, work.fresh);
    tell_group(transaction, work.fresh);
    if (work.memory && work.memory->dirty()) {
        BlockOrigin origin;
        origin.user_id = request_.user_id;
        origin.run_id = run_.id;
        add_memory(transaction, services_, loaded_, *work.memory, std::move(origin));
    }

    work.times.total_ns = nanoseconds(Clock::now() - work.began);
    storage::StepTrace trace;
    if (services_.keep_traces) {
        const auto kept = [&](std::string text) {
            if (text.size() <= services_.trace_bytes_max) return text;
            return "{\"left_out\":\"" + std::to_string(text.size()) + " bytes exceed the limit of a trace\"}";
        };
        trace.request_json = kept(work.answer.request_json);
        trace.response_json = kept(work.answer.response_json);
    }
    if (!work.settles) services_.runs.save_step(transaction, make_step(work), work.times, trace);
    services_.runs.save(transaction, organization_id, run_);
    if (!request_.identity_id.empty() && !committed_)
        services_.identities.note_run(transaction, request_.identity_id, run_.id);
    if (request_.idempotency_key && !committed_)
        services_.idempotency.keep(transaction, organization_id, *request_.idempotency_key, 200, "run:" + run_.id);
    const auto count = static_cast<std::int64_t>(work.fresh.size());
    if (run_.completed_at)
        services_.agents.finish_turn(transaction, request_.agent_id, count, last_run());
    else
        services_.agents.count_messages(transaction, request_.agent_id, count);
    if (loaded_.conversation)
        services_.conversations.note_messages(transaction, loaded_.conversation_id, now(), run_.completed_at);
    return transaction;
}

awaitable<void> Turn::commit(StepWork& work) {
    if (!work.settles && work.part != StepWork::Part::returns) ++run_.step_count;
    if (const auto* stop = std::get_if<Stop>(&work.action)) finish_run(stop->reason);
    for (int attempt = 1;; ++attempt) {
        gather_messages(work);
        storage::Transaction transaction = transaction_of(work);
        std::optional<Error> conflict;
        try {
            co_await services_.database.commit(std::move(transaction));
        } catch (const Error& error) {
            const bool edits = work.memory && work.memory->dirty();
            if (error.code != ErrorCode::conflict || !edits) {
                run_.completed_at.reset();
                throw;
            }
            conflict = error;
        }
        if (!conflict) break;
        // Another writer was faster with one of our blocks: take theirs and make our edits on top.
        const bool there = co_await reload_settings(services_.database, loaded_);
        if (!there) throw not_found("Agent", request_.agent_id);
        work.memory.emplace(loaded_.blocks);
        if (attempt == commit_attempts_max) {  // such as a label that another agent of a shared block has already
            ToolRunner::fail_edits(work.calls, conflict->what());
            continue;
        }
        const ToolRunner runner = tool_runner();
        co_await runner.rerun_edits(work.calls, *work.memory);
    }
    committed_ = true;
    if (!work.settles && work.part != StepWork::Part::calls) {
        add(usage_, make_step(work));
        note_context_size(work.answer);
    }
    for (Message& message : work.fresh) loaded_.messages.push_back(message);
    loaded_.agent.message_count += static_cast<std::int64_t>(work.fresh.size());
    if (!work.settles || std::holds_alternative<Stop>(work.action)) input_.clear();
    decision_.reset();
    clear_context_but_.reset();
    log_->update(run_);
    log::debug("step.committed", {{"request_id", request_.request_id},
                                  {"run_id", run_.id},
                                  {"step_id", work.step_id},
                                  {"agent_id", run_.agent_id},
                                  {"tools", work.calls.size()},
                                  {"model_ms", static_cast<double>(work.times.model_ns.value_or(0)) / 1e6}});
}

ViewOptions Turn::view_options() const {
    ViewOptions options;
    options.text_is_assistant_message = state_.speaks_in_text;
    options.use_assistant_message = !state_.speaks_in_text && request_.body.use_assistant_message;
    options.assistant_message_tool_name = request_.body.assistant_message_tool_name;
    options.assistant_message_tool_kwarg = request_.body.assistant_message_tool_kwarg;
    if (request_.body.include_return_message_types)
        options.include_types = &*request_.body.include_return_message_types;
    return options;
}

// Tells the log what has become true, leaving out what the token stream has shown already.
void Turn::show(const StepWork& work) {
    ViewOptions options = view_options();
    if (work.settles) options.use_assistant_message = false;  // the call was shown as what it is, so its return is too
    for (const Message& message : work.fresh) {
        const bool answer = message.id == work.assistant.id || is_approval_request(message);
        if (answer ? work.tokens_shown : message.role != MessageRole::tool) continue;
        for (LettaMessage& view : expand(message, options)) log_->append(std::move(view));
    }
}

}  // namespace stele::runtime
