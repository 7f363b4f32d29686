#include "runtime/run_tokens.hpp"

#include <gtest/gtest.h>

namespace stele::runtime {
namespace {

ToolCaller caller(const std::string& agent_id) { return {"org-1", "user-1", agent_id, {agent_id, 0}}; }

TEST(RunToken, NamesItsCallerAsLongAsItLives) {
    RunTokens tokens;
    std::string text;
    {
        const RunTokens::Token token = tokens.issue(caller("agent-1"));
        text = token.text();

        ASSERT_TRUE(tokens.find(text));
        EXPECT_EQ(tokens.find(text)->agent_id, "agent-1");
        EXPECT_EQ(text.size(), 64u);
    }
    EXPECT_FALSE(tokens.find(text));
}

TEST(RunToken, IsGoodAsAWholeAlone) {
    RunTokens tokens;
    const RunTokens::Token token = tokens.issue(caller("agent-1"));

    for (const std::string& text : {std::string(), token.text().substr(1), token.text() + "0", std::string(64, '0')})
        EXPECT_FALSE(tokens.find(text)) << text;
}

TEST(RunToken, IsAnotherForEachCall) {
    RunTokens tokens;
    RunTokens::Token first = tokens.issue(caller("agent-1"));
    const RunTokens::Token second = tokens.issue(caller("agent-2"));

    const RunTokens::Token moved = std::move(first);

    EXPECT_NE(moved.text(), second.text());
    EXPECT_EQ(tokens.find(moved.text())->agent_id, "agent-1");
    EXPECT_EQ(tokens.find(second.text())->agent_id, "agent-2");
}

}  // namespace
}  // namespace stele::runtime
