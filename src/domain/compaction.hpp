#pragma once

#include "domain/model_config.hpp"

namespace stele {

/// Body of POST /v1/agents/{agent_id}/summarize and of its twins.
struct CompactionRequest {
    Patch<CompactionSettingsUpdate> compaction_settings;  ///< what is sent goes over the agent's own, for this time
    bool preview = false;                                 ///< answer what would be, and change nothing
    std::optional<std::int64_t> messages_max{};  ///< of the window afterwards; older clients' query, not described
};
BOOST_DESCRIBE_STRUCT(CompactionRequest, (), (compaction_settings, preview))

struct CompactionResponse {
    std::string summary;
    std::int64_t num_messages_before = 0;  ///< in the context window, the system message included
    std::int64_t num_messages_after = 0;
};
BOOST_DESCRIBE_STRUCT(CompactionResponse, (), (summary, num_messages_before, num_messages_after))

/// What a compaction did, for the summary's package and the event that clients see.
struct CompactionStats {
    std::string trigger;  ///< context_window_exceeded or post_step_context_check
    std::optional<std::int64_t> context_tokens_before;
    std::optional<std::int64_t> context_tokens_after;
    std::optional<std::int64_t> context_window;
    std::int64_t messages_count_before = 0;
    std::int64_t messages_count_after = 0;  ///< the summary included
};
BOOST_DESCRIBE_STRUCT(CompactionStats, (),
                      (trigger, context_tokens_before, context_tokens_after, context_window, messages_count_before,
                       messages_count_after))

/// The text of a summary message: a system_alert that tells how much is hidden, and the summary itself. `stats`
/// nothing: a compaction that was asked for by request. `time`: of the prompt, in the agent's time zone.
std::string packaged_summary(const std::string& summary, bool all_before, std::size_t hidden,
                             const std::optional<CompactionStats>& stats, const std::string& time);

/// The summary inside such a text; the text itself if it is none.
std::string summary_of_package(const std::string& package);

/// The `compaction_stats` member of such a text as JSON; nothing if it has none.
std::optional<std::string> stats_of_package(const std::string& package);

}  // namespace stele
