#include "base/error.hpp"
#include "tools/mcp/oauth_challenge.hpp"
#include "tools/mcp/oauth_metadata.hpp"
#include "tools/mcp/oauth_request.hpp"
#include "tools/mcp/rpc.hpp"

#include <gtest/gtest.h>

namespace stele::tools::mcp {
namespace {

using Texts = std::vector<std::string>;

TEST(ParseChallenge, ReadsWhatTheSchemeBearerSays) {
    const Challenge found = parse_challenge(
        R"(Basic realm="x, scope=no", bearer realm="a \"b\"", scope = "one two" , Resource_Metadata="https://x/y", error=insufficient_scope, DPoP scope="no")");

    EXPECT_EQ(found.scope, "one two");
    EXPECT_EQ(found.resource_metadata, "https://x/y");
    EXPECT_TRUE(found.wants_more_rights());
}

TEST(ParseChallenge, EndsWithWhateverItIsGiven) {
    for (const char* text :
         {"", "=", "\"", "Bearer", "Bearer =", "Bearer a=\"", "Bearer a=\"\\", ",,,", "a b c=", "Negotiate YII=="})
        EXPECT_EQ(parse_challenge(text).scope, "") << text;
}

TEST(UnitedScopes, NamesEachOnceInOrder) {
    EXPECT_EQ(united_scopes("b  a", "a c b"), "b a c");
    EXPECT_EQ(united_scopes("", ""), "");
    EXPECT_EQ(united_scopes("ab", "a b"), "ab a b");
}

TEST(ResourceMetadataUrls, AreAtThePathAndThenAtTheRoot) {
    EXPECT_EQ(resource_metadata_urls("https://X.example:443/a/b?k=1", ""),
              (Texts{"https://x.example/.well-known/oauth-protected-resource/a/b",
                     "https://x.example/.well-known/oauth-protected-resource"}));
    EXPECT_EQ(resource_metadata_urls("http://x.example:81/", ""),
              (Texts{"http://x.example:81/.well-known/oauth-protected-resource"}));
}

TEST(IssuerMetadataUrls, AreThoseOfBothStandards) {
    EXPECT_EQ(issuer_metadata_urls("https://as.example/t/1/"),
              (Texts{"https://as.example/.well-known/oauth-authorization-server/t/1",
                     "https://as.example/.well-known/openid-configuration/t/1",
                     "https://as.example/t/1/.well-known/openid-configuration"}));
    EXPECT_EQ(issuer_metadata_urls("https://[2606:4700::1]"),
              (Texts{"https://[2606:4700::1]/.well-known/oauth-authorization-server",
                     "https://[2606:4700::1]/.well-known/openid-configuration"}));
}

TEST(CanonicalResource, IsOneSpelling) {
    EXPECT_EQ(canonical_resource("HTTPS://MCP.example:443/Path/?x=1"), "https://mcp.example/Path");
    EXPECT_EQ(canonical_resource("http://mcp.example:8080"), "http://mcp.example:8080");
}

TEST(EndpointProblem, KnowsWhereNobodyIsSent) {
    for (const char* url : {"http://as.example/", "https://localhost/", "https://10.0.0.1/", "https://[fd00::1]/",
                            "https://169.254.169.254/", "https://x.internal/", "ftp://as.example/", "", "/token"})
        EXPECT_NE(endpoint_problem(url, false), "") << url;
    EXPECT_EQ(endpoint_problem("https://as.example/token", false), "");
    EXPECT_EQ(endpoint_problem("http://localhost:8080/token", true), "");
}

TEST(AuthorizationUrl, KeepsTheQueryThatIsThere) {
    McpLogin login;
    login.tokens.client.client_id = "a b&c";
    login.verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    login.redirect_uri = "http://127.0.0.1:1/cb";

    const std::string url = authorization_url("https://as.example/go?tenant=1#x", login, "s");

    EXPECT_EQ(
        url,
        "https://as.example/go?tenant=1&response_type=code&client_id=a%20b%26c&redirect_uri=http%3A%2F%2F127.0.0.1"
        "%3A1%2Fcb&state=s&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256");
}  // verifier and challenge: RFC 7636, appendix B

TEST(TakeTokens, KeepsWhatTheAnswerDoesNotName) {
    McpTokens tokens;
    tokens.refresh_token = "r1";
    tokens.scope = "a";

    take_tokens(tokens, parsed(R"({"access_token":"t","token_type":"bearer","expires_in":"60"})"), 1'000);

    EXPECT_EQ(tokens.access_token, "t");
    EXPECT_EQ(tokens.refresh_token, "r1");
    EXPECT_EQ(tokens.scope, "a");
    EXPECT_EQ(tokens.expires_at, 1'060);
}

TEST(CodeRequest, NamesTheClientAsItWasRegistered) {
    McpLogin login;
    login.tokens.client = {"id:1", "se cret", "client_secret_basic", 0};
    const TokenRequest basic = code_request(login, "c");
    login.tokens.client.auth_method = "client_secret_post";
    const TokenRequest post = code_request(login, "c");

    EXPECT_EQ(basic.authorization, "Basic aWQlM0ExOnNlJTIwY3JldA==");
    EXPECT_EQ(basic.form, "grant_type=authorization_code&code=c");
    EXPECT_EQ(post.form, "grant_type=authorization_code&code=c&client_id=id%3A1&client_secret=se%20cret");
}

TEST(RegistrationOf, SaysWhatKindOfClientComesBackWhere) {
    IssuerMetadata issuer;
    issuer.auth_methods = {"client_secret_post"};

    EXPECT_EQ(registration_of(issuer, "http://127.0.0.1:8283/cb").at("application_type"), "native");
    EXPECT_EQ(registration_of(issuer, "https://stele.example/cb").at("application_type"), "web");
    EXPECT_EQ(registration_of(issuer, "https://stele.example/cb").at("token_endpoint_auth_method"),
              "client_secret_post");
}

TEST(RevocationRequest, NamesTokenAndClientAndNothingElse) {
    McpTokens tokens;
    tokens.access_token = "at";
    tokens.refresh_token = "r t";
    tokens.resource = "https://mcp.example";
    tokens.client.client_id = "me";

    EXPECT_EQ(revocation_request(tokens, "refresh_token").form,
              "token=r%20t&token_type_hint=refresh_token&client_id=me");
    EXPECT_EQ(revocation_request(tokens, "access_token").form, "token=at&token_type_hint=access_token&client_id=me");
    EXPECT_EQ(tokens.resource, "https://mcp.example");
}

}  // namespace
}  // namespace stele::tools::mcp
