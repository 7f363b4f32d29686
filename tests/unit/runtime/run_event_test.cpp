#include "domain/json.hpp"
#include "runtime/run_log.hpp"
#include "runtime/token_events.hpp"

#include <gtest/gtest.h>

namespace stele::runtime {
namespace {

Message assistant() {
    Message message;
    message.id = "message-00000000-0000-4000-8000-000000000000";
    message.run_id = "run-00000000-0000-4000-8000-000000000000";
    message.role = MessageRole::assistant;
    return message;
}

llm::Delta delta(llm::Delta::Kind kind, std::string text, std::string call = {}, std::string tool = {}) {
    llm::Delta made;
    made.kind = kind;
    made.text = std::move(text);
    made.tool_call_id = std::move(call);
    made.tool_name = std::move(tool);
    return made;
}

/// All events of an answer of every kind of part, in which one piece of arguments is empty.
std::vector<RunEvent> events_of_an_answer(bool speaks_in_text) {
    using Kind = llm::Delta::Kind;
    Run run;
    run.id = "run-00000000-0000-4000-8000-000000000000";
    RunLog log(run);
    const Message message = assistant();
    TokenEvents::Options options;
    options.speaks_in_text = speaks_in_text;
    TokenEvents tokens(log, message, options);
    for (const char* text : {"let ", "me "}) tokens.on_delta(delta(Kind::reasoning, text));
    for (const char* text : {"It ", "is ", "so"}) tokens.on_delta(delta(Kind::text, text));
    tokens.on_delta(delta(Kind::tool_call, "", "call_1", "look"));
    for (const char* text : {"{\"a", "", "\":1}"}) tokens.on_delta(delta(Kind::tool_arguments, text, "call_1"));
    return log.messages(0);
}

std::string json(const LettaMessage& message) { return to_json(message); }

TEST(EventEncoder, WritesPiecesAsTheMessagesThatTheyAre) {
    for (const bool speaks_in_text : {true, false}) {
        EventEncoder encoder;
        for (const RunEvent& event : events_of_an_answer(speaks_in_text)) {
            std::string plain, numbered;
            encoder.encode(event, std::nullopt, plain);
            encoder.encode(event, 7, numbered);

            LettaMessage message = event.message();
            EXPECT_EQ(plain, json(message));
            head_of(message).seq_id = 7;
            EXPECT_EQ(numbered, json(message));
        }
    }
}

TEST(TokenEvents, KeepsWhatThePiecesOfAPartSay) {
    std::vector<std::string> told;
    for (const RunEvent& event : events_of_an_answer(true)) {
        const LettaMessage message = event.message();
        if (const auto* reasoning = std::get_if<ReasoningMessage>(&message))
            told.push_back("reasoning " + reasoning->reasoning);
        else if (const auto* text = std::get_if<ContentMessage>(&message))
            told.push_back("text " + *text->content.parts.front().text);
        else if (const auto* call = std::get_if<ToolCallDeltaMessage>(&message))
            told.push_back("call " + call->tool_call.name.value_or("-") + " " +
                           call->tool_call.arguments.value_or("-"));
    }

    EXPECT_EQ(told, (std::vector<std::string>{"reasoning let ", "reasoning me ", "text It ", "text is ", "text so",
                                              "call look -", "call - {\"a", "call - ", "call - \":1}"}));
}

TEST(TokenEvents, TellsTheSourcesOfReasoningApart) {
    std::vector<std::string> sources;
    for (const RunEvent& event : events_of_an_answer(false)) {
        const LettaMessage message = event.message();
        if (const auto* reasoning = std::get_if<ReasoningMessage>(&message)) sources.push_back(reasoning->source);
    }

    EXPECT_EQ(sources, (std::vector<std::string>{"reasoner_model", "reasoner_model", "non_reasoner_model",
                                                 "non_reasoner_model", "non_reasoner_model"}));
}

}  // namespace
}  // namespace stele::runtime
