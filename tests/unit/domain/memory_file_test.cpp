#include "domain/memory_file.hpp"

#include <gtest/gtest.h>

#include <random>

namespace stele {
namespace {

MemoryFile file(std::string value, std::optional<std::string> description = {}, std::optional<std::int64_t> limit = {},
                bool read_only = false) {
    MemoryFile made;
    made.value = std::move(value);
    made.description = std::move(description);
    made.limit = limit;
    made.read_only = read_only;
    return made;
}

TEST(MemoryFile, LabelsAndPathsAreTheSameThing) {
    const std::pair<const char*, const char*> cases[] = {
        {"human", "human.md"},
        {"system/persona", "system/persona.md"},
        {"a.md", "a.md.md"},
        {"Persona José", "Persona José.md"},
        {"skills/x/SKILL.md", "skills/x/SKILL.md"},
        {"skills/x/run.py", "skills/x/run.py"},
    };
    for (const auto& [label, path] : cases) {
        EXPECT_EQ(path_of_label(label), path);
        EXPECT_EQ(label_of_path(path), label);
    }
}

TEST(MemoryFile, WhatCanNotBeAPathIsNone) {
    for (const char* label : {"", "a/", "/a", "a//b", "..", "a/../b", ".", "a/.git/b", "x/.GIT", "a\nb", "skills/"})
        EXPECT_EQ(path_of_label(label), std::nullopt) << label;
    for (const char* path : {"a.txt", "md", ".md", "x/.md", "../a.md", ".git/a.md", "skills/../x", ""})
        EXPECT_EQ(label_of_path(path), std::nullopt) << path;
    EXPECT_EQ(label_of_path(std::string(256, 'x') + ".md"), std::nullopt);
}

TEST(MemoryFile, ReadsWhatPeopleWrite) {
    EXPECT_EQ(read_memory_file("just text\n"), file("just text"));
    EXPECT_EQ(read_memory_file(""), file(""));
    EXPECT_EQ(read_memory_file("---\ndescription: a # b\nlimit: 5\nread_only: true\n---\n\nv\n\n"),
              file("v\n", "a", 5, true));
    EXPECT_EQ(read_memory_file("---\ndescription: 'it''s'\n---\nv"), file("v", "it's"));
    EXPECT_EQ(read_memory_file("---\ndescription: \"a\\n\\\"b\\\"\"\nlimit: many\n---\nv"), file("v", "a\n\"b\""));
    EXPECT_EQ(read_memory_file("---\ndescription: >-\n  one\n  two\nlimit: 3\n---\nv"), file("v", "one two", 3));
    EXPECT_EQ(read_memory_file("---\ndescription: |\n  one\n  two\n---\nv"), file("v", "one\ntwo"));
    EXPECT_EQ(read_memory_file("---\nnever closed"), file("---\nnever closed"));
    EXPECT_EQ(read_memory_file("---\n---\n\n---\nx\n---\n"), file("---\nx\n---"));
}

TEST(MemoryFile, KeepsWhatIsNotOurs) {
    const std::string before =
        "---\nmood: calm\ndescription: >\n  old\n  words\ntags:\n  - a\n# note\nlimit: 3\n---\n\nold\n";

    const std::string text = memory_file_text(file("new", "fresh"), before);

    EXPECT_EQ(text, "---\nmood: calm\ndescription: fresh\ntags:\n  - a\n# note\n---\n\nnew\n");
    EXPECT_EQ(memory_file_text(file("plain"), "old\n"), "plain\n");
}

TEST(MemoryFile, WhateverABlockSaysComesBack) {
    std::mt19937 chance(7);
    const std::string letters = "-: #'\"\n\\>|ax\xC3\xA9\t{";
    const auto text = [&](std::size_t longest) {
        std::string made;
        for (std::size_t left = chance() % longest; left > 0; --left) {
            const std::size_t at = chance() % letters.size();
            made +=
                (static_cast<unsigned char>(letters[at]) & 0x80) != 0 ? std::string("é") : std::string(1, letters[at]);
        }
        return made;
    };
    std::string before;
    for (int i = 0; i < 20'000; ++i) {
        MemoryFile wanted = file((chance() % 4 == 0 ? "---\n" : "") + text(12));
        if (chance() % 2 == 0) wanted.description = text(8);
        if (chance() % 3 == 0) wanted.limit = 1 + static_cast<std::int64_t>(chance() % 100);
        wanted.read_only = chance() % 5 == 0;

        const std::string written = memory_file_text(wanted, before);

        ASSERT_EQ(read_memory_file(written), wanted) << written;
        before = chance() % 3 == 0 ? std::string() : written;
    }
}

}  // namespace
}  // namespace stele
