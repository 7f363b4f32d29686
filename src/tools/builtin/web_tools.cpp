// The tools with which agents look into the web.
#include "base/time.hpp"
#include "tools/builtin/arguments.hpp"
#include "tools/builtin/tables.hpp"
#include "tools/web/web_access.hpp"

#include <algorithm>

namespace stele::tools {
namespace {

using boost::asio::awaitable;

constexpr std::int64_t results_default = 10, results_max = 100;
constexpr std::size_t query_bytes_max = 2'000, domains_max = 100;

constexpr char categories_json[] =
    R"(["company","research paper","news","pdf","github","tweet","personal site","linkedin profile","financial report"])";

[[noreturn]] void refuse(const std::string& why) { throw ToolFailure("web_search: " + why); }

// "2026-01-31" of any date that means one.
std::string day_of(const std::optional<std::string>& text, const char* argument) {
    if (!text || text->empty()) return {};
    const auto time = parse_iso8601(*text);
    if (!time) refuse(std::string(argument) + " '" + text->substr(0, 50) + "' is no ISO 8601 date, such as 2026-01-31");
    return to_iso8601(*time).substr(0, 10);
}

std::vector<std::string> domains_of(const std::optional<std::vector<std::string>>& list, const char* argument) {
    if (!list) return {};
    if (list->size() > domains_max) refuse(std::string(argument) + " may hold 100 domains at most");
    for (const std::string& domain : *list) {
        const bool plain = !domain.empty() && domain.size() <= 253 &&
                           std::all_of(domain.begin(), domain.end(),
                                       [](char c) { return c > ' ' && c != '"' && c != '(' && c != ')' && c != 0x7f; });
        if (!plain) refuse(std::string(argument) + " may hold domains alone, such as example.org");
    }
    return *list;
}

web::SearchQuery query_of(WebSearchArguments arguments) {
    web::SearchQuery query;
    if (arguments.query.find_first_not_of(" \t\r\n") == std::string::npos) refuse("the query is empty");
    if (arguments.query.size() > query_bytes_max) refuse("the query is longer than 2000 bytes");
    query.results = static_cast<std::size_t>(
        std::clamp(arguments.num_results.value_or(results_default), std::int64_t{1}, results_max));
    query.category = arguments.category.value_or("");
    if (!query.category.empty() &&
        std::string_view(categories_json).find('"' + query.category + '"') == std::string_view::npos)
        refuse("category must be one of " + std::string(categories_json));
    query.include_text = arguments.include_text.value_or(false);
    query.include_domains = domains_of(arguments.include_domains, "include_domains");
    query.exclude_domains = domains_of(arguments.exclude_domains, "exclude_domains");
    query.from_date = day_of(arguments.start_published_date, "start_published_date");
    query.until_date = day_of(arguments.end_published_date, "end_published_date");
    query.country = arguments.user_location.value_or("");
    const bool letters = std::all_of(query.country.begin(), query.country.end(),
                                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); });
    if (!query.country.empty() && (query.country.size() != 2 || !letters))
        refuse("user_location must be a country of two letters, such as US");
    query.query = std::move(arguments.query);
    return query;
}

awaitable<ToolResult> run_search(BuiltinContext& context, std::string json) {
    auto arguments = read_arguments<WebSearchArguments>("web_search", json);
    web::SearchQuery query = query_of(std::move(arguments));
    ToolResult result;
    result.value = co_await context.web.search(context.agent.id, std::move(query));
    co_return result;
}

awaitable<ToolResult> run_fetch(BuiltinContext& context, std::string json) {
    auto arguments = read_arguments<FetchArguments>("fetch_webpage", json);
    ToolResult result;
    result.value = co_await context.web.fetch(context.agent.id, std::move(arguments.url));
    co_return result;
}

constexpr BuiltinTool table[] = {
    {"fetch_webpage", "letta_builtin",
     "Fetches a web page and returns what it says as Markdown. Text and JSON come as they are. Scripts are not run.",
     [](const char* name, const char* description) {
         return tool_schema<FetchArguments>(name, description, {{"url", "The page's address, http or https."}});
     },
     true, Effect::outside, run_fetch},
    {"web_search", "letta_builtin",
     "Searches the web. Returns JSON with the results, best first: title, url, date of publication and author where "
     "they "
     "are known, pieces of the page that fit the query, with include_text its whole text. Use it for what happens now "
     "and for facts that you are not sure of; fetch_webpage reads a result in full.",
     [](const char* name, const char* description) {
         return tool_schema<WebSearchArguments>(
             name, description,
             {{"query", "What to look for, in plain words."},
              {"num_results", "How many results to return: 1 to 100, 10 when left out."},
              {"category", "Only results of this kind.", categories_json},
              {"include_text",
               "Return the whole text of each page too. Long; leave it out to get the pieces that matter."},
              {"include_domains", "Only results of these domains."},
              {"exclude_domains", "No results of these domains."},
              {"start_published_date", "Only what was published on this ISO 8601 date or later, e.g. 2026-01-31."},
              {"end_published_date", "Only what was published on this ISO 8601 date or earlier."},
              {"user_location", "Country of two letters for which results are wanted, e.g. US."}});
     },
     true, Effect::outside, run_search},
};

}  // namespace

std::span<const BuiltinTool> web_tools() { return table; }

}  // namespace stele::tools
