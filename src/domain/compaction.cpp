#include "domain/compaction.hpp"

#include "base/json_text.hpp"
#include "domain/json_mapping.hpp"

namespace stele {

std::string packaged_summary(const std::string& summary, bool all_before, std::size_t hidden,
                             const std::optional<CompactionStats>& stats, const std::string& time) {
    std::string note = all_before ? "Everything said before this point has left your view; it stays searchable."
                                  : "The " + std::to_string(hidden) +
                                        " messages before the next one have left your view; they stay searchable.";
    std::string text =
        "{\"type\":\"system_alert\",\"message\":" + json_string(note + " What they held:\n\n" + summary) +
        ",\"time\":" + json_string(time);
    if (stats) text += ",\"compaction_stats\":" + to_json(*stats);
    return text + "}";
}

std::string summary_of_package(const std::string& package) {
    const auto message = json_member_text(package, "message");
    if (!message) return package;
    const std::size_t gap = message->find("\n\n");
    return gap == std::string::npos ? *message : message->substr(gap + 2);
}

std::optional<std::string> stats_of_package(const std::string& package) {
    return json_member_text(package, "compaction_stats");
}

STELE_JSON(CompactionStats)
STELE_JSON_READ(CompactionRequest)
STELE_JSON_WRITTEN(CompactionResponse)

}  // namespace stele
