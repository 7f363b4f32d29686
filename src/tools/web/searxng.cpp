// SearXNG: GET /search with format=json, no key. docs.searxng.org/dev/search_api.html
#include "tools/web/search_parts.hpp"

namespace stele::tools::web {
namespace {

namespace json = boost::json;

net::ClientRequest search(const SearchAccess& access, const SearchQuery& query, std::size_t page) {
    std::vector<std::pair<std::string, std::string>> parameters{{"q", worded(query)}, {"format", "json"}};
    if (query.category == "news") parameters.emplace_back("categories", "news");
    if (page > 0) parameters.emplace_back("pageno", std::to_string(page + 1));
    return get_request(access, "/search", parameters);
}

std::optional<std::vector<SearchResult>> read(std::string_view text) {
    const auto body = read_object(text);
    if (!body || !body->contains("results")) return std::nullopt;
    return results_of(list_at(*body, "results"), "publishedDate", "author",
                      [](const json::object& object, SearchResult& result) {
                          if (auto piece = text_at(object, "content")) result.highlights.push_back(std::move(*piece));
                      });
}

}  // namespace

const SearchProvider searxng{
    "searxng", "SearXNG", "", "", 10, 5, "its settings.yml must list json under search.formats", search, read};

}  // namespace stele::tools::web
