#include "runtime/group_talk.hpp"

#include "base/contains.hpp"
#include "base/log.hpp"

#include <boost/asio/this_coro.hpp>

#include <algorithm>

namespace stele::runtime {
namespace {

using boost::asio::awaitable;

constexpr std::int64_t passed_on_max = 200;  // messages that one agent is told at the beginning of its turn

constexpr char your_turn_again[] = "[It is your turn again; nobody has said anything since.]";

InputMessage said(const char* role, std::string text) {
    MessageContent content;
    content.parts.push_back(text_part(std::move(text)));
    InputMessage message;
    message.role = std::string(role);
    message.content = std::move(content);
    return message;
}

std::string question_to_manager(const TalkState& state) {
    std::string text = "[You lead this group and decide who speaks next. Answer with the name of one of its agents";
    if (state.termination_token) text += ", or with " + *state.termination_token + " if what was asked for is done";
    text += ". The agents:";
    for (const Speaker& member : state.members) text += "\n- " + member.name + " (" + member.id + ")";
    if (state.members.size() > 1)
        for (const Speaker& member : state.members)
            if (member.id == state.last_speaker) text += "\n" + member.name + " has just spoken: name another one.";
    return text + "]";
}

void add(UsageStatistics& total, const UsageStatistics& more) {
    const auto sum = [](auto& into, const auto& from) {
        if (from) into = into.value_or(0) + *from;
    };
    total.completion_tokens += more.completion_tokens;
    total.prompt_tokens += more.prompt_tokens;
    total.total_tokens += more.total_tokens;
    total.step_count += more.step_count;
    sum(total.cached_input_tokens, more.cached_input_tokens);
    sum(total.cache_write_tokens, more.cache_write_tokens);
    sum(total.reasoning_tokens, more.reasoning_tokens);
    total.context_tokens = more.context_tokens;
}

}  // namespace

awaitable<std::vector<Speaker>> GroupTalk::speakers(std::vector<std::string> ids) const {
    const std::vector<Agent> agents = co_await services_.agents.find_all(request_.organization_id, std::move(ids));
    std::vector<Speaker> found;
    for (const Agent& agent : agents) found.push_back(Speaker{agent.id, agent.name});
    co_return found;
}

// Asked before each turn: in a group that was deleted nobody else is to speak.
awaitable<bool> GroupTalk::group_exists() const {
    const auto found = co_await services_.groups.find(request_.organization_id, group_.id);
    co_return found.has_value();
}

awaitable<RunEnd> GroupTalk::carry_out() {
    members_ = co_await speakers(group_.agent_ids);
    TalkState state = begin_talk(group_, members_);
    TalkEvent event = TalkBegan{};
    for (;;) {
        const TalkAction action = next_in_talk(state, event);
        if (std::holds_alternative<EndTalk>(action)) break;
        const bool there = co_await group_exists();
        if (!there && !input_given_) throw not_found("Group", group_.id);
        if (!there) break;  // what was said before has been said
        std::string text;
        if (const auto* next = std::get_if<LetSpeak>(&action))
            text = co_await let_speak(next->agent_id);
        else if (std::holds_alternative<LetManagerSpeak>(action))
            text = co_await let_speak(*group_.manager_agent_id);
        else
            text = co_await let_manager_choose(state);
        if (std::holds_alternative<LetManagerChoose>(action))
            event = ManagerChose{std::move(text)};
        else
            event = MemberSpoke{std::move(text)};
    }
    if (!spoken_) end_.failure = failure_;
    if (end_.failure) end_.reason = StopReason::error;
    co_return end_;
}

TurnRequest GroupTalk::turn_of(const std::string& agent_id) const {
    TurnRequest turn;
    turn.organization_id = request_.organization_id;
    turn.user_id = request_.user_id;
    turn.agent_id = agent_id;
    turn.body = request_.body;
    turn.identity_id = request_.identity_id;
    turn.body.identity_id.reset();  // it is found already, and what others have said is not its own
    turn.body.input = Patch<MessageContent>();
    turn.body.messages = std::vector<InputMessage>();
    turn.run_type = request_.run_type;
    turn.stream_tokens = request_.stream_tokens;
    turn.request_id = request_.request_id;
    turn.depth = request_.depth;
    turn.group.emplace().id = group_.id;
    return turn;
}

// What the request brings, for the first who can take it.
std::vector<InputMessage> GroupTalk::new_input() {
    if (input_given_) return {};
    if (request_.body.messages.has_value()) return *request_.body.messages;
    InputMessage message;
    message.role = std::string("user");
    message.content = request_.body.input;
    if (!request_.identity_id.empty()) message.sender_id = request_.identity_id;
    return {std::move(message)};
}

// Members, and who spoke and has left the group since; the manager is named by what it is.
awaitable<std::vector<Speaker>> GroupTalk::known(const std::vector<Message>& messages) const {
    std::vector<Speaker> found = members_;
    std::vector<std::string> left;
    for (const Message& message : messages)
        if (message.role == MessageRole::assistant && message.agent_id != group_.manager_agent_id &&
            !contains(group_.agent_ids, message.agent_id) && !contains(left, message.agent_id))
            left.push_back(message.agent_id);
    if (left.empty()) co_return found;
    std::vector<Speaker> others = co_await speakers(std::move(left));
    for (Speaker& each : others) found.push_back(std::move(each));
    co_return found;
}

awaitable<std::vector<InputMessage>> GroupTalk::unheard_by(std::string agent_id) const {
    const std::vector<Message> messages = co_await services_.groups.unheard(group_.id, agent_id, passed_on_max);
    const std::vector<Speaker> everybody = co_await known(messages);
    std::vector<InputMessage> passed_on;
    for (const Message& message : messages) {
        if (message.role != MessageRole::assistant) {
            InputMessage& again = passed_on.emplace_back();
            again.role = std::string(to_string(message.role));
            MessageContent content;
            content.parts = message.content;
            again.content = std::move(content);
            if (message.sender_id) again.sender_id = *message.sender_id;
            continue;
        }
        const std::string text = spoken_text(message);
        if (text.empty()) continue;  // a call of a tool alone
        const auto speaker = std::find_if(everybody.begin(), everybody.end(),
                                          [&](const Speaker& each) { return each.id == message.agent_id; });
        const std::string name = speaker == everybody.end() ? "The manager" : speaker->name;
        InputMessage& reply = passed_on.emplace_back(said("system", name + " says in the group: " + text));
        reply.name = name;
        reply.sender_id = message.agent_id;
    }
    co_return passed_on;
}

awaitable<std::string> GroupTalk::let_speak(std::string agent_id) {
    TurnRequest turn = turn_of(agent_id);
    std::vector<InputMessage> input = co_await unheard_by(agent_id);
    turn.group->passed_on = input.size();
    for (InputMessage& message : new_input()) input.push_back(std::move(message));
    if (input.empty()) {
        input.push_back(said("system", your_turn_again));
        turn.group->passed_on = 1;
    }
    turn.body.messages = std::move(input);
    if (group_.manager_type == ManagerType::supervisor) turn.group->broadcast_to = group_.agent_ids;
    std::erase(turn.group->broadcast_to, agent_id);
    co_return co_await speak(std::move(turn), true);
}

// The question and its answer stay between the manager and nobody else.
awaitable<std::string> GroupTalk::let_manager_choose(TalkState state) {
    TurnRequest turn = turn_of(*group_.manager_agent_id);
    std::vector<InputMessage> input = co_await unheard_by(*group_.manager_agent_id);
    turn.group->passed_on = input.size();
    for (InputMessage& message : new_input()) input.push_back(std::move(message));
    turn.group->said = input.size() - turn.group->passed_on;
    turn.group->aloud = false;
    input.push_back(said("system", question_to_manager(state)));
    turn.body.messages = std::move(input);
    co_return co_await speak(std::move(turn), false);
}

// What the agent said, joined. An agent that fails says nothing.
awaitable<std::string> GroupTalk::speak(TurnRequest turn, bool shown) {
    const std::string agent_id = turn.agent_id;
    AwaitedRun run;
    const auto wait =
        services_.runtime->waits().begin(lease_key(group_.id, std::string()), lease_key(agent_id, std::string()));
    try {
        if (!wait) throw refused("Agent " + agent_id + " can't speak: it waits for what this group will say");
        auto begun = co_await services_.runtime->start(std::move(turn));
        run = AwaitedRun(*services_.runtime, std::move(begun));
    } catch (const Error& error) {
        if (error.code == ErrorCode::cancelled || error.code == ErrorCode::unavailable) throw;
        failure_ = error;
    }
    if (!run.log()) co_return std::string();
    input_given_ = true;
    if (!end_.usage.run_ids) end_.usage.run_ids.emplace();
    end_.usage.run_ids->push_back(run.log()->run_id());
    RunReader reader(run.log(), co_await boost::asio::this_coro::executor);
    while (!reader.at_end()) {
        const std::vector<RunLog::Event> fresh = co_await reader.read(std::chrono::hours(1));
        if (!shown) continue;
        for (const RunLog::Event& event : fresh) log_.append(event);
    }
    const RunEnd end = *run.log()->ended();
    add(end_.usage, end.usage);
    if (end.failure) {
        failure_ = end.failure;
        log::warn("group.agent_failed",
                  {{"group_id", group_.id}, {"agent_id", agent_id}, {"why", end.failure->what()}});
        co_return std::string();
    }
    if (shown) {
        spoken_ = true;
        end_.reason = end.reason;
    }
    std::string text;
    for (const std::string& each : spoken_in(*run.log())) text += (text.empty() ? "" : "\n") + each;
    co_return text;
}

}  // namespace stele::runtime
