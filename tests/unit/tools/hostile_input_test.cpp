// Texts made to cost more than they weigh: what was quadratic in them once takes no time now. Where a search came back,
// these tests would not end.
#include "tests/unit/tools/failure_of.hpp"
#include "tools/builtin/memory_edits.hpp"
#include "tools/builtin/memory_patch.hpp"
#include "tools/builtin/text_lines.hpp"
#include "tools/mcp/content.hpp"
#include "tools/mcp/schema.hpp"
#include "tools/mcp/tool_list.hpp"
#include "tools/web/html_reduction.hpp"
#include "tools/web/markdown.hpp"
#include "tools/working_memory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/json.hpp>

#include <random>

namespace stele::tools {
namespace {

namespace json = boost::json;
using testing::HasSubstr;

std::string times(std::string_view text, std::size_t count) {
    std::string made;
    made.reserve(text.size() * count);
    for (std::size_t i = 0; i < count; ++i) made += text;
    return made;
}

TEST(HostilePage, HasCommentsWithoutNumber) {
    EXPECT_EQ(web::reduced_html(times("<!---->", 700'000) + "x"), "x");
    EXPECT_EQ(web::reduced_html("a<!-- -- > --!>b<!-- - -- --->c<!-->d<!--->e<!-- never"), "abcde");
}

TEST(HostilePage, IsFoundAtAnAddressOfManyLetters) {
    const std::string page = "<main>" + times("<a href=/b>y</a> ", 50'000) + "</main>";

    const std::string markdown = web::page_to_markdown(page, "http://x.example/" + times("a]", 100'000));

    EXPECT_THAT(markdown, HasSubstr("y y y"));
    EXPECT_THAT(web::page_to_markdown("<main><a href=/b>y</a></main>", "http://x.example/c"),
                HasSubstr("[y](http://x.example/b)"));
}

TEST(HostileSchema, RefersToALongDefinitionOften) {
    json::object properties;
    for (int i = 0; i < 3'000; ++i) properties["p" + std::to_string(i)] = {{"$ref", "#/$defs/D"}};
    const json::value schema{{"type", "object"},
                             {"$defs", {{"D", {{"type", "string"}, {"description", times("x", 150'000)}}}}},
                             {"properties", properties}};
    std::vector<std::string> problems;

    const json::value made = mcp::normalised(schema, problems);

    EXPECT_LT(json::serialize(made).size(), 1u << 20);
    EXPECT_THAT(problems, testing::ElementsAre(HasSubstr("too large")));
}

TEST(HostileSchema, NamesALongPropertyOften) {
    json::object properties;
    for (int i = 0; i < 3'000; ++i) properties["p" + std::to_string(i)] = {{"$ref", "#/$defs/D"}};
    const json::value schema{
        {"type", "object"},
        {"$defs", {{"D", {{"type", "object"}, {"properties", {{times("x", 150'000), {{"type", "string"}}}}}}}}},
        {"properties", properties}};
    std::vector<std::string> problems;

    EXPECT_LT(json::serialize(mcp::normalised(schema, problems)).size(), 1u << 20);
    EXPECT_FALSE(problems.empty());
}

TEST(HostileSchema, OffersAChoiceOfManyTypes) {
    json::array all;
    for (int i = 0; i < 500'000; ++i) all.push_back(json::object());
    std::vector<std::string> problems;

    const json::value made = mcp::normalised(json::object{{"properties", {{"p", {{"anyOf", all}}}}}}, problems);

    EXPECT_EQ(made.at("properties").at("p").at("anyOf").as_array().size(), 500'000u);
}

TEST(OwnNames, AreFoundForThousandsThatModelsCannotTellApart) {
    mcp::OwnNames names("s", {"_", "s___", "s___2"});
    std::set<std::string> found;

    for (int i = 0; i < 100'000; ++i) found.insert(names.take("\xff"));

    EXPECT_EQ(found.size(), 100'000u);
    EXPECT_TRUE(found.contains("s____3") || found.contains("s____2"));
}

TEST(HostileResult, RepeatsAnImageAlmost) {
    const std::string image = times("/9j/", 1'000'000) + "AAAA";
    const json::value parts = json::array{{{"type", "image"}, {"data", image}, {"mimeType", "image/jpeg"}}};

    const mcp::CallResult near = mcp::call_result(
        json::object{{"content", parts}, {"structuredContent", {{"result", times("/9j/", 4'000'000)}}}});
    const mcp::CallResult same = mcp::call_result(json::object{
        {"content", parts}, {"structuredContent", {{"result", {1, {{"url", "data:image/jpeg;base64," + image}}}}}}});

    EXPECT_THAT(near.text, HasSubstr("{\"result\":"));
    EXPECT_EQ(same.text, "[image: image/jpeg, 3000003 bytes]");
}

TEST(HostileEdit, LooksForALongTextThatIsAlmostEverywhere) {
    const std::string value(8'000'000, 'a'), half(4'000'000, 'a');

    EXPECT_THAT(failure_of([&] { edits::replace_once(value, half + "b", "x", "notes"); }), HasSubstr("was not found"));
    EXPECT_THAT(failure_of([&] { edits::replace_once(value, half, "x", "notes"); }), HasSubstr("16 times or more"));
    EXPECT_THAT(failure_of([&] { edits::replace_all(value, half + "b", "x", "notes"); }), HasSubstr("was not found"));
    EXPECT_EQ(edits::replace_all(value, half, "x", "notes"), "xx");
}

TEST(HostilePatch, RemovesLinesThatAreAllTheSame) {
    const std::string value = times("a\n", 1'000'000) + "b";

    EXPECT_EQ(edits::apply_hunks(value, "@@\n" + times("-a\n", 999'999) + "-a\n-b\n+c"), "c");
    EXPECT_THAT(failure_of([&] { edits::apply_hunks(value, "@@\n" + times("-a\n", 500'000)); }),
                HasSubstr("fits at 500001 places"));
    EXPECT_THAT(failure_of([&] { edits::apply_hunks(value, times("@@ -1 +1 @@\n-a\n", 500'000)); }),
                HasSubstr("too many hunks"));
}

// Against the plainest search there is.
TEST(PlacesIn, AreAllThatThereAre) {
    std::mt19937 random(20261128);
    for (int round = 0; round < 2'000; ++round) {
        std::vector<std::string> lines(random() % 30), part(1 + random() % 5);
        for (std::string& line : lines) line = random() % 3 == 0 ? "b" : "a";
        for (std::string& line : part) line = random() % 3 == 0 ? "b" : "a";
        const std::size_t from = random() % 5;
        std::vector<std::size_t> expected;
        for (std::size_t at = from; at + part.size() <= lines.size(); ++at)
            if (std::equal(part.begin(), part.end(), lines.begin() + static_cast<std::ptrdiff_t>(at)))
                expected.push_back(at);

        EXPECT_EQ(edits::places_in(lines, part, from), expected);
    }
}

}  // namespace
}  // namespace stele::tools
