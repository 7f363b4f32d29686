#include "runtime/directories.hpp"

#include <gtest/gtest.h>

namespace stele::runtime {
namespace {

AttachedFile file(const char* name, bool open, int looked_at) {
    AttachedFile made;
    made.id = std::string("file_agent-") + name;
    made.file_id = std::string("file-") + name;
    made.file_name = std::string("reports/") + name;
    made.folder_id = "source-1";
    made.is_open = open;
    if (open) made.visible_content = "[Viewing file start (out of 1 lines)]\n1: x";
    made.last_accessed_at = Timestamp{} + std::chrono::seconds(looked_at);
    return made;
}

AgentDirectories directories() {
    AgentDirectories made;
    Folder& folder = made.folders.emplace_back();
    folder.id = "source-1";
    folder.name = "reports";
    folder.description = "quarterly";
    folder.instructions = "cite pages";
    made.files = {file("q1.txt", true, 1), file("q2.txt", false, 2)};
    return made;
}

Agent agent() {
    Agent made;
    made.max_files_open = 5;
    made.per_file_view_window_char_limit = 15'000;
    return made;
}

TEST(Directories, StandInTheSystemMessage) {
    EXPECT_EQ(
        directories_section(agent(), directories()),
        "\n\n<directories>\n<file_limits>\n- current_files_open=1\n- max_files_open=5\n</file_limits>\n"
        "<directory name=\"reports\">\n<description>quarterly</description>\n<instructions>cite pages</instructions>\n"
        "<file status=\"open\" name=\"reports/q1.txt\">\n<metadata>\n- read_only=true\n- chars_current=42\n- "
        "chars_limit=15000\n</metadata>\n"
        "<value>\n[Viewing file start (out of 1 lines)]\n1: x\n</value>\n</file>\n"
        "<file status=\"closed\" name=\"reports/q2.txt\">\n<metadata>\n- read_only=true\n- chars_current=0\n- "
        "chars_limit=15000\n</metadata>\n</file>\n"
        "</directory>\n</directories>");
    EXPECT_EQ(directories_section(agent(), AgentDirectories()), "");
}

TEST(Directories, AreLeanerForAgentsWithoutBlocks) {
    Agent lean = agent();
    lean.agent_type = AgentType::workflow_agent;
    const std::string section = directories_section(lean, directories());
    EXPECT_NE(section.find("<file status=\"open\">\n<reports/q1.txt>\n<description>\n"), std::string::npos);
    EXPECT_EQ(section.find("<metadata>"), std::string::npos);
}

TEST(Directories, QuoteTheNameOfAFolder) {
    AgentDirectories named = directories();
    named.folders.front().name = "a\"></directory><x";
    EXPECT_NE(directories_section(agent(), named).find("<directory name=\"a&quot;&gt;&lt;/directory&gt;&lt;x\">"),
              std::string::npos);
}

TEST(FilesToClose, AreThoseNotLookedAtForLongest) {
    const std::vector<AttachedFile> files{file("a", true, 3), file("b", true, 1), file("c", false, 0),
                                          file("d", true, 2)};
    using Indices = std::vector<std::size_t>;
    EXPECT_EQ(files_to_close(files, {}, 3), Indices());
    EXPECT_EQ(files_to_close(files, {}, 2), Indices{1});
    EXPECT_EQ(files_to_close(files, {"file-b"}, 2), Indices{3});
    EXPECT_EQ(files_to_close(files, {"file-a", "file-b", "file-d"}, 1), Indices());
    EXPECT_EQ(files_to_close(files, {}, 0), (Indices{1, 3, 0}));
}

}  // namespace
}  // namespace stele::runtime
