// Rules of the house that a machine can check, read from the source tree itself.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

namespace {

namespace fs = std::filesystem;

const fs::path root = STELE_SOURCE_DIR;

// Which rooms a room may include, besides itself (DESIGN: includes run downward only).
const std::map<std::string, std::set<std::string>> allowed = {
    {"base", {}},
    {"domain", {"base"}},
    {"net", {"base"}},
    {"storage", {"domain", "base"}},
    {"llm", {"net", "domain", "base"}},
    {"tools", {"net", "domain", "base", "storage"}},
    {"knowledge", {"domain", "base", "storage"}},
    {"runtime", {"llm", "tools", "knowledge", "storage", "domain", "base"}},
    {"api", {"runtime", "llm", "tools", "knowledge", "storage", "net", "domain", "base"}},
    {"app", {"api", "runtime", "llm", "tools", "knowledge", "storage", "net", "domain", "base"}},
};

struct Source {
    fs::path path;
    std::string room;
    std::vector<std::string> lines;
};

std::vector<Source> sources() {
    std::vector<Source> all;
    for (const auto& entry : fs::recursive_directory_iterator(root / "src")) {
        const std::string extension = entry.path().extension();
        if (extension != ".cpp" && extension != ".hpp") continue;
        Source source;
        source.path = fs::relative(entry.path(), root);
        source.room = fs::relative(entry.path(), root / "src").begin()->string();
        std::ifstream file(entry.path());
        for (std::string line; std::getline(file, line);) source.lines.push_back(line);
        all.push_back(std::move(source));
    }
    return all;
}

std::string include_of(const std::string& line) {
    static const std::regex include("^#include [\"<]([^\">]+)[\">]");
    std::smatch match;
    return std::regex_search(line, match, include) ? match[1].str() : std::string();
}

TEST(Includes, RunDownward) {
    for (const Source& source : sources()) {
        ASSERT_TRUE(allowed.contains(source.room))
            << source.path << " stands in a room that the list above does not know";
        for (const std::string& line : source.lines) {
            const std::string path = include_of(line);
            const std::string room = path.substr(0, path.find('/'));
            if (path.find('/') == std::string::npos || !allowed.contains(room) || room == source.room) continue;
            EXPECT_TRUE(allowed.at(source.room).contains(room)) << source.path << ": " << line;
        }
    }
}

TEST(Includes, OfHeadersAboveNetAreLight) {
    for (const Source& source : sources()) {
        if (source.path.extension() != ".hpp" || source.room == "net" || source.path.filename() == "json_mapping.hpp" ||
            source.path.filename() == "json_parse.hpp")
            continue;
        for (const std::string& line : source.lines) {
            const std::string path = include_of(line);
            EXPECT_NE(path, "boost/asio.hpp") << source.path;
            EXPECT_NE(path, "boost/json.hpp") << source.path;
            EXPECT_FALSE(path.starts_with("boost/beast")) << source.path;
        }
    }
}

TEST(Includes, OfBeastStayInNet) {
    for (const Source& source : sources())
        for (const std::string& line : source.lines)
            EXPECT_TRUE(source.room == "net" || !include_of(line).starts_with("boost/beast"))
                << source.path << ": " << line;
}

TEST(Includes, OfTheMappingStayInSourcesOfDomainAndTheTools) {
    for (const Source& source : sources())
        for (const std::string& line : source.lines)
            if (include_of(line) == "domain/json_mapping.hpp") {
                EXPECT_EQ(source.path.extension(), ".cpp") << source.path;
                EXPECT_TRUE(source.room == "domain" || source.room == "tools") << source.path;
            }
}

// g++ 12 destroys an aggregate twice that is built on a line with co_await.
TEST(Coroutines, BuildNoAggregateOnALineThatAwaits) {
    const std::regex builds("co_await [a-z_:.>()-]+\\(.*([A-Z][A-Za-z]+\\{[^}]|\\bJson\\(\\))");
    for (const Source& source : sources())
        for (const std::string& line : source.lines)
            EXPECT_FALSE(std::regex_search(line, builds)) << source.path << ": " << line;
}

// The clang that builds the fuzz targets can't build coroutines with AddressSanitizer, and they link these rooms whole.
TEST(Coroutines, StandInNoSourceOfTheRoomsThatFuzzersLink) {
    const std::regex coroutine("\\bco_(await|return|yield)\\b|boost/asio/(use_awaitable|co_spawn)");
    for (const Source& source : sources()) {
        if ((source.room != "base" && source.room != "domain") || source.path.extension() != ".cpp") continue;
        for (const std::string& line : source.lines)
            EXPECT_FALSE(std::regex_search(line, coroutine)) << source.path << ": " << line;
    }
}

TEST(Files, FitInTheHead) {
    for (const Source& source : sources()) {
        EXPECT_LE(source.lines.size(), 500u) << source.path;
        for (const std::string& line : source.lines) EXPECT_LE(line.size(), 160u) << source.path << ": " << line;
        if (source.path.extension() != ".hpp") continue;
        EXPECT_EQ(source.lines.front(), "#pragma once") << source.path;
    }
}

TEST(Files, BelongToARoomOrATarget) {
    std::set<std::string> seen;
    for (const Source& source : sources()) {
        const auto depth = std::distance(source.path.begin(), source.path.end());
        EXPECT_LE(depth, 4) << source.path << " lies deeper than cmake/rooms.cmake looks";
        EXPECT_TRUE(seen.insert(source.path.string()).second);
    }
    EXPECT_GT(seen.size(), 50u);
}

}  // namespace
