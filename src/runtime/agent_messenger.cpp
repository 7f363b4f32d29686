#include "runtime/agent_messenger.hpp"

#include "base/ids.hpp"
#include "runtime/awaited_run.hpp"
#include "tools/working_memory.hpp"

#include <algorithm>

namespace stele::runtime {
namespace {

using boost::asio::awaitable;
using tools::AgentReply;
using tools::ToolFailure;

std::string introduction(const std::string& name, const std::string& id, bool awaited) {
    const std::string sender = "[A message from another agent, '" + name + "' (" + id + "). ";
    return sender + (awaited ? "It waits for you: what you say next goes back to it.]\n\n"
                             : "It does not wait; to answer, send it a message.]\n\n");
}

const char* without_answer(StopReason reason) {
    switch (reason) {
        case StopReason::requires_approval:
            return "it waits for the approval of a tool call";
        case StopReason::cancelled:
            return "its run was cancelled";
        default:
            return "";
    }
}

}  // namespace

std::vector<std::string> spoken_in(const RunLog& run_log) {
    std::vector<std::string> texts;
    for (const RunLog::Event& event : run_log.messages(0)) {
        const LettaMessage message = event.message();
        const auto* said = std::get_if<ContentMessage>(&message);
        if (said == nullptr || said->message_type != "assistant_message") continue;
        std::string text;
        for (const ContentPart& part : said->content.parts) text += part.text.value_or({});
        texts.push_back(std::move(text));
    }
    return texts;
}

/// A message that was delivered, and its way back.
struct AgentMessenger::Question {
    std::string agent_id;
    std::string failure;                   ///< not empty: it was not delivered
    std::optional<WaitGraph::Wait> waits;  ///< from before the run begins until it has ended
    AwaitedRun run;
};

// Throws ToolFailure for what can't be delivered.
awaitable<TurnRequest> AgentMessenger::request_to(std::string agent_id, std::string message, bool awaited) const {
    if (!is_id(agent_id, "agent"))
        throw ToolFailure("other_agent_id: '" + agent_id + "' is no id of an agent; it looks like agent-<uuid>");
    if (sender_.depth >= depth_max)
        throw ToolFailure("Not delivered: this message is the last of a chain of " + std::to_string(depth_max) +
                          " between agents, and no chain may be longer. Answer without asking anybody");
    const auto sender = co_await services_.agents.find(sender_.organization_id, sender_.agent_id);
    if (!sender) throw not_found("Agent", sender_.agent_id);
    InputMessage input;
    input.role = std::string("system");
    MessageContent content;
    content.parts.push_back(text_part(introduction(sender->name, sender_.agent_id, awaited) + message));
    input.content = std::move(content);
    input.sender_id = sender_.agent_id;
    TurnRequest request;
    request.organization_id = sender_.organization_id;
    request.user_id = sender_.user_id;
    request.agent_id = std::move(agent_id);
    request.body.messages = std::vector<InputMessage>{std::move(input)};
    request.request_id = sender_.request_id;
    request.depth = sender_.depth + 1;
    co_return request;
}

awaitable<AgentMessenger::Question> AgentMessenger::begin(std::string agent_id, std::string message,
                                                          bool in_group) const {
    Question question;
    question.agent_id = agent_id;
    try {
        TurnRequest request = co_await request_to(agent_id, std::move(message), true);
        if (in_group) {
            GroupPart& part = request.group.emplace();
            part.id = sender_.group->id;
            part.passed_on = 1;  // the manager's own turn says it aloud
        }
        const std::string waiting = waiting_.empty() ? lease_key(sender_.agent_id, sender_.conversation_id) : waiting_;
        question.waits = services_.runtime->waits().begin(waiting, lease_key(agent_id, std::string()));
        if (!question.waits)
            throw ToolFailure(agent_id == sender_.agent_id
                                  ? "Not delivered: an agent can't wait for an answer of its own"
                                  : "Not delivered: agent " + agent_id + " waits for an answer of yours already");
        auto run_log = co_await services_.runtime->start(std::move(request));
        question.run = AwaitedRun(*services_.runtime, std::move(run_log));
    } catch (const ToolFailure& failure) {
        question.failure = failure.what();
    } catch (const Error& error) {  // the receiver's: unknown, no model, busy with too many
        if (error.code == ErrorCode::cancelled) throw;
        question.failure = "Agent " + agent_id + " could not take the message: " + error.what();
    }
    co_return question;
}

// All are begun before any is waited for, so they work side by side.
awaitable<std::vector<AgentReply>> AgentMessenger::ask_all(std::vector<std::string> agent_ids, std::string message,
                                                           bool in_group) {
    std::vector<Question> questions;
    for (const std::string& agent_id : agent_ids) {
        Question question = co_await begin(agent_id, message, in_group);
        questions.push_back(std::move(question));
    }
    std::vector<AgentReply> replies;
    for (Question& question : questions) {
        AgentReply reply;
        reply.agent_id = question.agent_id;
        reply.failure = std::move(question.failure);
        if (const auto run_log = question.run.log()) {
            const RunEnd end = co_await wait_for_end(run_log);
            reply.texts = spoken_in(*run_log);
            const std::string why = end.failure ? end.failure->what() : without_answer(end.reason);
            if (!why.empty()) reply.failure = "Agent " + question.agent_id + " did not finish: " + why;
        }
        question.waits.reset();
        replies.push_back(std::move(reply));
    }
    co_return replies;
}

awaitable<std::vector<AgentReply>> AgentMessenger::ask(std::vector<std::string> agent_ids, std::string message) {
    return ask_all(std::move(agent_ids), std::move(message), false);
}

awaitable<std::vector<AgentReply>> AgentMessenger::ask_group(std::string message) {
    if (!sender_.group) throw ToolFailure("There is no group that you lead here");
    const auto group = co_await services_.groups.find(sender_.organization_id, sender_.group->id);
    if (!group) throw ToolFailure("Not delivered: the group has been deleted");
    auto asking = ask_all(sender_.group->broadcast_to, std::move(message), true);
    co_return co_await std::move(asking);
}

awaitable<void> AgentMessenger::tell(std::string agent_id, std::string message) {
    TurnRequest request = co_await request_to(agent_id, std::move(message), false);
    std::string why;
    try {
        co_await services_.runtime->start(std::move(request));
    } catch (const Error& error) {
        if (error.code == ErrorCode::cancelled) throw;
        why = error.what();
    }
    if (!why.empty()) throw ToolFailure("Agent " + agent_id + " could not take the message: " + why);
}

awaitable<std::vector<std::string>> AgentMessenger::matching(std::vector<std::string> match_all,
                                                             std::vector<std::string> match_some) {
    storage::AgentFilter filter;
    filter.tags = std::move(match_all);
    filter.match_all_tags = true;
    filter.some_tags = std::move(match_some);
    filter.show_hidden = true;
    storage::Page page;
    page.ascending = true;
    page.limit = static_cast<std::int64_t>(receivers_max) + 2;  // one too many, and the sender
    const std::vector<Agent> agents =
        co_await services_.agents.list(sender_.organization_id, std::move(filter), std::move(page));
    std::vector<std::string> ids;
    for (const Agent& agent : agents)
        if (agent.id != sender_.agent_id) ids.push_back(agent.id);
    if (ids.size() > receivers_max)
        throw ToolFailure("More than " + std::to_string(receivers_max) + " agents have these tags; name more of them");
    co_return ids;
}

}  // namespace stele::runtime
