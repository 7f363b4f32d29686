#include "base/time_zone.hpp"
#include "storage/message_repository.hpp"
#include "tools/builtin/arguments.hpp"
#include "tools/builtin/message_hits.hpp"
#include "tools/builtin/tables.hpp"

#include <algorithm>

namespace stele::tools {
namespace {

using boost::asio::awaitable;

constexpr std::int64_t search_results_default = 5;
constexpr std::int64_t search_results_max = 100;

awaitable<ToolResult> run_send_message(BuiltinContext&, std::string json) {
    read_arguments<SendMessageArguments>("send_message", json);
    ToolResult result;
    result.value = "Sent message successfully.";
    co_return result;
}

// A bound of the search; a date alone means its whole day, a time without an offset is one of the agent's zone.
std::optional<Timestamp> bound(const std::optional<std::string>& text, const char* argument, bool end,
                               const std::string& timezone) {
    if (!text || text->empty()) return std::nullopt;
    const auto time = parse_iso8601(*text);
    if (!time)
        throw ToolFailure(std::string("conversation_search: ") + argument + " '" + *text +
                          "' is no ISO 8601 date, such as 2026-01-31 or 2026-01-31T10:20");
    constexpr std::size_t date_characters = 10;
    if (text->find_first_of("Zz+-", date_characters) != std::string::npos) return time;
    const bool whole_day = end && text->size() <= date_characters;
    if (!whole_day) return from_clock(*time, timezone);
    return from_clock(*time + std::chrono::hours(24), timezone) - std::chrono::microseconds(1);
}

awaitable<ToolResult> run_conversation_search(BuiltinContext& context, std::string json) {
    const auto arguments = read_arguments<ConversationSearchArguments>("conversation_search", json);
    storage::MessageSearchQuery query;
    query.agent_id = context.agent.id;
    query.text = arguments.query.value_or("");
    const bool query_is_blank = query.text.find_first_not_of(" \t\r\n") == std::string::npos;
    if (arguments.roles) {
        for (const std::string& role : *arguments.roles)
            if (role != "user" && role != "assistant" && role != "tool")
                throw ToolFailure("conversation_search: roles may hold user, assistant, tool; not '" + role + "'");
        query.roles = *arguments.roles;
    }
    const std::string timezone = context.agent.timezone.value_or("UTC");
    query.from = bound(arguments.start_date, "start_date", false, timezone);
    query.until = bound(arguments.end_date, "end_date", true, timezone);
    query.limit = std::clamp<std::int64_t>(arguments.limit.value_or(search_results_default), 1, search_results_max);

    const std::vector<storage::MessageSearchHit> hits = co_await context.messages.search(std::move(query));
    co_return message_hits(hits, !query_is_blank, timezone, context.now);
}

constexpr BuiltinTool table[] = {
    {"send_message", "letta_core", "Sends a message to the person you talk with. Nothing else you write is seen.",
     [](const char* name, const char* description) {
         return tool_schema<SendMessageArguments>(name, description,
                                                  {{"message", "What to say. Any Unicode is fine."}});
     },
     false, Effect::none, run_send_message},
    {"conversation_search", "letta_core",
     "Searches everything that was ever said in your conversations, also what left your context long ago. Words are "
     "matched in any order, best match first; without a query the newest messages are shown.",
     [](const char* name, const char* description) {
         return tool_schema<ConversationSearchArguments>(
             name, description,
             {{"query", "Words to look for. Left out: no text filter."},
              {"roles", "Only messages of these roles: user, assistant, tool."},
              {"limit", "Most results to show; 5 when left out."},
              {"start_date", "Only from this ISO 8601 date or time on, e.g. 2026-01-31."},
              {"end_date", "Only up to this ISO 8601 date (its whole day) or time."}});
     },
     true, Effect::none, run_conversation_search, true},
};

}  // namespace

std::span<const BuiltinTool> conversation_tools() { return table; }

}  // namespace stele::tools
