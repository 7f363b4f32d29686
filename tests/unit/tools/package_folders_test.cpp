#include "tools/sandbox/package_folders.hpp"

#include "tests/unit/tools/sandbox_support.hpp"

#include <gtest/gtest.h>

#include <fstream>

namespace stele::tools {
namespace {

namespace fs = std::filesystem;
using Keys = std::vector<std::string>;

PackageFolder folder(const char* key, std::uintmax_t bytes, int used) {
    PackageFolder made;
    made.key = key;
    made.bytes = bytes;
    made.last_used = fs::file_time_type(std::chrono::seconds(used));
    return made;
}

TEST(SuperfluousPackages, AreThoseUnusedForLongest) {
    const std::vector<PackageFolder> folders{folder("new", 10, 3), folder("old", 10, 1), folder("middle", 10, 2)};
    const auto nobody = [](const std::string&) { return false; };

    EXPECT_EQ(superfluous_packages(folders, 30, nobody), Keys());
    EXPECT_EQ(superfluous_packages(folders, 29, nobody), Keys({"old"}));
    EXPECT_EQ(superfluous_packages(folders, 10, nobody), Keys({"old", "middle"}));
    EXPECT_EQ(superfluous_packages(folders, 0, nobody), Keys({"old", "middle", "new"}));
    EXPECT_EQ(superfluous_packages({}, 0, nobody), Keys());
}

TEST(SuperfluousPackages, AreNeverInUse) {
    const std::vector<PackageFolder> folders{folder("new", 10, 3), folder("old", 10, 1), folder("middle", 10, 2)};

    EXPECT_EQ(superfluous_packages(folders, 20, [](const std::string& key) { return key == "old"; }), Keys({"middle"}));
    EXPECT_EQ(superfluous_packages(folders, 0, [](const std::string&) { return true; }), Keys());
}

TEST(PackageFolders, AreCompleteOrNotThere) {
    test::Room room;
    const fs::path& root = room.folder();
    const fs::path building = begin_packages(root / "key");
    std::ofstream(building / "file") << std::string(1000, 'x');
    fs::create_directory(root / "cut.removing");

    EXPECT_TRUE(package_folders(root).empty());
    EXPECT_FALSE(fs::exists(root / "cut.removing"));
    EXPECT_FALSE(touch_packages(root / "key"));

    publish_packages(building, root / "key");
    ASSERT_EQ(package_folders(root).size(), 1u);
    EXPECT_EQ(package_folders(root)[0].key, "key");
    EXPECT_EQ(package_folders(root)[0].bytes, 1000u);
    EXPECT_TRUE(touch_packages(root / "key"));

    remove_packages(root / "key");
    EXPECT_TRUE(package_folders(root).empty());
    EXPECT_TRUE(fs::is_empty(root));
    EXPECT_TRUE(package_folders(root / "nowhere").empty());
}

}  // namespace
}  // namespace stele::tools
