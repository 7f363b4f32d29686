#pragma once

#include "base/secret.hpp"
#include "net/client.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Searching the web, in the tongue of each service. All of it pure; web_access sends what is made here.
namespace stele::tools::web {

struct SearchQuery {
    std::string query;
    std::size_t results = 10;
    std::string category;  ///< or empty
    bool include_text = false;
    std::vector<std::string> include_domains, exclude_domains;
    std::string from_date, until_date;  ///< "2026-01-31", or empty
    std::string country;                ///< two letters, or empty
};

struct SearchResult {
    std::string title, url;
    std::optional<std::string> published_date, author;
    std::optional<std::string> text;      ///< of the page
    std::vector<std::string> highlights;  ///< pieces of it that fit the query
    std::optional<std::string> summary;
};

/// Where a service is, and the key to it.
struct SearchAccess {
    std::string base_url;  ///< without a slash at its end
    Secret key;
};

/// One service and its wire format.
struct SearchProvider {
    const char* name;
    const char* title;           ///< as people call it
    const char* key_variable;    ///< of the environment and of agents' secrets; empty: it needs none
    const char* default_url;     ///< empty: somebody has to say where it is
    std::size_t results_a_page;  ///< most that one request gives
    std::size_t pages_max;
    const char* refusal_advice;  ///< what a status of 403 means there, or empty
    net::ClientRequest (*request)(const SearchAccess& access, const SearchQuery& query, std::size_t page);
    /// `body`: of an answer with status 200. Nothing if it is not what the service answers.
    std::optional<std::vector<SearchResult>> (*read)(std::string_view body);
};

/// In the order in which they are looked for.
std::span<const SearchProvider> search_providers();

/// Null for an unknown name.
const SearchProvider* find_search_provider(std::string_view name);

// One a file. Sources: the services' API references as of 2025-11.
extern const SearchProvider exa, tavily, brave, searxng;

/// A page's content from Exa's index (POST /contents), and what it answers; nothing if it has none.
struct IndexedPage {
    std::string title, text;
    std::optional<std::string> published_date, author;
};
net::ClientRequest exa_contents_request(const SearchAccess& access, const std::string& url);
std::optional<IndexedPage> read_exa_contents(std::string_view body);

/// What the model gets, JSON with an indent of two: {"query", "results": [{title, url, published_date, author, text?,
/// highlights?, summary?}]}.
std::string shown(const std::string& query, const std::vector<SearchResult>& results);
std::string shown_failure(const std::string& query, const std::string& why);
std::string shown(const IndexedPage& page);

/// Drops results that are known to be from outside the dates of `query`, repeated ones, and those beyond its number.
void narrow(const SearchQuery& query, std::vector<SearchResult>& results);

}  // namespace stele::tools::web
