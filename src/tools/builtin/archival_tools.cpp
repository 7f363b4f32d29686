#include "base/json_text.hpp"
#include "tools/archival_memory.hpp"
#include "tools/builtin/arguments.hpp"
#include "tools/builtin/tables.hpp"

// The tools by which an agent keeps what its context has no room for.
namespace stele::tools {
namespace {

using boost::asio::awaitable;

awaitable<ToolResult> run_insert(BuiltinContext& context, std::string json) {
    auto arguments = read_arguments<ArchivalInsertArguments>("archival_memory_insert", json);
    std::vector<std::string> tags;
    if (arguments.tags) tags = std::move(*arguments.tags);
    co_await context.archive.insert(context.agent, context.actor, std::move(arguments.content), std::move(tags));
    ToolResult result;
    result.value = "None";
    co_return result;
}

awaitable<ToolResult> run_search(BuiltinContext& context, std::string json) {
    auto arguments = read_arguments<ArchivalSearchArguments>("archival_memory_search", json);
    ArchivalQuery query;
    query.text = std::move(arguments.query);
    if (arguments.tags) query.tags = std::move(*arguments.tags);
    if (arguments.tag_match_mode) query.tag_match_mode = *arguments.tag_match_mode;
    query.top_k = arguments.top_k;
    query.start_datetime = std::move(arguments.start_datetime);
    query.end_datetime = std::move(arguments.end_datetime);
    const std::vector<ArchivalMemorySearchResult> found =
        co_await context.archive.search(context.agent, std::move(query));
    ToolResult result;
    result.value = to_json_array(found);
    result.is_object = true;
    co_return result;
}

constexpr BuiltinTool table[] = {
    {"archival_memory_insert", "letta_core",
     "Keeps a text for good in your archival memory, which is out of your view and searched by "
     "archival_memory_search. Write one complete thought that will be understood by itself, long after this talk.",
     [](const char* name, const char* description) {
         return tool_schema<ArchivalInsertArguments>(
             name, description,
             {{"content", "What to keep. Any Unicode is fine."},
              {"tags", "Words under which it can be found again, such as [\"family\", \"2026\"]."}});
     },
     false, Effect::outside, run_insert},
    {"archival_memory_search", "letta_core",
     "Searches your archival memory by meaning and by words, the best match first. Gives a list of texts with their "
     "times and tags.",
     [](const char* name, const char* description) {
         return tool_schema<ArchivalSearchArguments>(
             name, description,
             {{"query", "What to look for, in words or as a whole sentence."},
              {"tags", "Only texts with these tags."},
              {"tag_match_mode", "any: one of the tags is enough (when left out); all: each has to be there.",
               "[\"any\",\"all\"]"},
              {"top_k", "Most results to give; 5 when left out."},
              {"start_datetime", "Only from this ISO 8601 date or time on, e.g. 2026-01-31 or 2026-01-31T10:20."},
              {"end_datetime", "Only up to this ISO 8601 date (its whole day) or time."}});
     },
     true, Effect::none, run_search, true},
};

}  // namespace

std::span<const BuiltinTool> archival_tools() { return table; }

}  // namespace stele::tools
