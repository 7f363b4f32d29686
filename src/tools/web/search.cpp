#include "tools/web/search.hpp"

#include "base/json_text.hpp"
#include "base/time.hpp"
#include "tools/web/search_parts.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <set>

namespace stele::tools::web {
namespace {

namespace json = boost::json;

constexpr std::chrono::milliseconds connect_patience{10'000}, patience{30'000};
constexpr std::size_t answer_bytes_max = 16u << 20;

// What a category means to a service that knows none.
struct Category {
    std::string_view name, words;
};
constexpr Category categories[] = {
    {"company", "company"},
    {"research paper", "research paper"},
    {"news", "news"},
    {"pdf", "filetype:pdf"},
    {"github", "site:github.com"},
    {"tweet", "site:x.com"},
    {"personal site", "blog"},
    {"linkedin profile", "site:linkedin.com/in"},
    {"financial report", "financial report"},
};

std::string percent_encoded(std::string_view text) {
    std::string made;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                           std::string_view("-._~").find(c) != std::string_view::npos;
        if (plain)
            made += c;
        else
            (made += '%').append({"0123456789ABCDEF"[byte >> 4], "0123456789ABCDEF"[byte & 15]});
    }
    return made;
}

void set_patience(net::ClientRequest& request) {
    request.headers.add("Accept", "application/json");
    request.headers.add("Accept-Encoding", "gzip");
    request.headers.add("User-Agent", "stele");
    request.connect_timeout = connect_patience;
    request.head_timeout = request.idle_timeout = request.total_timeout = patience;
    request.body_bytes_max = answer_bytes_max;
}

std::string text_or_null(const std::optional<std::string>& text) { return text ? json_string(*text) : "null"; }

void append_result(const SearchResult& result, std::string& out) {
    const auto member = [&](const char* name, const std::string& value) {
        out += (out.back() == '{' ? "\n      \"" : ",\n      \"") + std::string(name) + "\": " + value;
    };
    out += "\n    {";
    member("title", json_string(result.title));
    member("url", json_string(result.url));
    member("published_date", text_or_null(result.published_date));
    member("author", text_or_null(result.author));
    if (result.text) member("text", json_string(*result.text));
    if (!result.highlights.empty()) {
        std::string list;
        for (const std::string& each : result.highlights)
            list += (list.empty() ? "\n        " : ",\n        ") + json_string(each);
        member("highlights", "[" + list + "\n      ]");
    }
    if (result.summary) member("summary", json_string(*result.summary));
    out += "\n    }";
}

}  // namespace

std::span<const SearchProvider> search_providers() {
    static const SearchProvider all[] = {exa, tavily, brave, searxng};
    return all;
}

const SearchProvider* find_search_provider(std::string_view name) {
    for (const SearchProvider& each : search_providers())
        if (name == each.name) return &each;
    return nullptr;
}

std::optional<json::object> read_object(std::string_view body) {
    boost::system::error_code failure;
    json::value value = json::parse({body.data(), body.size()}, failure);
    if (failure || !value.is_object()) return std::nullopt;
    return std::move(value.get_object());
}

std::optional<std::string> text_at(const json::object& object, std::string_view name) {
    const json::value* value = object.if_contains(name);
    if (value == nullptr || !value->is_string()) return std::nullopt;
    std::string text(value->get_string());
    std::erase(text, '\0');
    const auto begin = text.find_first_not_of(" \t\r\n");
    if (begin == text.npos) return std::nullopt;
    return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

const json::array& list_at(const json::object& object, std::string_view name) {
    static const json::array none;
    const json::value* value = object.if_contains(name);
    return value != nullptr && value->is_array() ? value->get_array() : none;
}

std::vector<SearchResult> results_of(const json::array& list, std::string_view date_name, std::string_view author_name,
                                     void (*add)(const json::object& object, SearchResult& result)) {
    std::vector<SearchResult> results;
    for (const json::value& value : list) {
        if (!value.is_object()) continue;
        const json::object& object = value.get_object();
        auto url = text_at(object, "url");
        if (!url) continue;
        SearchResult& result = results.emplace_back();
        result.url = std::move(*url);
        result.title = text_at(object, "title").value_or("");
        result.published_date = text_at(object, date_name);
        result.author = text_at(object, author_name);
        add(object, result);
    }
    return results;
}

net::ClientRequest get_request(const SearchAccess& access, std::string_view path,
                               const std::vector<std::pair<std::string, std::string>>& parameters) {
    net::ClientRequest request;
    request.url = access.base_url + std::string(path);
    for (const auto& [name, value] : parameters)
        request.url += (request.url.find('?') == std::string::npos ? '?' : '&') + name + '=' + percent_encoded(value);
    set_patience(request);
    return request;
}

net::ClientRequest post_request(const SearchAccess& access, std::string_view path, const json::object& body) {
    net::ClientRequest request;
    request.method = net::Method::post;
    request.url = access.base_url + std::string(path);
    request.headers.add("Content-Type", "application/json");
    request.body = json::serialize(body);
    set_patience(request);
    return request;
}

std::string worded(const SearchQuery& query) {
    std::string words = query.query;
    for (const Category& each : categories)
        if (each.name == query.category && each.name != "news") words += ' ' + std::string(each.words);
    std::string sites;
    for (const std::string& domain : query.include_domains) sites += (sites.empty() ? "site:" : " OR site:") + domain;
    if (!sites.empty()) words += query.include_domains.size() > 1 ? " (" + sites + ")" : " " + sites;
    for (const std::string& domain : query.exclude_domains) words += " -site:" + domain;
    return words;
}

std::string shown(const std::string& query, const std::vector<SearchResult>& results) {
    std::string out = "{\n  \"query\": " + json_string(query) + ",\n  \"results\": [";
    for (std::size_t i = 0; i < results.size(); ++i) {
        if (i > 0) out += ',';
        append_result(results[i], out);
    }
    return out + (results.empty() ? "]\n}" : "\n  ]\n}");
}

std::string shown_failure(const std::string& query, const std::string& why) {
    return "{\n  \"query\": " + json_string(query) + ",\n  \"error\": " + json_string(why) + "\n}";
}

std::string shown(const IndexedPage& page) {
    return "{\n  \"title\": " + json_string(page.title) +
           ",\n  \"published_date\": " + text_or_null(page.published_date) +
           ",\n  \"author\": " + text_or_null(page.author) + ",\n  \"text\": " + json_string(page.text) + "\n}";
}

void narrow(const SearchQuery& query, std::vector<SearchResult>& results) {
    std::set<std::string> seen;
    std::erase_if(results, [&](const SearchResult& result) {
        const auto date = result.published_date ? parse_iso8601(*result.published_date) : std::nullopt;
        const std::string day = date ? to_iso8601(*date).substr(0, 10) : std::string();
        const bool too_old = !day.empty() && !query.from_date.empty() && day < query.from_date;
        const bool too_new = !day.empty() && !query.until_date.empty() && day > query.until_date;
        return too_old || too_new || !seen.insert(result.url).second;
    });
    if (results.size() > query.results) results.resize(query.results);
}

}  // namespace stele::tools::web
