#include "tools/builtin/message_hits.hpp"

#include "base/json_text.hpp"
#include "base/time_zone.hpp"

#include <algorithm>

namespace stele::tools {
namespace {

std::string time_ago(Timestamp then, Timestamp now) {
    const auto seconds =
        std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::seconds>(now - then).count());
    if (seconds < 60) return std::to_string(seconds) + "s ago";
    if (seconds < 3600) return std::to_string(seconds / 60) + "m ago";
    if (seconds < 86400) return std::to_string(seconds / 3600) + "h ago";
    return std::to_string(seconds / 86400) + "d ago";
}

}  // namespace

ToolResult message_hits(const std::vector<storage::MessageSearchHit>& hits, bool ranked, const std::string& timezone,
                        Timestamp now) {
    const std::string relevance = ranked ? R"(,"relevance":{"search_mode":"fts"})" : "";
    std::string results;
    for (const storage::MessageSearchHit& hit : hits) {
        if (!results.empty()) results += ',';
        results += "{\"timestamp\":\"" + to_iso8601(hit.message.created_at, timezone) +
                   "\",\"time_ago\":" + json_string(time_ago(hit.message.created_at, now)) +
                   ",\"role\":" + json_string(to_string(hit.message.role)) + relevance +
                   ",\"content\":" + json_string(spoken_text(hit.message)) + "}";
    }
    const std::string count =
        hits.empty() ? "No messages match" : "Showing " + std::to_string(hits.size()) + " results:";
    ToolResult result;
    result.is_object = true;
    result.value = "{\"message\":" + json_string(count) + ",\"results\":[" + results + "]}";
    return result;
}

}  // namespace stele::tools
