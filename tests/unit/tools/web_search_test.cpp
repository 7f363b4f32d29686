// What goes to search services and what is made of their answers, however odd.
#include "tools/web/search_parts.hpp"

#include <gtest/gtest.h>

namespace stele::tools::web {
namespace {

SearchResult result(const char* url, const char* date = nullptr) {
    SearchResult made;
    made.title = "T";
    made.url = url;
    if (date != nullptr) made.published_date = date;
    return made;
}

std::vector<std::string> urls(const std::vector<SearchResult>& results) {
    std::vector<std::string> made;
    for (const SearchResult& each : results) made.push_back(each.url);
    return made;
}

TEST(SearchProviders, TakeAnswersOfAnyShape) {
    for (const SearchProvider& provider : search_providers()) {
        for (const char* body :
             {"", "x", "[]", "1", "{}", "{\"error\":\"x\"}", "{\"results\":[", "\xff", "{\"results\":\"\xff\"}"})
            EXPECT_FALSE(provider.read(body)) << provider.name << " " << body;
        for (const char* list :
             {"[]", "{}", "5", "null", "[1,null,\"x\",[]]", R"([{"url":5},{"title":"no address"},{"url":"  "}])"}) {
            const std::string body =
                std::string(R"({"type":"search","results":)") + list + R"(,"web":{"results":)" + list + "}}";
            const auto found = provider.read(body);
            ASSERT_TRUE(found) << provider.name << " " << list;
            EXPECT_TRUE(found->empty()) << provider.name << " " << list;
        }
        const std::string odd =
            R"([{"url":" https://a.org ","title":[],"publishedDate":3,"page_age":{},"published_date":false,"author":7,)"
            R"("text":1,"summary":null,"highlights":"x","content":[],"description":5,"extra_snippets":[1,"y"]}])";
        const auto found = provider.read(R"({"type":"search","results":)" + odd + R"(,"web":{"results":)" + odd + "}}");
        ASSERT_TRUE(found && found->size() == 1) << provider.name;
        EXPECT_EQ(found->front().url, "https://a.org");
        EXPECT_FALSE(found->front().published_date || found->front().author || found->front().text) << provider.name;
    }
}

TEST(SearchProviders, AreFoundByName) {
    for (const SearchProvider& provider : search_providers()) EXPECT_EQ(find_search_provider(provider.name), &provider);
    EXPECT_EQ(find_search_provider("google"), nullptr);
}

TEST(SearchWords, CarryWhatAServiceHasNoFieldFor) {
    SearchQuery query;
    query.query = "tea";
    EXPECT_EQ(worded(query), "tea");
    query.include_domains = {"a.org"};
    EXPECT_EQ(worded(query), "tea site:a.org");
    query.include_domains = {"a.org", "b.org"};
    query.exclude_domains = {"c.org"};
    query.category = "pdf";
    EXPECT_EQ(worded(query), "tea filetype:pdf (site:a.org OR site:b.org) -site:c.org");
    query.category = "news";  // a field of its own everywhere
    EXPECT_EQ(worded(query), "tea (site:a.org OR site:b.org) -site:c.org");
}

TEST(SearchResults, AreNarrowedToWhatWasAsked) {
    SearchQuery query;
    query.from_date = "2024-02-01";
    query.until_date = "2024-02-29";
    query.results = 3;
    std::vector<SearchResult> results{
        result("old", "2024-01-31T23:59:59Z"), result("first", "2024-02-01"),         result("unknown"),
        result("first", "2024-02-02"),         result("last", "2024-02-29T23:59:59"), result("new", "2024-03-01"),
        result("words", "May 1, 2024")};

    narrow(query, results);

    EXPECT_EQ(urls(results), std::vector<std::string>({"first", "unknown", "last"}))
        << "a date that can't be read counts as none";
}

TEST(SearchResults, AreShownAsJson) {
    SearchResult full = result("https://a.org/?a=\"b\"", "2024-01-01");
    full.author = "Ada";
    full.text = "line\nline";
    full.highlights = {"one", "two"};
    full.summary = "sum";

    EXPECT_EQ(shown("q", std::vector<SearchResult>{}), "{\n  \"query\": \"q\",\n  \"results\": []\n}");
    EXPECT_EQ(shown("q", {full, result("u")}),
              "{\n  \"query\": \"q\",\n  \"results\": [\n"
              "    {\n      \"title\": \"T\",\n      \"url\": \"https://a.org/?a=\\\"b\\\"\",\n      "
              "\"published_date\": \"2024-01-01\",\n"
              "      \"author\": \"Ada\",\n      \"text\": \"line\\nline\",\n      \"highlights\": [\n        "
              "\"one\",\n        \"two\"\n      ],\n"
              "      \"summary\": \"sum\"\n    },\n"
              "    {\n      \"title\": \"T\",\n      \"url\": \"u\",\n      \"published_date\": null,\n      "
              "\"author\": null\n    }\n  ]\n}");
    EXPECT_EQ(shown_failure("q", "why"), "{\n  \"query\": \"q\",\n  \"error\": \"why\"\n}");
}

TEST(SearchRequests, HoldTheKeyInAFieldAlone) {
    SearchAccess access;
    access.base_url = "https://search.test";
    access.key = Secret("the-key");
    SearchQuery query;
    query.query = "a&key=b c\r\nHost: x";
    for (const SearchProvider& provider : search_providers()) {
        const net::ClientRequest request = provider.request(access, query, 0);
        EXPECT_TRUE(request.url.starts_with("https://search.test/")) << request.url;
        EXPECT_EQ((request.url + request.body).find("the-key"), std::string::npos) << provider.name;
        EXPECT_EQ(request.url.find_first_of(" \r\n"), std::string::npos) << request.url;
    }
}

}  // namespace
}  // namespace stele::tools::web
