#include "runtime/message_service.hpp"

#include <algorithm>

namespace stele::runtime {
namespace {

using boost::asio::awaitable;

// The parts of one exchange with tools, in the order in which they are stored (approval.hpp). 0: no part of one.
int rank_of(const Message& message) {
    if (!message.tool_returns.empty()) return 4;
    if (message.approvals.has_value()) return 3;
    if (is_approval_request(message)) return 2;
    return message.tool_calls.empty() ? 0 : 1;
}

// What the model thought before it asked, where that is all it said: nothing that could stand alone.
bool is_thought_before(const Message& message, const Message& request) {
    return is_approval_request(request) && message.role == MessageRole::assistant && rank_of(message) == 0 &&
           message.step_id && message.step_id == request.step_id && text_of(message).empty();
}

// Enough to see past messages that a failed run has left between the parts.
constexpr std::int64_t neighbours_max = 16;

// The messages of the exchange that `message` is a part of, as far as they lie on one side of it. `neighbours`: the
// nearest first.
void take_side(const Message& message, const std::vector<Message>& neighbours, bool later,
               std::vector<std::string>& ids) {
    int rank = rank_of(message);
    const Message* last = &message;
    for (const Message& each : neighbours) {
        const int next = rank_of(each);
        if (next == 0 && !each.context_position) continue;
        if (is_thought_before(each, *last)) ids.push_back(each.id);
        if (next == 0 || (later ? next <= rank : next >= rank)) return;
        ids.push_back(each.id);
        rank = next;
        last = &each;
    }
}

}  // namespace

awaitable<Message> MessageService::load(std::string organization_id, std::string agent_id,
                                        std::string message_id) const {
    auto message = co_await parts_.messages.find(std::move(organization_id), message_id);
    if (!message || message->agent_id != agent_id) throw not_found("Message", message_id);
    co_return std::move(*message);
}

awaitable<void> MessageService::refuse_compiled(std::string organization_id, Message message) const {
    if (message.role != MessageRole::system || !message.context_position) co_return;
    const auto loaded =
        co_await load_agent(parts_.database, std::move(organization_id), message.agent_id, message.conversation_id);
    if (loaded && !loaded->messages.empty() && loaded->messages.front().id == message.id)
        throw Error(ErrorCode::conflict, "Message " + message.id +
                                             " is compiled from the agent's system prompt and its memory blocks: "
                                             "change these instead");
}

awaitable<MessageService::Edited> MessageService::edit(std::string organization_id, std::string agent_id,
                                                       std::string message_id, MessageEdit edit) const {
    const Message found = co_await load(organization_id, agent_id, message_id);
    const Lease lease = co_await parts_.runtime.lease(agent_id, found.conversation_id);
    Edited edited;
    edited.message = co_await load(organization_id, agent_id, message_id);  // as it is now that nobody is at work
    co_await refuse_compiled(organization_id, edited.message);
    edited.type = apply_edit(edit, edited.message);
    storage::Transaction transaction;
    parts_.messages.rewrite(transaction, edited.message);
    co_await parts_.database.commit(std::move(transaction));
    co_return edited;
}

awaitable<std::vector<std::string>> MessageService::remove(std::string organization_id, std::string agent_id,
                                                           std::string message_id) const {
    const Message found = co_await load(organization_id, agent_id, message_id);
    const Lease lease = co_await parts_.runtime.lease(agent_id, found.conversation_id);
    const Message message = co_await load(organization_id, agent_id, message_id);
    co_await refuse_compiled(organization_id, message);

    std::vector<std::string> ids = {message.id};
    if (rank_of(message) != 0) {
        storage::MessageFilter filter;
        filter.agent_id = agent_id;
        filter.conversation_id = message.conversation_id;
        storage::Page page;
        page.limit = neighbours_max;
        page.before = message.id;
        std::vector<Message> earlier = co_await parts_.messages.list(organization_id, filter, page);
        std::reverse(earlier.begin(), earlier.end());
        page.ascending = true;
        page.after = std::exchange(page.before, std::nullopt);
        const std::vector<Message> later = co_await parts_.messages.list(organization_id, filter, page);
        take_side(message, earlier, false, ids);
        take_side(message, later, true, ids);
    }
    storage::Transaction transaction;
    for (const std::string& id : ids) parts_.messages.remove(transaction, agent_id, id);
    parts_.agents.count_messages(transaction, agent_id, -static_cast<std::int64_t>(ids.size()));
    co_await parts_.database.commit(std::move(transaction));
    co_return ids;
}

}  // namespace stele::runtime
