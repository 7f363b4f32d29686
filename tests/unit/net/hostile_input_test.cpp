// What must cost no more than it weighs. Where a search or a shift came back for each of many, this would not end.
#include "net/sse.hpp"

#include <gtest/gtest.h>

namespace stele::net {
namespace {

TEST(AppendSseJson, EscapesSeparatorsThatAreAllThereIs) {
    std::string separators, escaped;
    for (int i = 0; i < 1'000'000; ++i) {
        separators += "\u2028\u2029\u0085";
        escaped += "\\u2028\\u2029\\u0085";
    }
    std::string out;

    append_sse_json(out, "\"" + separators + "\"");

    EXPECT_TRUE(out == "data: \"" + escaped + "\"\n\n");
}

}  // namespace
}  // namespace stele::net
