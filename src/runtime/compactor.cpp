#include "runtime/compactor.hpp"

#include "base/ids.hpp"
#include "base/log.hpp"
#include "llm/token_estimate.hpp"
#include "runtime/message_tokens.hpp"
#include "runtime/turn.hpp"

#include <algorithm>
#include <numeric>

namespace stele::runtime {
namespace {

using boost::asio::awaitable;

// A summary that fills more than about a quarter of the window would soon have to be summarised itself.
constexpr std::int64_t summary_characters_min = 1'000;

CompactionSettings bounded(CompactionSettings settings, std::int64_t context_window) {
    const std::int64_t most = std::max(summary_characters_min, context_window);
    settings.clip_chars = std::min(settings.clip_chars.value_or(most), most);
    return settings;
}

Message summary_message(const LoadedAgent& loaded, const CompactionOrder& order, const Message& last) {
    Message summary;
    summary.id = new_id("message");
    summary.agent_id = loaded.agent.id;
    summary.conversation_id = loaded.conversation_id;
    summary.role = MessageRole::summary;
    summary.run_id = order.run_id;
    summary.position = next_position();
    summary.context_position = last.context_position;
    summary.created_at = now();
    return summary;
}

}  // namespace

awaitable<std::optional<Compaction>> write_compaction(llm::Catalogue& catalogue, const LoadedAgent& loaded,
                                                      CompactionOrder order) {
    const std::int64_t window = loaded.agent.llm_config.context_window;
    std::vector<std::int64_t> tokens = estimated_message_tokens(loaded.messages);
    for (std::int64_t& each : tokens)
        each = static_cast<std::int64_t>(static_cast<double>(each) * order.tokens_per_estimate);

    CompactionInput input;
    input.messages = loaded.messages;
    input.tokens = tokens;
    input.context_window = window;
    input.keeps_tail = keeps_tail(order.settings);
    input.sliding_window_percentage = order.settings.sliding_window_percentage;
    input.messages_max = order.messages_max;
    Compaction made;
    made.eviction = plan_eviction(input);
    if (made.eviction.empty()) co_return std::nullopt;

    SummaryTask task;
    task.context.assign(loaded.messages.begin(),
                        loaded.messages.begin() + static_cast<std::ptrdiff_t>(made.eviction.end));
    write_marks(task.context, order.sender_marks);
    if (auto own = system_text_for_identity(loaded)) task.context.front().content = {text_part(std::move(*own))};
    task.settings = bounded(order.settings, window);
    task.own_model = order.model;
    task.own_handle = order.handle;
    task.turns.timezone = loaded.agent.timezone.value_or("UTC");
    task.turns.context_window = window;
    task.organization_id = loaded.agent.organization_id;
    task.user_id = order.user_id;
    Summary summary = co_await summarize(catalogue, std::move(task));

    const Message& last = loaded.messages[made.eviction.end - 1];
    made.first = loaded.messages[made.eviction.begin].context_position.value_or(0);
    made.last = last.context_position.value_or(0);
    made.messages_before = loaded.messages.size();
    made.messages_after = loaded.messages.size() - (made.eviction.end - made.eviction.begin) + 1;
    made.text = std::move(summary.text);
    made.written_by = std::move(summary.written_by);
    if (order.cause) made.stats = *order.cause;
    made.stats.context_window = window;
    made.stats.messages_count_before = static_cast<std::int64_t>(made.messages_before);
    made.stats.messages_count_after = static_cast<std::int64_t>(made.messages_after);
    tokens.erase(tokens.begin() + static_cast<std::ptrdiff_t>(made.eviction.begin),
                 tokens.begin() + static_cast<std::ptrdiff_t>(made.eviction.end));
    tokens.push_back(llm::estimated_tokens(made.text));
    made.stats.context_tokens_after = std::accumulate(tokens.begin(), tokens.end(), std::int64_t{0});

    made.summary = summary_message(loaded, order, last);
    made.summary.model = made.written_by;
    std::optional<CompactionStats> shown;
    if (order.cause) shown = made.stats;
    const bool all_before = made.eviction.end == loaded.messages.size();
    const std::string time = to_prompt_time(made.summary.created_at, loaded.agent.timezone.value_or("UTC"));
    made.summary.content.push_back(
        text_part(packaged_summary(made.text, all_before, made.eviction.end - made.eviction.begin, shown, time)));

    std::string failures;
    for (const std::string& failure : summary.failures) failures += (failures.empty() ? "" : "; ") + failure;
    log::info("context.compacted", {{"agent_id", loaded.agent.id},
                                    {"run_id", order.run_id.value_or("")},
                                    {"trigger", order.cause ? order.cause->trigger : std::string("request")},
                                    {"written_by", made.written_by},
                                    {"messages_before", made.messages_before},
                                    {"messages_after", made.messages_after},
                                    {"failures", failures}});
    co_return made;
}

void apply_compaction(const Compaction& compaction, LoadedAgent& loaded) {
    const auto first = loaded.messages.begin();
    const auto gone = loaded.messages.erase(first + static_cast<std::ptrdiff_t>(compaction.eviction.begin),
                                            first + static_cast<std::ptrdiff_t>(compaction.eviction.end));
    loaded.messages.insert(gone, compaction.summary);
    ++loaded.agent.message_count;
    if (Message* system = system_message_of(loaded.messages))
        system->content = {text_part(compile_system_prompt(prompt_input(loaded, now())))};
}

void add_compaction(storage::Transaction& transaction, const TurnServices& services, const std::string& organization_id,
                    const Compaction& compaction, const LoadedAgent& after) {
    services.messages.compact(transaction, organization_id, compaction.summary, compaction.first, compaction.last);
    if (!after.messages.empty() && after.messages.front().role == MessageRole::system)
        services.messages.rewrite_system(transaction, after.messages.front());
    services.agents.count_messages(transaction, after.agent.id, 1);
}

}  // namespace stele::runtime
