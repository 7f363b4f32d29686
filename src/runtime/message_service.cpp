#include "runtime/message_service.hpp"

#include "base/contains.hpp"

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

// What a failed run has left stands in no window, and a summary is written behind what it stands before.
bool stands_between(const Message& message) { return message.context_position && message.role != MessageRole::summary; }

// The messages of the exchange that `message` is a part of, as far as they lie on one side of it. `neighbours`: the
// nearest first.
void take_side(const Message& message, const std::vector<Message>& neighbours, bool later,
               std::vector<Message>& taken) {
    int rank = rank_of(message);
    const Message* last = &message;
    for (const Message& each : neighbours) {
        const int next = rank_of(each);
        const bool thought = is_thought_before(each, *last);
        if (thought) taken.push_back(each);
        if (!thought && next == 0 && !stands_between(each)) continue;
        if (next == 0 || (later ? next <= rank : next >= rank)) return;
        taken.push_back(each);
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

awaitable<std::vector<Message>> MessageService::parts_in(std::string organization_id, Message message,
                                                         std::string conversation_id) const {
    std::vector<Message> parts;
    storage::MessageFilter filter;
    filter.agent_id = message.agent_id;
    filter.conversation_id = std::move(conversation_id);
    storage::Page page;
    page.limit = neighbours_max;
    page.before = message.id;
    std::vector<Message> earlier = co_await parts_.messages.list(organization_id, filter, page);
    std::reverse(earlier.begin(), earlier.end());
    page.ascending = true;
    page.after = std::exchange(page.before, std::nullopt);
    const std::vector<Message> later = co_await parts_.messages.list(organization_id, filter, page);
    take_side(message, earlier, false, parts);
    take_side(message, later, true, parts);
    co_return parts;
}

// A call may have been forked while it waited, and answered differently on both sides: whoever has one part of it loses
// all of theirs.
awaitable<MessageService::Exchange> MessageService::exchange_of(std::string organization_id, Message message) const {
    Exchange exchange{{message.id}, {message.conversation_id}};
    std::vector<Message> left;
    left.push_back(std::move(message));
    while (!left.empty()) {
        const Message part = std::move(left.back());
        left.pop_back();
        if (rank_of(part) == 0) continue;
        std::vector<std::string> conversations = co_await parts_.messages.conversations_with(part.agent_id, part.id);
        for (std::string& conversation : conversations) {
            exchange.conversation_ids.insert(conversation);
            std::vector<Message> found = co_await parts_in(organization_id, part, std::move(conversation));
            for (Message& each : found) {
                if (contains(exchange.message_ids, each.id)) continue;
                exchange.message_ids.push_back(each.id);
                left.push_back(std::move(each));
            }
        }
    }
    co_return exchange;
}

awaitable<std::vector<std::string>> MessageService::remove(std::string organization_id, std::string agent_id,
                                                           std::string message_id) const {
    const Message found = co_await load(organization_id, agent_id, message_id);
    std::set<std::string> conversations;
    std::vector<Lease> leases;
    Exchange exchange = co_await exchange_of(organization_id, found);
    do {  // until what is to go lies in conversations where nobody is at work
        conversations.merge(exchange.conversation_ids);
        leases.clear();
        leases = co_await parts_.runtime.leases(agent_id, conversations);
        const Message message = co_await load(organization_id, agent_id, message_id);
        co_await refuse_compiled(organization_id, message);
        exchange = co_await exchange_of(organization_id, message);
    } while (!std::includes(conversations.begin(), conversations.end(), exchange.conversation_ids.begin(),
                            exchange.conversation_ids.end()));
    storage::Transaction transaction;
    for (const std::string& id : exchange.message_ids) parts_.messages.remove(transaction, agent_id, id);
    parts_.agents.count_messages(transaction, agent_id, -static_cast<std::int64_t>(exchange.message_ids.size()));
    co_await parts_.database.commit(std::move(transaction));
    co_return std::move(exchange.message_ids);
}

}  // namespace stele::runtime
