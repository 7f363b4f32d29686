#include "base/log.hpp"
#include "llm/token_estimate.hpp"
#include "runtime/compactor.hpp"
#include "runtime/turn.hpp"

#include <algorithm>
#include <utility>

// How a turn keeps its conversation within the model's window.
namespace stele::runtime {
namespace {

using boost::asio::awaitable;

// A ratio outside this range is no property of a tokenizer: the provider counts something else.
constexpr double ratio_min = 0.5;
constexpr double ratio_max = 4;

constexpr char post_step_trigger[] = "post_step_context_check";

}  // namespace

void Turn::note_context_size(const llm::ModelAnswer& answer) {
    const std::int64_t estimate = llm::estimated_request_tokens(answer.request_json);
    const std::int64_t input = answer.usage ? answer.usage->input.value_or(0) : 0;
    if (input <= 0) {  // not reported: some servers send zeros
        usage_.context_tokens = estimate + llm::estimated_tokens(answer.text);
        return;
    }
    usage_.context_tokens = answer.usage->total.value_or(input + answer.usage->output.value_or(0));
    if (estimate > 0)
        tokens_per_estimate_ =
            std::clamp(static_cast<double>(input) / static_cast<double>(estimate), ratio_min, ratio_max);
}

bool Turn::window_is_full() const {
    return needs_compaction(usage_.context_tokens.value_or(0), loaded_.agent.llm_config.context_window);
}

awaitable<void> Turn::compact_if_full() {
    if (window_is_full()) co_await compact(post_step_trigger, false);
}

// Behind the last step there is nothing left that a cancellation could end but the compaction itself.
awaitable<void> Turn::compact_afterwards() {
    try {
        co_await compact(post_step_trigger, false);
    } catch (const Error& error) {
        log::info("context.not_compacted", {{"run_id", run_.id}, {"why", error.what()}});
    }
}

// False if nothing could be taken out of the window. It never fails the turn, nor keeps its end from who waits for it:
// what can't be stored is left as it was. Throws by cancellation alone.
awaitable<bool> Turn::compact(std::string trigger, bool everything) {
    std::string why;
    try {
        co_return co_await try_to_compact(std::move(trigger), everything);
    } catch (const Error& error) {
        if (error.code == ErrorCode::cancelled) throw;
        why = error.what();
    } catch (const std::exception& error) {
        why = error.what();
    }
    log::warn("context.not_compacted", {{"run_id", run_.id}, {"agent_id", run_.agent_id}, {"why", why}});
    co_return false;
}

awaitable<bool> Turn::try_to_compact(std::string trigger, bool everything) {
    CompactionOrder order;
    order.settings = loaded_.agent.compaction_settings.value_or(CompactionSettings{});
    if (everything) order.settings.mode = "all";
    order.model = model_;
    order.handle = model_.info().handle;
    order.user_id = request_.user_id;
    order.run_id = run_.id;
    order.cause.emplace();
    order.cause->trigger = trigger;
    order.cause->context_tokens_before = usage_.context_tokens;
    order.tokens_per_estimate = tokens_per_estimate_;
    order.sender_marks = sender_marks_;
    auto writing = write_compaction(services_.catalogue, loaded_, std::move(order));
    auto compaction = co_await request_.control->interruptible(std::move(writing));
    if (!compaction) co_return false;

    LoadedAgent after = loaded_;
    co_await load_archive_facts(services_.database, after);
    apply_compaction(*compaction, after);
    storage::Transaction transaction;
    add_compaction(transaction, services_, request_.organization_id, *compaction, after);
    co_await services_.database.commit(std::move(transaction));
    loaded_ = std::move(after);
    usage_.context_tokens = compaction->stats.context_tokens_after;
    if (request_.body.include_compaction_messages) show_compaction(*compaction);
    co_return true;
}

void Turn::show_compaction(const Compaction& compaction) {
    const CompactionStats& stats = compaction.stats;
    EventMessage event;
    static_cast<MessageHead&>(event) = message_head(compaction.summary, "event_message");
    event.event_type = "compaction";
    event.event_data.text = "{\"trigger\":\"" + stats.trigger +
                            "\",\"context_token_estimate\":" + std::to_string(stats.context_tokens_before.value_or(0)) +
                            ",\"context_window\":" + std::to_string(stats.context_window.value_or(0)) + "}";
    log_->append(std::move(event));
    ViewOptions options = view_options();
    options.summaries = true;
    for (LettaMessage& view : expand(compaction.summary, options)) log_->append(std::move(view));
}

}  // namespace stele::runtime
