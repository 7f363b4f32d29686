// Tavily: POST /search, key as a bearer token. docs.tavily.com/documentation/api-reference
#include "tools/web/search_parts.hpp"

#include <algorithm>

namespace stele::tools::web {
namespace {

namespace json = boost::json;

constexpr std::size_t results_max = 20;

json::array texts(const std::vector<std::string>& list) {
    json::array made;
    for (const std::string& each : list) made.emplace_back(each);
    return made;
}

net::ClientRequest search(const SearchAccess& access, const SearchQuery& query, std::size_t) {
    SearchQuery words = query;
    words.include_domains.clear();
    words.exclude_domains.clear();
    const bool finance = query.category == "financial report";
    json::object body{{"query", finance ? query.query : worded(words)},
                      {"max_results", std::min(query.results, results_max)}};
    body["topic"] = query.category == "news" ? "news" : finance ? "finance" : "general";
    body["include_raw_content"] = query.include_text;
    if (!query.include_domains.empty()) body["include_domains"] = texts(query.include_domains);
    if (!query.exclude_domains.empty()) body["exclude_domains"] = texts(query.exclude_domains);
    if (!query.from_date.empty()) body["start_date"] = query.from_date;
    if (!query.until_date.empty()) body["end_date"] = query.until_date;
    net::ClientRequest request = post_request(access, "/search", body);
    request.headers.add("Authorization", "Bearer " + access.key.reveal());
    return request;
}

std::optional<std::vector<SearchResult>> read(std::string_view text) {
    const auto body = read_object(text);
    if (!body || !body->contains("results")) return std::nullopt;
    return results_of(list_at(*body, "results"), "published_date", "author",
                      [](const json::object& object, SearchResult& result) {
                          result.text = text_at(object, "raw_content");
                          if (auto piece = text_at(object, "content")) result.highlights.push_back(std::move(*piece));
                      });
}

}  // namespace

const SearchProvider tavily{"tavily", "Tavily", "TAVILY_API_KEY", "https://api.tavily.com", results_max, 1, "",
                            search,   read};

}  // namespace stele::tools::web
