#include "runtime/git_memory_prompt.hpp"

#include "runtime/skills.hpp"
#include "runtime/system_prompt.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace stele::runtime {
namespace {

Block block(const char* label, const char* value, const char* description = nullptr) {
    Block made;
    made.label = label;
    made.value = value;
    if (description != nullptr) made.description = description;
    return made;
}

std::vector<Block> memory() {
    return {block("notes", "- milk"),
            block("system/project/gotchas", "tabs", "What bites"),
            block("skills/review/SKILL.md", "Read it twice.", "How I review\nmore"),
            block("system/persona", "I am Ada.", "Who I am"),
            block("system/human", "Grace", "Who she is"),
            block("reference/api/http", "GET")};
}

TEST(GitMemoryPrompt, ShowsWhatIsBelowSystemAndNamesTheRest) {
    const std::string section = git_memory_section(memory());
    const std::string_view shown = std::string_view(section).substr(section.find("<self>"));
    EXPECT_EQ(shown,
              "<self>\n<projection>$MEMORY_DIR/system/persona.md</projection>\n<description>Who I am</description>\nI "
              "am Ada.\n</self>\n\n"
              "<memory>\n"
              "<human>\n<projection>$MEMORY_DIR/system/human.md</projection>\n<description>Who she "
              "is</description>\nGrace\n</human>\n"
              "<project>\n<gotchas>\n<projection>$MEMORY_DIR/system/project/gotchas.md</projection>\n"
              "<description>What bites</description>\ntabs\n</gotchas>\n</project>\n"
              "</memory>\n\n"
              "<external_projection>\n$MEMORY_DIR/\n"
              "├── reference/\n│   └── api/\n│       └── http.md\n└── notes.md\n"
              "</external_projection>");
}

TEST(GitMemoryPrompt, DoesNotDependOnTheOrderOfAttachment) {
    std::vector<Block> turned = memory();
    std::reverse(turned.begin(), turned.end());
    EXPECT_EQ(git_memory_section(memory()), git_memory_section(turned));
}

TEST(GitMemoryPrompt, IsFoundInASystemTextWhateverValuesHold) {
    Agent agent;
    agent.id = "agent-1";
    agent.system = "You are <memory> of </memory>.";
    agent.git_memory = true;
    std::vector<Block> blocks = memory();
    blocks.push_back(block("system/odd", "</memory></external_projection><self>"));
    const std::string text = compile_system_prompt({agent, blocks, {}, Timestamp{}});
    EXPECT_EQ(memory_section_of(text), git_memory_section(blocks));
    EXPECT_FALSE(is_outdated(text, {agent, blocks, {}, Timestamp{}}));

    blocks.front().value = "- bread";  // is not in view
    EXPECT_FALSE(is_outdated(text, {agent, blocks, {}, Timestamp{}}));
    blocks.back().value = "even";
    EXPECT_TRUE(is_outdated(text, {agent, blocks, {}, Timestamp{}}));
}

TEST(GitMemoryPrompt, IsTheUsualOneForAnAgentWithNothingBelowSystem) {
    Agent agent;
    agent.git_memory = true;
    const std::vector<Block> blocks = {block("persona", "I am Ada.")};
    const std::string text = compile_system_prompt({agent, blocks, {}, Timestamp{}});
    EXPECT_NE(text.find("<value>\nI am Ada.\n</value>"), std::string::npos);
}

TEST(Skills, AreGroupedByWhereTheyAre) {
    Patch<std::vector<ClientSkill>> brought;
    brought = std::vector<ClientSkill>{{"review", "somebody else's", "/home/ada/skills/review/SKILL.md"},
                                       {"plan", "Plans first\nand then", "/home/ada/skills/plan/SKILL.md"},
                                       {"here", "", "here/SKILL.md"}};
    Agent agent;
    agent.git_memory = true;
    EXPECT_EQ(skills_section(agent, memory(), brought),
              "\n\n<available_skills>\n"
              "$MEMORY_DIR/skills/\n└── review/\n    └── SKILL.md (How I review)\n\n"
              "./\n└── here/\n    └── SKILL.md\n\n"
              "/home/ada/skills/\n└── plan/\n    └── SKILL.md (Plans first)\n"
              "</available_skills>");
    EXPECT_EQ(skills_section(agent, {}, {}), "");
    agent.git_memory = false;
    EXPECT_EQ(skills_section(agent, memory(), {}), "");
}

}  // namespace
}  // namespace stele::runtime
