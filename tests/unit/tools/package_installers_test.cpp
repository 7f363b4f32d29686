#include "tools/sandbox/package_installers.hpp"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace stele::tools
