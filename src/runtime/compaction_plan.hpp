#pragma once

#include "domain/message.hpp"
#include "domain/model_config.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

/// Which part of a full context window is replaced by a summary. Pure.
///
///     [system] [evicted ................] [kept tail .....]
///     [system] [summary                 ] [kept tail .....]
namespace stele::runtime {

/// Messages [begin, end) of the context leave it; what stands before (the system message) and behind them stays.
struct Eviction {
    std::size_t begin = 1;
    std::size_t end = 1;

    bool empty() const { return begin == end; }
    bool operator==(const Eviction&) const = default;
};

struct CompactionInput {
    std::span<const Message> messages;       ///< the context, the system message first
    std::span<const std::int64_t> tokens;    ///< of each of them, estimated
    std::int64_t context_window = 0;         ///< tokens
    bool keeps_tail = true;                  ///< the sliding modes; else everything behind the system message goes
    double sliding_window_percentage = 0.3;  ///< of the messages that go at least, in (0, 1]
    /// How many the window may hold afterwards at most, the system message and the summary included.
    std::optional<std::int64_t> messages_max{};
};

/// What has to go. A tail begins at an answer of the model, so a call is never parted from its return, and a request
/// for approval that nobody has answered always stays, with the answer it belongs to. The sliding modes evict their
/// percentage of the messages, and a tenth more until what is left fits into the rest of the window and into
/// `messages_max`. Empty when nothing can go: then the window holds nothing but the system message and what must stay.
Eviction plan_eviction(const CompactionInput& input);

/// True for the modes that keep a tail.
bool keeps_tail(const CompactionSettings& settings);

/// True for the modes in which the agent's own model writes the summary with the conversation before it.
bool compacts_itself(const CompactionSettings& settings);

/// True if a window of `context_window` tokens with `used` tokens has to be compacted before the next request.
bool needs_compaction(std::int64_t used, std::int64_t context_window);

}  // namespace stele::runtime
