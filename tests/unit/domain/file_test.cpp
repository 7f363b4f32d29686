#include "domain/agent.hpp"
#include "domain/file_name.hpp"
#include "domain/file_type.hpp"

#include "base/utf8.hpp"

#include <gtest/gtest.h>

namespace stele {
namespace {

TEST(FileName, IsReducedToWhatCanBeKept) {
    EXPECT_EQ(clean_file_name("test.txt"), "test.txt");
    EXPECT_EQ(clean_file_name("/etc/passwd.txt"), "passwd.txt");
    EXPECT_EQ(clean_file_name("..\\..\\boot.ini"), "boot.ini");
    EXPECT_EQ(clean_file_name("a/../../b.md"), "b.md");
    EXPECT_EQ(clean_file_name("..."), "");
    EXPECT_EQ(clean_file_name("../"), "");
    EXPECT_EQ(clean_file_name(".hidden.txt"), "hidden.txt");
    EXPECT_EQ(clean_file_name("a\"<b>|c?*:\n\x7f.txt"), "abc.txt");
    EXPECT_EQ(clean_file_name("\xff\xfe.txt"), "\ufffd\ufffd.txt");
    EXPECT_EQ(clean_file_name("bl\u00fc\u00fc.txt"), "bl\u00fc\u00fc.txt");
}

TEST(FileName, KeepsItsExtensionWhenItIsCut) {
    const std::string cut = clean_file_name(std::string(300, 'a') + "\u00e4.json");
    EXPECT_LE(cut.size(), 255u);
    EXPECT_TRUE(cut.ends_with(".json"));
    std::string wide;
    for (int i = 0; i < 200; ++i) wide += "\u4e2d";
    EXPECT_TRUE(is_utf8(clean_file_name(wide + ".md")));
    EXPECT_LE(clean_file_name("x." + std::string(300, 'e')).size(), 255u);
}

TEST(FileName, GetsItsNumberInFrontOfTheExtension) {
    EXPECT_EQ(numbered_file_name("test.txt", 0), "test.txt");
    EXPECT_EQ(numbered_file_name("test.txt", 1), "test_(1).txt");
    EXPECT_EQ(numbered_file_name("a.tar.gz", 12), "a.tar_(12).gz");
    EXPECT_EQ(numbered_file_name("Dockerfile", 2), "Dockerfile_(2)");
}

TEST(FileType, IsTheSentOneOrElseTheExtensions) {
    const auto kind = [](const char* sent, const char* name) {
        const auto type = file_type_of(sent, name);
        return type ? std::optional(type->kind) : std::nullopt;
    };
    EXPECT_EQ(kind("text/plain; charset=utf-8", "a.py"), FileKind::lines);
    EXPECT_EQ(kind("video/mp2t", "a.ts"), FileKind::code);
    EXPECT_EQ(kind("", "README.MD"), FileKind::documentation);
    EXPECT_EQ(kind("application/octet-stream", "data.csv"), FileKind::data);
    EXPECT_EQ(kind("", "Dockerfile"), FileKind::code);
    EXPECT_EQ(kind("APPLICATION/JSON", "x"), FileKind::data);
    EXPECT_TRUE(file_type_of("application/pdf", "x")->is_pdf);
    EXPECT_TRUE(file_type_of("", "paper.pdf")->is_pdf);
    EXPECT_EQ(kind("application/octet-stream", "x"), std::nullopt);
    EXPECT_EQ(kind("chemical/x-xyz", "a.xyz"), std::nullopt);
    EXPECT_EQ(kind("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "a.docx"), std::nullopt);
    EXPECT_EQ(kind("", "noextension."), std::nullopt);
    EXPECT_EQ(file_type_of("", "a.yml")->mime, "text/x-yaml");
}

TEST(FileLimits, FollowTheWindow) {
    const auto limits = [](std::int64_t window) {
        AgentPlace place;
        fill_file_limits(place, window);
        return std::pair(*place.max_files_open, *place.per_file_view_window_char_limit);
    };
    using Pair = std::pair<std::int64_t, std::int64_t>;
    EXPECT_EQ(limits(0), Pair(5, 50'000));
    EXPECT_EQ(limits(8'000), Pair(3, 5'000));
    EXPECT_EQ(limits(32'000), Pair(5, 15'000));
    EXPECT_EQ(limits(128'000), Pair(10, 25'000));
    EXPECT_EQ(limits(200'000), Pair(10, 40'000));
    EXPECT_EQ(limits(1'000'000), Pair(15, 40'000));
}

}  // namespace
}  // namespace stele
