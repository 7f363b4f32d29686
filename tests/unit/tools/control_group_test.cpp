#include "tools/sandbox/control_group.hpp"

#include "base/error.hpp"

#include <gtest/gtest.h>

#include <fstream>

namespace stele::tools {
namespace {

namespace fs = std::filesystem;
using Settings = std::vector<std::pair<std::string, std::string>>;

constexpr char one_tree[] =
    "24 1 0:22 / /proc rw - proc proc rw\n30 24 0:26 / /sys/fs/cgroup rw shared:9 - cgroup2 cgroup2 rw\n";

TEST(OwnGroup, IsWhereTheTreeShowsIt) {
    EXPECT_EQ(own_group("0::/system.slice/stele.service\n", one_tree), "/sys/fs/cgroup/system.slice/stele.service");
    EXPECT_EQ(own_group("0::/\n", one_tree), "/sys/fs/cgroup");
    EXPECT_EQ(own_group("9:name=systemd:/x\n4:memory:/y\n0::/z\n", one_tree), "/sys/fs/cgroup/z");
}

TEST(OwnGroup, IsBelowTheRootOfAMountThatShowsAPart) {
    const char mounts[] = "30 24 0:26 /pods/one /sys/fs/cgroup ro,nosuid master:9 - cgroup2 cgroup rw\n";

    EXPECT_EQ(own_group("0::/pods/one\n", mounts), "/sys/fs/cgroup");
    EXPECT_EQ(own_group("0::/pods/one/stele\n", mounts), "/sys/fs/cgroup/stele");
    EXPECT_EQ(own_group("0::/pods/oneself\n", mounts), "");
}

TEST(OwnGroup, IsNowhereWithoutATreeOfVersionTwo) {
    const char first_version[] = "31 25 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";

    EXPECT_EQ(own_group("4:memory:/x\n", first_version), "");
    EXPECT_EQ(own_group("0::/x\n", first_version), "");
    EXPECT_EQ(own_group("4:memory:/x\n", one_tree), "");
    EXPECT_EQ(own_group("0::/../outside\n", one_tree), "");
    EXPECT_EQ(own_group("", ""), "");
    EXPECT_EQ(own_group("0::", "30"), "");
    EXPECT_EQ(own_group("0::/x\n", "30 24 0:26 / - cgroup2\n - cgroup2 x\n"), "");
}

TEST(OwnGroup, IsFoundBehindBlanks) {
    EXPECT_EQ(own_group("0::/a\n", R"(30 24 0:26 / /sys/a\040b\134c rw - cgroup2 cgroup2 rw)"), R"(/sys/a b\c/a)");
}

TEST(GroupSettings, AreWhatTheControllersCanDo) {
    GroupLimits limits;
    limits.memory_bytes = 1 << 30;
    limits.processes = 512;
    limits.cpu_percent = 150;

    EXPECT_EQ(group_settings(limits, "cpuset cpu io memory pids"), (Settings{{"memory.max", "1073741824"},
                                                                             {"memory.swap.max", "0"},
                                                                             {"pids.max", "512"},
                                                                             {"cpu.max", "150000 100000"}}));
    EXPECT_EQ(group_settings(limits, "cpuset pids"), (Settings{{"pids.max", "512"}}));
    EXPECT_EQ(group_settings(limits, ""), Settings());
    EXPECT_EQ(group_settings({}, "cpu memory pids"), Settings());
}

// A folder that looks like a delegated group. What the kernel would do with what is written there it does not do.
struct GroupsInAFolder : ::testing::Test {
    GroupsInAFolder() {
        std::string name = (fs::temp_directory_path() / "stele-groups-XXXXXX").string();
        folder = ::mkdtemp(name.data());
        write(folder / "cgroup.controllers", "cpuset memory pids\n");
        write(folder / "cgroup.subtree_control", "memory pids\n");
    }
    ~GroupsInAFolder() override { fs::remove_all(folder); }

    static void write(const fs::path& file, const std::string& text) { std::ofstream(file) << text; }

    std::shared_ptr<ControlGroups> open(const std::string& place) {
        GroupLimits limits;
        limits.memory_bytes = 1 << 20;
        return std::make_shared<ControlGroups>(place, limits);
    }

    fs::path folder;
};

TEST_F(GroupsInAFolder, AreNotMadeWhereTheyAreSwitchedOffOrCanNotBe) {
    EXPECT_EQ(open("off")->missing(), "switched off");
    EXPECT_EQ(open("off")->make(), nullptr);
    EXPECT_NE(open((folder / "none").string())->missing().find("no controllers"), std::string::npos);

    write(folder / "cgroup.controllers", "hugetlb\n");
    EXPECT_NE(open(folder.string())->missing().find("no controllers"), std::string::npos);
}

TEST_F(GroupsInAFolder, TakeTheControllersThatAreHandedOn) {
    const auto groups = open(folder.string());

    EXPECT_EQ(groups->missing(), "");
    EXPECT_EQ(groups->controllers(), "memory pids");
}

TEST_F(GroupsInAFolder, ThatCanNotBeLimitedAreRefused) {
    const auto groups = open(folder.string());

    EXPECT_THROW(groups->make(), Error) << "a plain folder has no cgroup.procs";
}

TEST_F(GroupsInAFolder, OfAServerThatWasKilledAreRemoved) {
    fs::create_directory(folder / "sandbox-1-1");
    fs::create_directory(folder / "sandbox-1-2");
    write(folder / "sandbox-1-2" / "busy", "");
    fs::create_directory(folder / "other");

    open(folder.string());

    EXPECT_FALSE(fs::exists(folder / "sandbox-1-1"));
    EXPECT_TRUE(fs::exists(folder / "sandbox-1-2")) << "another server works there";
    EXPECT_TRUE(fs::exists(folder / "other"));
}

}  // namespace
}  // namespace stele::tools
