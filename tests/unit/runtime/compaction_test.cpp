#include "domain/compaction.hpp"
#include "base/ids.hpp"
#include "base/utf8.hpp"
#include "runtime/compaction_plan.hpp"
#include "runtime/transcript.hpp"

#include <gtest/gtest.h>

#include <random>

namespace stele::runtime {
namespace {

Message message(MessageRole role, const std::string& text, const std::string& step = {}) {
    Message made;
    made.id = new_id("message");
    made.role = role;
    if (!text.empty()) made.content.push_back(text_part(text));
    if (!step.empty()) made.step_id = step;
    return made;
}

Message call(const std::string& id, MessageRole role = MessageRole::assistant, const std::string& step = {}) {
    Message made = message(role, {}, step);
    made.tool_calls.push_back(MessageToolCall{id, "tool", "{}"});
    return made;
}

Message returned(const std::string& id) {
    Message made = message(MessageRole::tool, {});
    MessageToolReturn tool_return;
    tool_return.tool_call_id = id;
    tool_return.name = "tool";
    tool_return.value = "done";
    made.tool_returns.push_back(tool_return);
    return made;
}

std::vector<Message> talk(int turns) {
    std::vector<Message> messages{message(MessageRole::system, "system")};
    for (int i = 0; i < turns; ++i) {
        messages.push_back(message(MessageRole::user, "question " + std::to_string(i)));
        messages.push_back(message(MessageRole::assistant, "answer " + std::to_string(i)));
    }
    return messages;
}

Eviction plan(const std::vector<Message>& messages, std::int64_t tokens_each, std::int64_t window, double part = 0.3) {
    const std::vector<std::int64_t> tokens(messages.size(), tokens_each);
    CompactionInput input;
    input.messages = messages;
    input.tokens = tokens;
    input.context_window = window;
    input.sliding_window_percentage = part;
    return plan_eviction(input);
}

Eviction plan_all(const std::vector<Message>& messages) {
    const std::vector<std::int64_t> tokens(messages.size(), 1);
    CompactionInput input;
    input.messages = messages;
    input.tokens = tokens;
    input.keeps_tail = false;
    return plan_eviction(input);
}

TEST(PlanEviction, EvictsItsPercentageAndBeginsTheTailAtAnAnswer) {
    const auto messages = talk(10);  // 21

    const Eviction eviction = plan(messages, 10, 10'000);

    EXPECT_EQ(eviction.begin, 1u);
    EXPECT_EQ(eviction.end, 6u);  // a third of 21 is 6, where an answer stands
    EXPECT_EQ(messages[eviction.end].role, MessageRole::assistant);
}

TEST(PlanEviction, EvictsMoreUntilTheRestFits) {
    const auto messages = talk(10);

    const Eviction eviction = plan(messages, 100, 1'000);  // 700 tokens are left: five messages with the margin

    EXPECT_GE(eviction.end, 16u);
    EXPECT_EQ(messages[eviction.end].role, MessageRole::assistant);
}

TEST(PlanEviction, EvictsMoreUntilThereAreFewEnoughMessages) {
    const auto messages = talk(10);
    const std::vector<std::int64_t> tokens(messages.size(), 1);
    CompactionInput input;
    input.messages = messages;
    input.tokens = tokens;
    input.context_window = 10'000;
    const std::size_t unbounded = plan_eviction(input).end;

    for (std::int64_t most = 2; most <= 21; ++most) {
        input.messages_max = most;

        const Eviction eviction = plan_eviction(input);

        EXPECT_LE(static_cast<std::int64_t>(2 + messages.size() - eviction.end), most);
        EXPECT_GE(eviction.end, unbounded);
    }
    input.messages_max = 21;
    EXPECT_EQ(plan_eviction(input).end, unbounded);
}

TEST(PlanEviction, TakesEverythingWhereNoTailFits) {
    const auto messages = talk(3);

    EXPECT_EQ(plan(messages, 1'000, 100).end, messages.size());
    EXPECT_EQ(plan_all(messages).end, messages.size());
}

TEST(PlanEviction, KeepsARequestForApprovalThatWaitsWithTheAnswerItBelongsTo) {
    auto messages = talk(4);
    messages.push_back(message(MessageRole::user, "do it"));
    messages.push_back(call("a", MessageRole::assistant, "step-1"));
    messages.push_back(call("b", MessageRole::approval, "step-1"));

    EXPECT_EQ(plan_all(messages).end, messages.size() - 2);
    EXPECT_EQ(plan(messages, 1'000, 100).end, messages.size() - 2);
}

TEST(PlanEviction, NeverPartsAnAnswerFromItsRequestForApproval) {
    std::vector<Message> messages = talk(1);
    const std::size_t answer = messages.size();
    messages.push_back(call("made", MessageRole::assistant, "step-1"));
    messages.push_back(call("asked", MessageRole::approval, "step-1"));
    messages.push_back(message(MessageRole::approval, {}));
    messages.push_back(returned("made"));
    for (int i = 0; i < 3; ++i) messages.push_back(message(MessageRole::user, "more"));

    for (const double part : {0.3, 0.4, 0.5, 0.6}) EXPECT_EQ(plan(messages, 1, 1'000, part).end, answer) << part;
}

TEST(PlanEviction, LeavesAnEmptyWindowAlone) {
    EXPECT_TRUE(plan_all(talk(0)).empty());
    EXPECT_TRUE(plan({}, 1, 10).empty());
}

TEST(PlanEviction, NeverPartsACallFromItsReturn) {
    std::mt19937 dice(7);
    for (int round = 0; round < 20'000; ++round) {
        std::vector<Message> messages{message(MessageRole::system, "s")};
        const int length = static_cast<int>(dice() % 30);
        for (int i = 0; i < length; ++i) {
            const std::string id = std::to_string(i);
            switch (dice() % 3) {
                case 0:
                    messages.push_back(message(MessageRole::user, "u"));
                    break;
                case 1:
                    messages.push_back(message(MessageRole::assistant, "a"));
                    break;
                default:
                    messages.push_back(call(id));
                    messages.push_back(returned(id));
            }
        }
        const double part = 0.05 + 0.05 * static_cast<double>(dice() % 19);
        const Eviction eviction = plan(messages, 1 + static_cast<std::int64_t>(dice() % 50), 1 + dice() % 600, part);

        ASSERT_LE(eviction.end, messages.size());
        ASSERT_LE(eviction.begin, eviction.end);
        if (eviction.end < messages.size()) {
            ASSERT_NE(messages[eviction.end].role, MessageRole::tool) << round;
        }
    }
}

TEST(PackagedSummary, GivesBackWhatWasPutIn) {
    CompactionStats stats;
    stats.trigger = "post_step_context_check";
    stats.context_tokens_before = 9'000;
    stats.messages_count_before = 41;
    stats.messages_count_after = 14;

    const std::string package = packaged_summary("They spoke \"of\"\n\ntea.", false, 27, stats, "now");

    EXPECT_EQ(summary_of_package(package), "They spoke \"of\"\n\ntea.");
    EXPECT_EQ(stats_of_package(package),
              R"({"trigger":"post_step_context_check","context_tokens_before":9000,"context_tokens_after":null,)"
              R"("context_window":null,"messages_count_before":41,"messages_count_after":14})");
    EXPECT_EQ(stats_of_package(packaged_summary("x", true, 1, std::nullopt, "now")), std::nullopt);
    EXPECT_EQ(summary_of_package("plain"), "plain");
}

TEST(Transcript, ShowsWhoSaidWhatAndWhatToolsDid) {
    const std::vector<Message> messages{message(MessageRole::user, "hi"), call("1"), returned("1"),
                                        message(MessageRole::assistant, "there")};

    EXPECT_EQ(transcript(messages, {}),
              "[user] hi\n\n[assistant calls tool] {}\n\n[tool returned] done\n\n[assistant] there");
}

TEST(Transcript, LosesItsMiddleBetweenCodePoints) {
    std::vector<Message> messages;
    for (int i = 0; i < 200; ++i) messages.push_back(message(MessageRole::user, "\u00fc\u4f60\U0001F600"));
    for (std::size_t bytes = 100; bytes < 120; ++bytes) {
        TranscriptOptions options;
        options.bytes_max = bytes;

        const std::string text = transcript(messages, options);

        EXPECT_TRUE(is_utf8(text)) << bytes;
        EXPECT_NE(text.find("left out"), std::string::npos);
        EXPECT_LE(text.size(), bytes + 80);
    }
}

TEST(ExtractiveSummary, KeepsTheOpeningTheEndAndTheEarlierNotes) {
    std::vector<Message> messages{
        message(MessageRole::system, "s"),
        message(MessageRole::summary, packaged_summary("They met.", true, 3, std::nullopt, "t"))};
    for (int i = 0; i < 100; ++i) messages.push_back(message(MessageRole::user, "word " + std::to_string(i)));

    const std::string notes = extractive_summary(messages, 400);

    EXPECT_TRUE(notes.starts_with("They met."));
    EXPECT_NE(notes.find("word 0"), std::string::npos);
    EXPECT_NE(notes.find("word 99"), std::string::npos);
    EXPECT_EQ(notes.find("word 50"), std::string::npos);
    EXPECT_LE(code_points(notes), 420u);
    EXPECT_EQ(notes, extractive_summary(messages, 400));
}

}  // namespace
}  // namespace stele::runtime
