#include "runtime/compaction_plan.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

namespace stele::runtime {
namespace {

constexpr double trigger_part = 0.9;     // of the window
constexpr double estimate_margin = 1.3;  // estimates that no provider has confirmed are taken for too low
constexpr double more_each_time = 0.1;

// An answer with all of its calls: a request for approval is the rest of the one before it.
bool begins_tail(std::span<const Message> messages, std::size_t i) {
    const Message& message = messages[i];
    if (message.role == MessageRole::assistant) return true;
    if (message.role != MessageRole::approval || message.tool_calls.empty()) return false;
    const Message& before = messages[i - 1];
    return before.role != MessageRole::assistant || !message.step_id || before.step_id != message.step_id;
}

// Where the request for approval begins that nobody has answered yet; the number of messages if there is none.
std::size_t pending_request(std::span<const Message> messages) {
    const std::size_t count = messages.size();
    if (count == 0 || messages.back().role != MessageRole::approval || messages.back().tool_calls.empty()) return count;
    std::size_t begin = count - 1;
    // The calls of the same answer that need no approval wait with it.
    while (begin > 1 && messages[begin - 1].role == MessageRole::assistant &&
           messages[begin - 1].step_id == messages.back().step_id)
        --begin;
    return begin;
}

// The beginning of the tail nearest to `wanted` and not behind it; nothing if no answer stands there.
std::optional<std::size_t> tail_at(std::span<const Message> messages, std::size_t wanted) {
    // One message less would be one summary more: the tail begins behind two of them at least.
    for (std::size_t i = std::min(wanted, messages.size() - 1); i > 2; --i)
        if (begins_tail(messages, i)) return i;
    return std::nullopt;
}

double tokens_without(const CompactionInput& input, std::size_t tail) {
    const auto first = input.tokens.begin();
    const std::int64_t kept = input.tokens.front() + std::accumulate(first + static_cast<std::ptrdiff_t>(tail),
                                                                     input.tokens.end(), std::int64_t{0});
    return static_cast<double>(kept) * estimate_margin;
}

bool fits(const CompactionInput& input, std::size_t tail) {
    constexpr std::size_t before_tail = 2;  // the system message and the summary
    return !input.messages_max ||
           static_cast<std::int64_t>(before_tail + input.messages.size() - tail) <= *input.messages_max;
}

}  // namespace

Eviction plan_eviction(const CompactionInput& input) {
    const std::size_t count = input.messages.size();
    Eviction all;
    all.end = std::max(all.begin, pending_request(input.messages));
    if (count <= 1) return Eviction{1, 1};
    if (!input.keeps_tail) return all;

    const double room = (1 - input.sliding_window_percentage) * static_cast<double>(input.context_window);
    for (double part = input.sliding_window_percentage; part < 1; part += more_each_time) {
        const auto wanted = static_cast<std::size_t>(std::lround(part * static_cast<double>(count)));
        const auto tail = tail_at(input.messages, std::min(wanted, all.end));
        if (tail && tokens_without(input, *tail) < room && fits(input, *tail)) return Eviction{1, *tail};
    }
    return all;
}

bool keeps_tail(const CompactionSettings& settings) {
    return settings.mode == "sliding_window" || settings.mode == "self_compact_sliding_window";
}

bool compacts_itself(const CompactionSettings& settings) { return settings.mode.starts_with("self_compact_"); }

bool needs_compaction(std::int64_t used, std::int64_t context_window) {
    return static_cast<double>(used) > std::floor(trigger_part * static_cast<double>(context_window));
}

}  // namespace stele::runtime
