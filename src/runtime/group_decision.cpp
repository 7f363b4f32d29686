#include "runtime/group_decision.hpp"

#include <algorithm>
#include <cctype>

namespace stele::runtime {
namespace {

// How many turns a talk has whose group does not say: enough for everybody to speak, and in one that is led, to answer.
constexpr std::int64_t rounds_of_dynamic = 2;

bool letter(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || static_cast<unsigned char>(c) >= 0x80;
}

std::string lower(std::string text) {
    for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return text;
}

// Where `text` has `word` as a word of its own, in any spelling.
std::size_t find_word(const std::string& text, const std::string& word) {
    if (word.empty()) return std::string::npos;
    for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
        const std::size_t end = at + word.size();
        if ((at == 0 || !letter(text[at - 1])) && (end == text.size() || !letter(text[end]))) return at;
    }
    return std::string::npos;
}

bool says_token(const TalkState& state, const std::string& text) {
    return state.termination_token && text.find(*state.termination_token) != std::string::npos;
}

// The one behind the last speaker in the order of the group.
const Speaker& next_in_order(const TalkState& state) {
    const auto last = std::find_if(state.members.begin(), state.members.end(),
                                   [&](const Speaker& each) { return each.id == state.last_speaker; });
    if (last == state.members.end() || std::next(last) == state.members.end()) return state.members.front();
    return *std::next(last);
}

TalkAction let_speak(TalkState& state, const Speaker& speaker) {
    state.last_speaker = speaker.id;
    return LetSpeak{speaker.id};
}

TalkAction next_of_round_robin(TalkState& state, const TalkEvent& event) {
    if (std::holds_alternative<MemberSpoke>(event)) ++state.turns;
    if (state.turns >= state.turns_max) return EndTalk{};
    return let_speak(state, next_in_order(state));
}

TalkAction next_of_dynamic(TalkState& state, const TalkEvent& event) {
    if (const auto* spoke = std::get_if<MemberSpoke>(&event)) {
        ++state.turns;
        if (says_token(state, spoke->text)) return EndTalk{};
    }
    if (state.turns >= state.turns_max) return EndTalk{};
    const auto* chose = std::get_if<ManagerChose>(&event);
    if (chose == nullptr) return LetManagerChoose{};
    if (says_token(state, chose->text)) return EndTalk{};
    const Speaker* named = named_member(state, chose->text);
    return let_speak(state, named != nullptr ? *named : next_in_order(state));
}

}  // namespace

TalkState begin_talk(const Group& group, std::vector<Speaker> members) {
    TalkState state;
    state.manager_type = group.manager_type;
    state.members = std::move(members);
    const auto count = static_cast<std::int64_t>(state.members.size());
    state.turns_max =
        group.max_turns.value_or(group.manager_type == ManagerType::dynamic ? rounds_of_dynamic * count : count);
    state.termination_token = group.termination_token;
    return state;
}

TalkAction next_in_talk(TalkState& state, const TalkEvent& event) {
    const bool led = state.manager_type != ManagerType::round_robin && state.manager_type != ManagerType::dynamic;
    if (led) return std::holds_alternative<TalkBegan>(event) ? TalkAction(LetManagerSpeak{}) : EndTalk{};
    if (state.members.empty()) return EndTalk{};
    return state.manager_type == ManagerType::round_robin ? next_of_round_robin(state, event)
                                                          : next_of_dynamic(state, event);
}

const Speaker* named_member(const TalkState& state, const std::string& text) {
    const std::string said = lower(text);
    const Speaker* found = nullptr;
    std::size_t first = std::string::npos, length = 0;
    for (const Speaker& each : state.members) {
        if (each.id == state.last_speaker && state.members.size() > 1) continue;
        for (const std::string& word : {lower(each.id), lower(each.name)}) {
            const std::size_t at = find_word(said, word);
            // At the same place the longer name is meant: "Ann Lee" and not "Ann".
            if (at > first || (at == first && word.size() <= length) || at == std::string::npos) continue;
            found = &each;
            first = at;
            length = word.size();
        }
    }
    return found;
}

}  // namespace stele::runtime
