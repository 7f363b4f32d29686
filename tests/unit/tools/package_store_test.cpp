#include "tools/sandbox/package_store.hpp"

#include "tests/unit/tools/sandbox_support.hpp"
#include "tools/sandbox/package_installers.hpp"

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>

namespace stele::tools {
namespace {

TEST(Requirement, IsANameWithVersions) {
    for (const char* text :
         {"six", "six==1.16.0", "letta-client", "uvicorn[standard]>=0.20,<1", "a~=1.0", "A_b.c != 2"})
        EXPECT_TRUE(is_requirement(text, Installer::pip)) << text;
    for (const char* text : {"", "-r/etc/passwd", "--index-url=x", "./x", "/x", "git+https://x/y",
                             "a @ https://x/y.whl", "a;os_name=='x'", "a\n-r b", "a $(x)", ".."})
        EXPECT_FALSE(is_requirement(text, Installer::pip)) << text;
}

TEST(Requirement, OfNodeMayHaveAScope) {
    for (const char* text :
         {"zod", "zod@3.23.8", "@letta-ai/letta-client@1.12.1", "@a/b", "left-pad@^1.2.0", "a@>=1 <2"})
        EXPECT_TRUE(is_requirement(text, Installer::npm)) << text;
    for (const char* text : {"", "-g", "--registry=x", "./x", "/x", "a/b", "@a", "@/b", "@a/", "a@", "git+https://x/y",
                             "a@https://x/y.tgz", "a@file:x", "a@npm:b", "github:a/b", "a@../b", "..", "a@\n"})
        EXPECT_FALSE(is_requirement(text, Installer::npm)) << text;
}

struct RequirementsOfTools : ::testing::Test {
    void SetUp() override { STELE_NEEDS_WALLS(); }
    test::Room room;

    SandboxResult call(const std::string& source, std::vector<std::string> requirements) {
        SandboxCall call = test::call_of(source);
        call.requirements = std::move(requirements);
        return room.call(call);
    }
};

TEST_F(RequirementsOfTools, AreImportedByTheirCallsAlone) {
    const SandboxResult first = call("import iniconfig\ndef f(): return iniconfig.__file__", {"iniconfig==2.0.0"});
    if (first.error_type == "InstallFailed" && first.error_message.find("onnect") != std::string::npos)
        GTEST_SKIP() << "no package index can be reached: " << first.error_message;

    EXPECT_EQ(first.value_json, R"("/env/iniconfig/__init__.py")") << first.error_message << first.err;
    EXPECT_EQ(call("def f():\n    import iniconfig", {}).error_type, "ModuleNotFoundError");
    EXPECT_FALSE(call("def f():\n    open('/env/iniconfig/__init__.py', 'a')", {"iniconfig==2.0.0"}).ok);
}

TEST_F(RequirementsOfTools, ThatCannotBeInstalledFailWithAReason) {
    const SandboxResult result = call("def f(): return 1", {"iniconfig==999.0.0"});

    EXPECT_EQ(result.error_type, "InstallFailed");
    EXPECT_NE(result.error_message.find("Failed to install iniconfig==999.0.0"), std::string::npos);
    EXPECT_NE(result.error_message.find("package version incompatibility"), std::string::npos);
    EXPECT_EQ(call("def f(): return 1", {"-r /etc/passwd"}).error_type, "InstallFailed");
}

TEST_F(RequirementsOfTools, AreInstalledOnceForCallsThatComeTogether) {
    int done = 0;
    std::string failures;
    for (int i = 0; i < 3; ++i) {
        SandboxCall wanted = test::call_of("import iniconfig\ndef f(): return 1");
        wanted.requirements = {"iniconfig==2.0.0"};
        boost::asio::co_spawn(room.io(), room.sandbox().call(wanted), [&](std::exception_ptr, SandboxResult result) {
            ++done;
            failures += result.error_message;
        });
    }
    const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (done < 3 && std::chrono::steady_clock::now() < until) {
        room.io().run_one_for(std::chrono::milliseconds(5));
    }
    if (failures.find("onnect") != std::string::npos) GTEST_SKIP() << failures;

    EXPECT_EQ(done, 3);
    EXPECT_EQ(failures, "");
}

}  // namespace
}  // namespace stele::tools
