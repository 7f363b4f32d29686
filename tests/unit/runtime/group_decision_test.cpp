#include "runtime/group_decision.hpp"

#include <gtest/gtest.h>

namespace stele::runtime {
namespace {

TalkState talk(ManagerType type, std::size_t members, std::optional<std::int64_t> max_turns = {}) {
    Group group;
    group.manager_type = type;
    group.max_turns = max_turns;
    if (type == ManagerType::dynamic) group.termination_token = "DONE!";
    std::vector<Speaker> speakers;
    for (const char* name : {"Ann", "Bob", "Ann Lee"})
        if (speakers.size() < members) speakers.push_back({std::string("agent-") + name, name});
    return begin_talk(group, std::move(speakers));
}

// The talk as a text: names in the order of speaking, ? where the manager is asked, M where it speaks, . at the end.
std::string told(TalkState state, const std::string& chosen = "", const std::string& said = "hello") {
    std::string out;
    TalkEvent event = TalkBegan{};
    for (int i = 0; i < 100; ++i) {
        const TalkAction action = next_in_talk(state, event);
        if (const auto* speak = std::get_if<LetSpeak>(&action)) {
            out += speak->agent_id.substr(6) + ",";
            event = MemberSpoke{said};
        } else if (std::holds_alternative<LetManagerChoose>(action)) {
            out += "?";
            event = ManagerChose{chosen};
        } else if (std::holds_alternative<LetManagerSpeak>(action)) {
            out += "M";
            event = MemberSpoke{said};
        } else {
            return out + ".";
        }
    }
    return out + "...";
}

TEST(NextInTalk, LetsTheMembersOfARoundRobinSpeakInTurn) {
    EXPECT_EQ(told(talk(ManagerType::round_robin, 3)), "Ann,Bob,Ann Lee,.");
    EXPECT_EQ(told(talk(ManagerType::round_robin, 2, 5)), "Ann,Bob,Ann,Bob,Ann,.");
    EXPECT_EQ(told(talk(ManagerType::round_robin, 3, 1)), "Ann,.");
    EXPECT_EQ(told(talk(ManagerType::round_robin, 1, 2)), "Ann,Ann,.");
    EXPECT_EQ(told(talk(ManagerType::round_robin, 0)), ".");
}

TEST(NextInTalk, CountsATurnInWhichNothingWasSaid) {
    EXPECT_EQ(told(talk(ManagerType::round_robin, 2, 3), "", ""), "Ann,Bob,Ann,.");
}

TEST(NextInTalk, LetsWhomTheManagerNames) {
    EXPECT_EQ(told(talk(ManagerType::dynamic, 2, 3), "bob, please"), "?Bob,?Ann,?Bob,.");
    EXPECT_EQ(told(talk(ManagerType::dynamic, 1), "Ann"), "?Ann,?Ann,.");
    EXPECT_EQ(told(talk(ManagerType::dynamic, 0), "Ann"), ".");
}

TEST(NextInTalk, GoesByTheOrderWhereTheManagerNamesNobody) {
    EXPECT_EQ(told(talk(ManagerType::dynamic, 3, 4), ""), "?Ann,?Bob,?Ann Lee,?Ann,.");
}

TEST(NextInTalk, EndsWithTheToken) {
    EXPECT_EQ(told(talk(ManagerType::dynamic, 2), "DONE!"), "?.");
    EXPECT_EQ(told(talk(ManagerType::dynamic, 2), "Bob", "we are DONE!"), "?Bob,.");
    TalkState tokenless = talk(ManagerType::dynamic, 2, 2);
    tokenless.termination_token.reset();
    EXPECT_EQ(told(tokenless, "Bob", "DONE!"), "?Bob,?Ann,.");
}

TEST(NextInTalk, IsTheManagersOwnTurnInTheOtherGroups) {
    for (const ManagerType type : {ManagerType::supervisor, ManagerType::sleeptime, ManagerType::voice_sleeptime})
        EXPECT_EQ(told(talk(type, 2)), "M.");
}

TEST(NamedMember, IsTheFirstOneWhoseWholeNameStands) {
    struct Case {
        const char *text, *last, *named;
    };
    for (const Case& each : {Case{"Bob and then Ann", "", "Bob"}, Case{"ANN", "", "Ann"}, Case{"Annabel", "", ""},
                             Case{"Let Ann Lee go on", "", "Ann Lee"}, Case{"agent-Bob", "", "Bob"},
                             Case{"Ann, or Bob", "agent-Ann", "Bob"}, Case{"", "", ""},
                             Case{"\xC3\xA9"
                                  "Bob",
                                  "", ""}}) {
        TalkState state = talk(ManagerType::dynamic, 3);
        state.last_speaker = each.last;

        const Speaker* named = named_member(state, each.text);

        EXPECT_EQ(named == nullptr ? "" : named->name, each.named) << each.text;
    }
}

}  // namespace
}  // namespace stele::runtime
