#include "base/json_text.hpp"
#include "storage/message_repository.hpp"
#include "tools/archival_memory.hpp"
#include "tools/builtin/arguments.hpp"
#include "tools/builtin/message_hits.hpp"
#include "tools/builtin/tables.hpp"

#include <algorithm>

// The tools of agents that talk by voice, and of those that look after their memory.
namespace stele::tools {
namespace {

using boost::asio::awaitable;

constexpr char person_block[] = "human";
constexpr std::int64_t results_max = 20;
constexpr std::size_t stored_bytes_max = 4u << 20;  // of one call: its ranges may be the same lines many times

Timestamp minutes_before(Timestamp now, std::int64_t minutes, const char* argument) {
    constexpr std::int64_t minutes_max = 100LL * 366 * 24 * 60;
    if (minutes < 0 || minutes > minutes_max)
        throw ToolFailure(std::string("search_memory: ") + argument + " must lie between 0 and " +
                          std::to_string(minutes_max));
    return now - std::chrono::minutes(minutes);
}

awaitable<ToolResult> run_search(BuiltinContext& context, std::string json) {
    const auto arguments = read_arguments<SearchMemoryArguments>("search_memory", json);
    storage::MessageSearchQuery query;
    query.agent_id = context.agent.id;
    if (arguments.convo_keyword_queries)
        for (const std::string& words : *arguments.convo_keyword_queries) query.text += words + "\n";
    if (arguments.start_minutes_ago)
        query.from = minutes_before(context.now, *arguments.start_minutes_ago, "start_minutes_ago");
    if (arguments.end_minutes_ago)
        query.until = minutes_before(context.now, *arguments.end_minutes_ago, "end_minutes_ago");
    query.limit = results_max;
    const bool ranked = query.text.find_first_not_of(" \t\r\n") != std::string::npos;
    const std::vector<storage::MessageSearchHit> hits = co_await context.messages.search(std::move(query));
    co_return message_hits(hits, ranked, context.agent.timezone.value_or("UTC"), context.now);
}

// The numbered lines ("0 user: hello") of what the runtime has shown a partner; a line may have line feeds of its own.
std::vector<std::string> lines_shown(const std::string& text) {
    std::vector<std::string> lines;
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        const std::string number = std::to_string(lines.size()) + ' ';
        const std::string_view line = std::string_view(text).substr(begin, end - begin);
        if (line.starts_with(number + "user: ") || line.starts_with(number + "assistant: "))
            lines.emplace_back(line.substr(number.size()));
        else if (!lines.empty())
            lines.back() += '\n' + std::string(line);
        begin = end + 1;
    }
    return lines;
}

awaitable<ToolResult> run_store(BuiltinContext& context, std::string json) {
    const auto arguments = read_arguments<StoreMemoriesArguments>("store_memories", json);
    storage::MessageSearchQuery newest;
    newest.agent_id = context.agent.id;
    newest.roles = {"user"};
    newest.limit = 1;
    const std::vector<storage::MessageSearchHit> shown = co_await context.messages.search(std::move(newest));
    const std::vector<std::string> lines =
        shown.empty() ? std::vector<std::string>() : lines_shown(text_of(shown.front().message));
    const auto count = static_cast<std::int64_t>(lines.size());
    std::vector<std::string> texts;
    std::size_t bytes = 0;
    for (const TranscriptRange& range : arguments.chunks) {
        if (range.start_index < 0 || range.end_index < range.start_index || range.end_index >= count)
            throw ToolFailure("store_memories: lines " + std::to_string(range.start_index) + " to " +
                              std::to_string(range.end_index) + " are not there; you were shown " +
                              std::to_string(count) + ", numbered from 0");
        std::string& text = texts.emplace_back(range.context);
        for (std::int64_t i = range.start_index; i <= range.end_index; ++i) {
            const std::string& line = lines[static_cast<std::size_t>(i)];
            if ((bytes += line.size()) > stored_bytes_max)
                throw ToolFailure("store_memories: these are more than " + std::to_string(stored_bytes_max) +
                                  " bytes in all. Store fewer lines at once");
            text += (text.empty() ? "" : "\n") + line;
        }
    }
    if (texts.empty()) throw ToolFailure("store_memories: chunks is empty; there is nothing to store");
    const std::size_t stored = texts.size();
    co_await context.archive.insert_for_main(context.agent, context.actor, std::move(texts));
    ToolResult result;
    result.value = "Stored " + std::to_string(stored) + (stored == 1 ? " memory" : " memories");
    co_return result;
}

awaitable<ToolResult> run_rethink(BuiltinContext& context, std::string json) {
    auto arguments = read_arguments<RethinkUserArguments>("rethink_user_memory", json);
    context.memory.set_value(person_block, std::move(arguments.new_memory));
    ToolResult result;
    result.value = context.memory.get(person_block).value;
    co_return result;
}

awaitable<ToolResult> run_finish(BuiltinContext&, std::string json) {
    read_arguments<NoArguments>("finish_rethinking_memory", json);
    ToolResult result;
    result.value = "The memory is in order";
    co_return result;
}

constexpr BuiltinTool table[] = {
    {"search_memory", "letta_voice_sleeptime_core",
     "Looks up what was said earlier in the conversation and is not in view any more, best match first.",
     [](const char* name, const char* description) {
         return tool_schema<SearchMemoryArguments>(
             name, description,
             {{"convo_keyword_queries", "Words to look for, in any order. Left out: the newest messages."},
              {"start_minutes_ago", "Only what was said at most this many minutes ago."},
              {"end_minutes_ago", "Only what was said at least this many minutes ago."}});
     },
     true, Effect::none, run_search},
    {"store_memories", "letta_voice_sleeptime_core",
     "Keeps parts of the conversation that you were shown for good, where the agent finds them again by search.",
     [](const char* name, const char* description) {
         return tool_schema<StoreMemoriesArguments>(
             name, description,
             {{"chunks",
               "Ranges of the numbered lines: start_index and end_index (both included), and as context a sentence "
               "that tells what the part is about."}});
     },
     false, Effect::outside, run_store},
    {"rethink_user_memory", "letta_voice_sleeptime_core",
     "Writes the block about the person anew: the new text replaces all of the old one.",
     [](const char* name, const char* description) {
         return tool_schema<RethinkUserArguments>(
             name, description,
             {{"new_memory", "The whole new text of the block: what was there and stays true, and what is new."}});
     },
     false, Effect::memory, run_rethink},
    {"finish_rethinking_memory", "letta_voice_sleeptime_core", "Tells that the memory is in order and ends the turn.",
     [](const char* name, const char* description) { return tool_schema<NoArguments>(name, description, {}); }, false,
     Effect::none, run_finish},
};

}  // namespace

std::span<const BuiltinTool> voice_tools() { return table; }

}  // namespace stele::tools
