#include "domain/access_token.hpp"

#include "domain/api_key.hpp"

#include <gtest/gtest.h>

namespace stele {
namespace {

constexpr char agent_id[] = "agent-00000000-0000-4000-8000-000000000001";

AccessItem item(std::vector<std::string> access) {
    AccessItem made;
    made.id = agent_id;
    made.access = std::move(access);
    return made;
}

TEST(Origin, IsWhatBrowsersSend) {
    for (const char* good : {"https://pages.example", "http://localhost:3000", "https://a-b.c_d.example:8443",
                             "http://127.0.0.1", "http://[::1]:8080", "https://xn--bcher-kva.example"})
        EXPECT_TRUE(is_origin(good)) << good;
    for (const char* bad : {"", "pages.example", "https://", "https://pages.example/", "https://Pages.example", "*",
                            "https://pages.example:", "https://pages.example:0", "https://pages.example:65536",
                            "https://pages.example:443", "http://pages.example:80", "ftp://pages.example", "null",
                            "https://user@pages.example", "https://pages.example?x", "http://[::1", "http://[]",
                            "https://a b", "https://a\r\nX: y"})
        EXPECT_FALSE(is_origin(bad)) << bad;
}

TEST(AccessPolicy, TellsAMissingRightFromAnotherAgent) {
    AccessPolicy policy;
    policy.data = {item({"read_agent"})};

    EXPECT_EQ(allows(policy, agent_id, AgentAccess::read_agent), true);
    EXPECT_EQ(allows(policy, agent_id, AgentAccess::write_agent), false);
    EXPECT_EQ(allows(policy, "agent-of-somebody-else", AgentAccess::read_agent), std::nullopt);
}

TEST(AccessToken, JoinsAnAgentThatIsNamedTwice) {
    CreateAccessToken request;
    request.policy = {item({"read_agent"}), item({"read_agent", "write_agent"})};
    request.hostname = "https://pages.example";

    const AccessToken made = plan_access_token(request, Timestamp(std::chrono::hours(1)));

    ASSERT_EQ(made.policy.data.size(), 1u);
    EXPECT_EQ(made.policy.data[0].access, (std::vector<std::string>{"read_agent", "write_agent"}));
    EXPECT_EQ(made.expiresAt - made.created_at, std::chrono::minutes(5));
}

TEST(Scopes, ReachAsFarAsTheFarthest) {
    EXPECT_EQ(reach_of({"read"}), Scope::read);
    EXPECT_EQ(reach_of({"admin", "read"}), Scope::admin);
    EXPECT_EQ(reach_of({"write"}), Scope::write);
}

TEST(Bearer, IsNewEachTimeAndFitsAUrl) {
    const std::string one = new_bearer("ste_"), other = new_bearer("ste_");

    EXPECT_EQ(one.size(), 47u);
    EXPECT_NE(one, other);
    EXPECT_EQ(one.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
              std::string::npos);
    EXPECT_EQ(bearer_hash(one), bearer_hash(one));
    EXPECT_NE(bearer_hash(one), bearer_hash(other));
}

}  // namespace
}  // namespace stele
