// The small pure forms: URLs, queries, gzip and Accept-Encoding.
#include "net/gzip.hpp"
#include "net/http.hpp"
#include "net/url.hpp"

#include <gtest/gtest.h>

namespace stele::net {
namespace {

TEST(ParseUrl, TakesAbsoluteUrlsApart) {
    const struct {
        const char *text, *scheme, *host, *port, *target, *authority;
    } cases[] = {
        {"http://example.org", "http", "example.org", "80", "/", "example.org"},
        {"https://example.org/a/b?c=d#e", "https", "example.org", "443", "/a/b?c=d", "example.org"},
        {"HTTP://127.0.0.1:8283/v1", "http", "127.0.0.1", "8283", "/v1", "127.0.0.1:8283"},
        {"http://[::1]:80/", "http", "::1", "80", "/", "[::1]:80"},
        {"http://a?b", "http", "a", "80", "/?b", "a"},
        {"https://a:/x%20y", "https", "a", "443", "/x%20y", "a:"},
    };
    for (const auto& c : cases) {
        const auto url = parse_url(c.text);
        ASSERT_TRUE(url) << c.text;
        EXPECT_EQ(url->scheme, c.scheme) << c.text;
        EXPECT_EQ(url->host, c.host) << c.text;
        EXPECT_EQ(url->port, c.port) << c.text;
        EXPECT_EQ(url->target, c.target) << c.text;
        EXPECT_EQ(url->authority, c.authority) << c.text;
    }
}

TEST(ParseUrl, RefusesEverythingElse) {
    for (const char* text :
         {"", "example.org", "/a", "ftp://a/", "http://", "http:///a", "http://user@a/", "http://u:p@a/", "http://a b/",
          "http://a:99999/", "http://a:0/", "http://a:x/", "http://a/\r\nX: y", "file:///etc"})
        EXPECT_FALSE(parse_url(text)) << text;
}

TEST(ParseQuery, DecodesPairsInOrder) {
    const auto pairs = parse_query("a=1&b=x%20y+z&&c&d==&a=2");

    ASSERT_TRUE(pairs);
    const std::vector<std::pair<std::string, std::string>> expected{
        {"a", "1"}, {"b", "x y z"}, {"c", ""}, {"d", "="}, {"a", "2"}};
    EXPECT_EQ(*pairs, expected);
}

TEST(ParseQuery, RefusesBrokenEscapes) {
    for (const char* text : {"a=%", "a=%4", "a=%zz", "%=a"}) EXPECT_FALSE(parse_query(text)) << text;
}

TEST(PercentDecode, KeepsAPlusInPaths) {
    EXPECT_EQ(percent_decode("a+b%2Fc", false), "a+b/c");
    EXPECT_EQ(percent_decode("a+b", true), "a b");
}

TEST(Gzip, ComesBackAsItWas) {
    std::string text;
    for (int i = 0; i < 20'000; ++i) text += std::to_string(i * 7919 % 1'000);
    for (const std::string& original : {std::string(), std::string("a"), text}) {
        GunzipFailure failure = GunzipFailure::malformed;

        EXPECT_EQ(gunzip(gzip(original), original.size(), failure), original);
        EXPECT_EQ(failure, GunzipFailure::none);
    }
}

TEST(Gunzip, TellsABombFromADefect) {
    const std::string packed = gzip(std::string(1u << 20, 'x'));
    GunzipFailure failure = GunzipFailure::none;

    EXPECT_FALSE(gunzip(packed, (1u << 20) - 1, failure));
    EXPECT_EQ(failure, GunzipFailure::too_large);
    EXPECT_FALSE(gunzip("no gzip at all", 100, failure));
    EXPECT_EQ(failure, GunzipFailure::malformed);
    EXPECT_FALSE(gunzip("", 100, failure));
    EXPECT_EQ(failure, GunzipFailure::malformed);
    for (std::size_t cut = 0; cut < packed.size(); ++cut) {
        EXPECT_FALSE(gunzip(packed.substr(0, cut), 2u << 20, failure)) << cut;
        EXPECT_EQ(failure, GunzipFailure::malformed) << cut;
    }
}

TEST(ResolveReference, MeansWhatALinkOnThePageMeans) {
    struct Case {
        const char *base, *reference, *made;
    };
    const Case cases[] = {
        {"http://a/b/c/d;p?q", "g", "http://a/b/c/g"},
        {"http://a/b/c/d;p?q", "../../g", "http://a/g"},
        {"http://a/b/c/d;p?q", "?y", "http://a/b/c/d;p?y"},
        {"http://a/b/c/d;p?q", "//g/x", "http://g/x"},
        {"https://a:8443/b", "/c?d#e", "https://a:8443/c?d#e"},
        {"http://a/b", "mailto:x@y", "mailto:x@y"},
        {"http://a/b", "  /c d\t", "http://a/c%20d"},
        {"http://a/", "\xc3\xa9?\xc3\xbc", "http://a/%C3%A9?%C3%BC"},
        {"http://a/", "x%2fy%zz", "http://a/x%2fy%25zz"},
        {"http://a/", "/p[1]", "http://a/p%5B1%5D"},
        {"http://[::1]:80/x", "y", "http://[::1]:80/y"},
        {"http://a/", "http://[::1]/", "http://[::1]/"},
        {"http://a/", "http://[::1", ""},
        {"no base", "x", ""},
        {"http://a/b/c/d;p?q", "", "http://a/b/c/d;p?q"},
        {"http://a/b/c/d;p?q", "#s", "http://a/b/c/d;p?q#s"},
        {"http://a/b/c/d;p?q", "./", "http://a/b/c/"},
        {"http://a/b/c/d;p?q", "..", "http://a/b/"},
        {"http://a/b/c/d;p?q", "../../../g", "http://a/g"},
        {"http://a/b/c/d;p?q", "/./g/../h", "http://a/h"},
        {"http://a/b/c/d;p?q", "g;x=1/../y", "http://a/b/c/y"},
        {"http://a/b/c/d;p?q", "g?y/./x", "http://a/b/c/g?y/./x"},
        {"http://a/b/c/d;p?q", "//g?y", "http://g?y"},
        {"http://a", "g", "http://a/g"},
        {"http://a/b", "c%3Fd", "http://a/c%3Fd"},
    };
    for (const Case& each : cases) EXPECT_EQ(resolve_reference(each.base, each.reference), each.made) << each.reference;
}

TEST(AcceptsGzip, WeighsWhatTheClientSays) {
    for (const char* yes : {"gzip", "deflate, gzip", "GZIP;q=0.5", "gzip; q=1", "*", "br;q=0, *;q=0.1", "gzip, *;q=0"})
        EXPECT_TRUE(accepts_gzip(yes)) << yes;
    for (const char* no :
         {"", "br", "gzip;q=0", "gzip; q=0.000", "identity, gzip ; q=0", "*;q=0", "*, gzip;q=0", "xgzip"})
        EXPECT_FALSE(accepts_gzip(no)) << no;
}

}  // namespace
}  // namespace stele::net
