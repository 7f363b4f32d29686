#pragma once

#include "domain/group.hpp"

#include <variant>

namespace stele::runtime {

/// An agent as it is known in a group.
struct Speaker {
    std::string id;
    std::string name;
};

/// How a talk stands.
struct TalkState {
    ManagerType manager_type = ManagerType::round_robin;
    std::vector<Speaker> members;
    std::int64_t turns_max = 0;
    std::optional<std::string> termination_token;
    std::int64_t turns = 0;    ///< that members have had
    std::string last_speaker;  ///< id
};

// What can happen in a talk.
struct TalkBegan {};
struct MemberSpoke {
    std::string text;  ///< empty: it failed, or had nothing to say
};
struct ManagerChose {
    std::string text;  ///< in which it names a member; empty: it failed
};
using TalkEvent = std::variant<TalkBegan, MemberSpoke, ManagerChose>;

// What is to be done next.
struct LetSpeak {
    std::string agent_id;
};
struct LetManagerChoose {};  ///< who speaks next
struct LetManagerSpeak {};   ///< the talk is the manager's own turn
struct EndTalk {};
using TalkAction = std::variant<LetSpeak, LetManagerChoose, LetManagerSpeak, EndTalk>;

TalkState begin_talk(const Group& group, std::vector<Speaker> members);

/// What follows `event`. No clock, no random, no database: the same state and event give the same action.
TalkAction next_in_talk(TalkState& state, const TalkEvent& event);

/// The member that `text` names first, by id or name; not the one who spoke last, unless there is no other. Nothing if
/// it names none.
const Speaker* named_member(const TalkState& state, const std::string& text);

}  // namespace stele::runtime
