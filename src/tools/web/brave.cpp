// Brave Search: GET /res/v1/web/search, key in X-Subscription-Token. api-dashboard.search.brave.com/app/documentation
#include "tools/web/search_parts.hpp"

#include <algorithm>

namespace stele::tools::web {
namespace {

namespace json = boost::json;

constexpr std::size_t results_a_page = 20;  // `offset` counts pages

net::ClientRequest search(const SearchAccess& access, const SearchQuery& query, std::size_t page) {
    std::vector<std::pair<std::string, std::string>> parameters{
        {"q", worded(query)},
        {"count", std::to_string(std::min(query.results, results_a_page))},
        {"offset", std::to_string(page)},
        {"text_decorations", "false"},
        {"extra_snippets", "true"}};
    if (!query.country.empty()) parameters.emplace_back("country", query.country);
    if (!query.from_date.empty() || !query.until_date.empty())
        parameters.emplace_back("freshness", (query.from_date.empty() ? "1990-01-01" : query.from_date) + "to" +
                                                 (query.until_date.empty() ? "2099-12-31" : query.until_date));
    net::ClientRequest request =
        get_request(access, query.category == "news" ? "/res/v1/news/search" : "/res/v1/web/search", parameters);
    request.headers.add("X-Subscription-Token", access.key.reveal());
    return request;
}

std::optional<std::vector<SearchResult>> read(std::string_view text) {
    const auto body = read_object(text);
    if (!body || !body->contains("type")) return std::nullopt;
    const json::value* web = body->if_contains("web");  // absent where nothing was found; the news stand at the top
    const json::object& holder = web != nullptr && web->is_object() ? web->get_object() : *body;
    return results_of(list_at(holder, "results"), "page_age", "author",
                      [](const json::object& object, SearchResult& result) {
                          if (auto piece = text_at(object, "description"))
                              result.highlights.push_back(std::move(*piece));
                          for (const json::value& piece : list_at(object, "extra_snippets"))
                              if (piece.is_string()) result.highlights.emplace_back(piece.get_string());
                      });
}

}  // namespace

const SearchProvider brave{
    "brave", "Brave Search", "BRAVE_API_KEY", "https://api.search.brave.com", results_a_page, 5, "", search, read};

}  // namespace stele::tools::web
