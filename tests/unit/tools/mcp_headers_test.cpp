#include "tools/mcp/headers.hpp"

#include "tools/mcp/address.hpp"
#include "tools/mcp/rpc.hpp"

#include <gtest/gtest.h>

namespace stele::tools::mcp {
namespace {

const TextMap secrets{{"TOKEN", "t-1"}, {"A_2", "two"}, {"lower", "never"}};

TEST(HeaderTemplates, AreFilledFromSecretsOrTheirDefaults) {
    const std::pair<const char*, const char*> cases[] = {
        {"plain", "plain"},
        {"Bearer {{ TOKEN }}", "Bearer t-1"},
        {"{{TOKEN}}-{{ A_2 }}", "t-1-two"},
        {"{{ NONE | spare }}", "spare"},
        {"{{ NONE | }}", ""},
        {"{{ TOKEN | spare }}", "t-1"},
        {"{{ NONE }}", "{{ NONE }}"},
        {"{{ lower }}", "{{ lower }}"},
        {"{{ lower | spare }}", "{{ lower | spare }}"},
        {"{{ TOKEN", "{{ TOKEN"},
        {"}} {{ TOKEN }}", "}} t-1"},
        {"{{}}", "{{}}"},
    };
    for (const auto& [written, made] : cases) EXPECT_EQ(filled(written, secrets), made) << written;
}

TEST(ServerHeaders, LaterOnesReplaceEarlierAndNoneBreaksLines) {
    McpServer server;
    server.config.custom_headers =
        TextMap{{"x-key", "first"},     {"\"X-Who:\"", "'ada'"}, {"Bad Name", "v"},
                {"X-Evil", "{{ CR }}"}, {"Host", "elsewhere"},   {"Mcp-Session-Id", "stolen"}};
    server.config.auth_header = std::string("X-Key");
    server.config.auth_token = std::string("{{ TOKEN }}");

    const TextMap headers = server_headers(server, "agent-1", {{"TOKEN", "t"}, {"CR", "a\r\nX-More: 1"}});

    EXPECT_EQ(headers, (TextMap{{"X-Who", "ada"}, {"X-Key", "t"}, {"X-Agent-Id", "agent-1"}}));
}

TEST(ServerHeaders, ABareTokenIsABearer) {
    McpServer server;
    server.config.auth_token = std::string("abc");
    EXPECT_EQ(server_headers(server, "", {}), (TextMap{{"Authorization", "Bearer abc"}}));
    server.config.auth_token = std::string("Basic abc");
    EXPECT_EQ(server_headers(server, "", {}), (TextMap{{"Authorization", "Basic abc"}}));
}

TEST(HeaderValue, EncodesWhatAHeaderCannotSay) {
    EXPECT_EQ(header_value("add"), "add");
    EXPECT_EQ(header_value(" padded"), "=?base64?IHBhZGRlZA==?=");
    EXPECT_EQ(header_value("é"), "=?base64?w6k=?=");
    EXPECT_EQ(header_value("=?base64?YQ==?="), "=?base64?PT9iYXNlNjQ/WVE9PT89?=");
    EXPECT_EQ(header_value("a\r\nb"), "=?base64?YQ0KYg==?=");
}

TEST(ParameterHeaders, FollowStaticPathsOfPlainTypesAlone) {
    const auto headers = [](const char* schema, const char* arguments) {
        return parameter_headers(parsed(schema), parsed(arguments));
    };
    const char* nested = R"({"properties":{"a":{"properties":{"b":{"type":"integer","x-mcp-header":"B"}}}}})";

    EXPECT_EQ(headers(nested, R"({"a":{"b":5}})"), (TextMap{{"Mcp-Param-B", "5"}}));
    EXPECT_EQ(headers(nested, R"({"a":{"b":null}})"), TextMap{});
    EXPECT_EQ(headers(nested, R"({})"), TextMap{});
    EXPECT_FALSE(headers(R"({"properties":{"a":{"type":"number","x-mcp-header":"A"}}})", "{}"));
    EXPECT_FALSE(headers(R"({"properties":{"a":{"type":"string","x-mcp-header":"A B"}}})", "{}"));
    EXPECT_FALSE(headers(R"({"properties":{"a":{"items":{"type":"string","x-mcp-header":"A"}}}})", "{}"));
    EXPECT_FALSE(headers(
        R"({"properties":{"a":{"type":"string","x-mcp-header":"A"},"b":{"type":"string","x-mcp-header":"a"}}})", "{}"));
}

TEST(Address, StaysWithinTheOrigin) {
    EXPECT_EQ(within_origin("https://a.example/sse", "/messages?x=1"), "https://a.example/messages?x=1");
    EXPECT_EQ(within_origin("https://a.example/v1/sse", "messages"), "https://a.example/v1/messages");
    EXPECT_EQ(within_origin("https://a.example/sse", "https://A.example:443/m"), "https://A.example:443/m");
    EXPECT_EQ(within_origin("https://a.example/sse", "http://a.example/m"), "");
    EXPECT_EQ(within_origin("https://a.example/sse", "https://b.example/m"), "");
    EXPECT_EQ(within_origin("https://a.example/sse", "//b.example/m"), "");
    EXPECT_EQ(within_origin("https://a.example/sse", "https://a.example@b.example/"), "");
    EXPECT_EQ(within_origin("https://a.example/sse", ""), "");
}

}  // namespace
}  // namespace stele::tools::mcp
