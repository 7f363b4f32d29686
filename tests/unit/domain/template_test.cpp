// What names, variables and contents of templates mean.
#include "domain/template.hpp"
#include "domain/feed.hpp"
#include "domain/pipeline.hpp"
#include "domain/project.hpp"
#include "domain/template_variables.hpp"

#include <gtest/gtest.h>

namespace stele {
namespace {

TEST(TemplateVariables, StandInDoubleBraces) {
    using Names = std::vector<std::string>;
    const std::pair<const char*, Names> cases[] = {
        {"", {}},
        {"plain {core_memory} text", {}},
        {"{{a}}", {"a"}},
        {"{{ a }} and {{b}} and {{a}}", {"a", "b"}},
        {"{{a.b-c_9}}", {"a.b-c_9"}},
        {"{{9a}} {{-a}} {{}} {{ }}", {}},
        {"{{a b}}", {}},
        {"{{a} }", {}},
        {"{{{a}}}", {"a"}},
        {"\\{{a}} {{b}}", {"b"}},
        {"{{_x}}{{y}}", {"_x", "y"}},
        {"{{a", {}},
    };
    for (const auto& [text, names] : cases) EXPECT_EQ(variables_in(text), names) << text;
}

TEST(TemplateVariables, AreReplacedOnceAndNeverWithinValues) {
    const TextMap values = {{"a", "{{b}}"}, {"b", "B"}, {"empty", ""}};
    const std::pair<const char*, const char*> cases[] = {
        {"{{a}}-{{ b }}", "{{b}}-B"}, {"x{{empty}}y", "xy"}, {"{{unknown}}", "{{unknown}}"},
        {"\\{{b}}", "{{b}}"},         {"{{{b}}}", "{B}"},    {"{{b}}{{b}}", "BB"},
    };
    for (const auto& [text, expected] : cases) EXPECT_EQ(with_values(text, values), expected) << text;
}

TEST(TemplateReference, IsANameAndAVersion) {
    EXPECT_EQ(parse_template_reference("bot").name, "bot");
    EXPECT_FALSE(parse_template_reference("bot").number);
    EXPECT_EQ(parse_template_reference("bot:3").number, 3);
    EXPECT_FALSE(parse_template_reference("bot:latest").number);
    EXPECT_TRUE(parse_template_reference("bot:current").current);
    EXPECT_TRUE(parse_template_reference("bot:dev").current);
    EXPECT_EQ(template_name_of("bot:whatever"), "bot");
    for (const char* bad : {"bot:", "bot:0", "bot:-1", "bot:1.5", "bot:x", "bot:1x", "bot:99999999999999999999"})
        EXPECT_THROW(parse_template_reference(bad), Error) << bad;
}

TEST(TemplateName, HasLettersDigitsDashesAndSpaces) {
    for (const char* good : {"a", "My bot_2-x", "0"}) EXPECT_NO_THROW(demand_template_name(good)) << good;
    for (const std::string& bad : {std::string(), std::string(101, 'a'), std::string("a:b"), std::string("a/b"),
                                   std::string(" a"), std::string("\xC3\xA4"), std::string("save")})
        EXPECT_THROW(demand_template_name(bad), Error) << bad;
}

TemplateAgent agent(const char* entity, const char* prompt = "") {
    TemplateAgent made;
    made.entityId = entity;
    made.systemPrompt = prompt;
    return made;
}

TemplateBlock block(const char* entity, const char* label, const char* value = "") {
    TemplateBlock made;
    made.entityId = entity;
    made.label = label;
    made.value = value;
    return made;
}

TemplateSnapshot pair_of_agents() {
    TemplateSnapshot made;
    made.agents = {agent("a", "I serve {{customer}}"), agent("b")};
    made.blocks = {block("x", "human", "Name: {{ name }}"), block("y", "notes", "{{name}}, {{place}}")};
    made.relationships = {{"a", "x"}, {"b", "y"}};
    made.type = "cluster";
    return made;
}

TEST(TemplateSnapshot, ListsVariablesOfPromptAndBlocksAndKeepsDefaults) {
    TemplateSnapshot snapshot = pair_of_agents();
    snapshot.agents[0].memoryVariables.emplace().data = {{"name", std::string("Ada"), "string"},
                                                         {"gone", std::string("x"), "string"}};

    list_variables(snapshot);

    const auto& first = snapshot.agents[0].memoryVariables->data;
    ASSERT_EQ(first.size(), 2u);
    EXPECT_EQ(first[0].key, "customer");
    EXPECT_FALSE(first[0].defaultValue.has_value());
    EXPECT_EQ(first[1].key, "name");
    EXPECT_EQ(first[1].defaultValue.value_or(""), "Ada");
    EXPECT_EQ(snapshot.agents[1].memoryVariables->data.size(), 2u);
}

TEST(TemplateSnapshot, HasToHangTogether) {
    EXPECT_NO_THROW(demand_sense(pair_of_agents()));
    const auto refused = [](auto change) {
        TemplateSnapshot snapshot = pair_of_agents();
        change(snapshot);
        EXPECT_THROW(demand_sense(snapshot), Error);
    };
    refused([](TemplateSnapshot& s) { s.agents.clear(); });
    refused([](TemplateSnapshot& s) { s.agents[1].entityId = "a"; });
    refused([](TemplateSnapshot& s) { s.blocks[0].entityId = "a"; });
    refused([](TemplateSnapshot& s) { s.blocks[0].entityId = ""; });
    refused([](TemplateSnapshot& s) { s.blocks[0].label = ""; });
    refused([](TemplateSnapshot& s) { s.blocks[0].limit = 0; });
    refused([](TemplateSnapshot& s) { s.relationships.push_back({"a", "nothing"}); });
    refused([](TemplateSnapshot& s) { s.relationships.push_back({"a", "x"}); });
    refused([](TemplateSnapshot& s) {
        s.blocks[1].label = "human";
        s.relationships.push_back({"a", "y"});
    });
    refused([](TemplateSnapshot& s) { s.type = "classic"; });
    refused([](TemplateSnapshot& s) { s.type = "nonsense"; });
    refused([](TemplateSnapshot& s) { s.type = "supervisor"; });
    refused([](TemplateSnapshot& s) {
        s.type = "supervisor";
        s.configuration.managerAgentEntityId = std::string("c");
    });
}

TEST(TemplateSnapshot, CopiesWithEntitiesOfTheirOwn) {
    const TemplateSnapshot before = pair_of_agents();

    const TemplateSnapshot copy = with_new_entities(before);

    EXPECT_NO_THROW(demand_sense(copy));
    EXPECT_NE(copy.agents[0].entityId, "a");
    EXPECT_EQ(copy.relationships[0].agentEntityId, copy.agents[0].entityId);
    EXPECT_EQ(copy.relationships[1].blockEntityId, copy.blocks[1].entityId);
}

TEST(TemplateSnapshot, ReadsBackAsItWasWritten) {
    TemplateSnapshot snapshot = pair_of_agents();
    list_variables(snapshot);

    EXPECT_EQ(to_json(decode_stored<TemplateSnapshot>(to_json(snapshot))), to_json(snapshot));
}

TEST(Slug, HasLowerCaseLettersDigitsAndDashes) {
    const std::pair<const char*, const char*> cases[] = {{"My Project", "my-project"},
                                                         {"  a  b  ", "a-b"},
                                                         {"\xC3\x9C"
                                                          "ber & aus",
                                                          "ber-aus"},
                                                         {"A_1-b", "a-1-b"},
                                                         {"!!", ""},
                                                         {"-", ""},
                                                         {"default-project", "default-project"}};
    for (const auto& [name, slug] : cases) EXPECT_EQ(slug_of(name), slug) << name;
    EXPECT_EQ(slug_of(std::string(80, 'x')).size(), 50u);
    EXPECT_EQ(free_slug("a", {"a", "a-2"}), "a-3");
    EXPECT_EQ(free_slug("a", {"a-2"}), "a");
}

TEST(SourceTexts, ComeAsListAsMessagesOrLineByLine) {
    using Texts = std::vector<std::string>;
    const std::pair<const char*, Texts> cases[] = {
        {R"(["a", {"content": "b"}, {"text": "c"}, {"x": 1}, 5])", {"a", "b", "c", R"({"x":1})", "5"}},
        {R"({"messages": ["a", "b"]})", {"a", "b"}},
        {R"({"content": "alone"})", {"alone"}},
        {"\"a\"\r\n\n{\"content\":\"b\"}\n", {"a", "b"}},
        {"[]", {}},
        {"", {}},
    };
    for (const auto& [body, texts] : cases) EXPECT_EQ(source_texts(body), texts) << body;
    EXPECT_FALSE(source_texts("<html>"));
    EXPECT_FALSE(source_texts("\"a\"\nnonsense"));
}

TEST(FeedRequest, PutsTextsIntoTheirPrompt) {
    FeedMessage first, second;
    first.content = "one";
    second.content = "two";
    const auto texts_of = [](const MessageRequest& request) {
        std::vector<std::string> texts;
        for (const InputMessage& message : *request.messages) texts.push_back(to_json(*message.content));
        return texts;
    };
    FeedSubscription subscription;
    EXPECT_EQ(texts_of(feed_request(subscription, {first, second})).size(), 2u);
    subscription.prompt_template = "News: {{content}}!";
    EXPECT_NE(texts_of(feed_request(subscription, {first})).front().find("News: one!"), std::string::npos);
    subscription.prompt_template = "News";
    EXPECT_NE(texts_of(feed_request(subscription, {first})).front().find("News\\n\\none"), std::string::npos);
    subscription.merge_strategy = combine_messages;
    EXPECT_EQ(texts_of(feed_request(subscription, {first, second})).size(), 1u);
}

TEST(PieceSize, IsBoundedInTextsAndBytes) {
    FeedMessage small, large;
    small.content = "x";
    large.content = std::string(100u << 10, 'x');
    EXPECT_EQ(piece_size({}), 0u);
    EXPECT_EQ(piece_size(std::vector<FeedMessage>(80, small)), 50u);
    EXPECT_EQ(piece_size({large, large}), 1u);
    EXPECT_EQ(piece_size({small, large}), 2u);
}

}  // namespace
}  // namespace stele
