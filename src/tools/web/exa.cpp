// Exa: POST /search and POST /contents, key in x-api-key. docs.exa.ai/reference
#include "tools/web/search_parts.hpp"

namespace stele::tools::web {
namespace {

namespace json = boost::json;

json::array texts(const std::vector<std::string>& list) {
    json::array made;
    for (const std::string& each : list) made.emplace_back(each);
    return made;
}

net::ClientRequest search(const SearchAccess& access, const SearchQuery& query, std::size_t) {
    json::object contents;
    if (query.include_text) contents["text"] = true;
    contents["highlights"] = json::object();
    contents["summary"] = json::object();
    json::object body{{"query", query.query}, {"type", "auto"}, {"numResults", query.results}, {"contents", contents}};
    if (!query.category.empty()) body["category"] = query.category;
    if (!query.include_domains.empty()) body["includeDomains"] = texts(query.include_domains);
    if (!query.exclude_domains.empty()) body["excludeDomains"] = texts(query.exclude_domains);
    if (!query.from_date.empty()) body["startPublishedDate"] = query.from_date + "T00:00:00.000Z";
    if (!query.until_date.empty()) body["endPublishedDate"] = query.until_date + "T23:59:59.999Z";
    if (!query.country.empty()) body["userLocation"] = query.country;
    net::ClientRequest request = post_request(access, "/search", body);
    request.headers.add("x-api-key", access.key.reveal());
    return request;
}

std::optional<std::vector<SearchResult>> read(std::string_view text) {
    const auto body = read_object(text);
    if (!body || !body->contains("results")) return std::nullopt;
    return results_of(list_at(*body, "results"), "publishedDate", "author",
                      [](const json::object& object, SearchResult& result) {
                          result.text = text_at(object, "text");
                          result.summary = text_at(object, "summary");
                          for (const json::value& highlight : list_at(object, "highlights"))
                              if (highlight.is_string()) result.highlights.emplace_back(highlight.get_string());
                      });
}

}  // namespace

const SearchProvider exa{"exa", "Exa", "EXA_API_KEY", "https://api.exa.ai", 100, 1, "", search, read};

net::ClientRequest exa_contents_request(const SearchAccess& access, const std::string& url) {
    json::array urls;
    urls.emplace_back(url);
    const json::object body{{"urls", urls}, {"text", true}};
    net::ClientRequest request = post_request(access, "/contents", body);
    request.headers.add("x-api-key", access.key.reveal());
    return request;
}

std::optional<IndexedPage> read_exa_contents(std::string_view text) {
    const auto body = read_object(text);
    if (!body) return std::nullopt;
    for (const json::value& value : list_at(*body, "results")) {
        if (!value.is_object()) continue;
        const json::object& object = value.get_object();
        auto content = text_at(object, "text");
        if (!content) continue;
        IndexedPage page;
        page.title = text_at(object, "title").value_or("");
        page.text = std::move(*content);
        page.published_date = text_at(object, "publishedDate");
        page.author = text_at(object, "author");
        return page;
    }
    return std::nullopt;
}

}  // namespace stele::tools::web
