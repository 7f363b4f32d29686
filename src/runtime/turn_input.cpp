#include "runtime/turn_input.hpp"

#include "base/ids.hpp"
#include "base/log.hpp"
#include "runtime/approval.hpp"
#include "runtime/turn.hpp"
#include "runtime/window_repair.hpp"

namespace stele::runtime {
namespace {

using boost::asio::awaitable;

// So far back an approval is looked for that arrives once more.
constexpr std::size_t repeat_messages_max = 10;

constexpr char keep_alive[] =
    "[This is an automatic keep-alive message that the person does not see] The decision about your tool calls had "
    "arrived already. Go on where you stopped.";

awaitable<void> repair(const TurnServices& services, const TurnRequest& request, LoadedAgent& loaded) {
    const Repair done =
        co_await repair_window(services.messages, request.organization_id, request.agent_id, loaded.messages);
    if (done.returns.empty()) co_return;
    storage::Transaction transaction;
    for (const Message& message : done.moved) services.messages.move_in_context(transaction, message);
    services.messages.insert(transaction, request.organization_id, done.returns);
    const auto count = static_cast<std::int64_t>(done.returns.size());
    services.agents.count_messages(transaction, request.agent_id, count);
    co_await services.database.commit(std::move(transaction));
    loaded.agent.message_count += count;
    log::warn(
        "context.repaired",
        {{"request_id", request.request_id}, {"agent_id", request.agent_id}, {"calls_closed", done.returns.size()}});
}

awaitable<bool> arrived_before(const TurnServices& services, const TurnRequest& request, const LoadedAgent& loaded,
                               const InputMessage& answer) {
    const std::span<const Message> context = loaded.messages;
    if (answered_before(answer, context.last(std::min(context.size(), repeat_messages_max)))) co_return true;
    // A compaction has taken the returns out of the window, and the request that the older form names.
    std::vector<Message> evicted;
    const std::string named = answer.approval_request_id.value_or("");
    if (!named.empty()) {
        auto asked = co_await services.messages.find(request.organization_id, named);
        if (asked && asked->agent_id == request.agent_id) evicted.push_back(std::move(*asked));
    }
    auto newest = co_await services.messages.newest_return(request.agent_id, request.conversation_id);
    if (newest) evicted.push_back(std::move(*newest));
    co_return answered_before(answer, evicted);
}

Message decision_message(const TurnRequest& request, const InputMessage& answer, const PendingApproval& pending) {
    Message decision;
    decision.id = new_id("message");
    decision.agent_id = request.agent_id;
    decision.role = MessageRole::approval;
    decision.otid = answer.otid.optional();
    decision.group_id = answer.group_id.optional();
    decision.approvals = decisions_for(answer, pending);
    decision.created_at = now();
    return decision;
}

Message keep_alive_message(const TurnRequest& request) {
    Message message;
    message.id = new_id("message");
    message.agent_id = request.agent_id;
    message.role = MessageRole::user;
    message.otid = new_uuid();
    message.content.push_back(text_part(keep_alive));
    message.created_at = now();
    return message;
}

// What `request` brings, or why it cannot begin. Changes nothing.
awaitable<TurnInput> understand(const TurnServices& services, const TurnRequest& request, const LoadedAgent& loaded) {
    TurnInput input;
    input.messages = input_messages(request.body, request.agent_id);
    const InputMessage* answer = approval_of(request.body);
    const auto pending = pending_approval(loaded.messages);
    input.continues = answer != nullptr;
    if (answer == nullptr && pending) throw still_pending(*pending);
    if (answer == nullptr) co_return input;
    if (pending) {
        input.decision = decision_message(request, *answer, *pending);
        co_return input;
    }
    const bool before = co_await arrived_before(services, request, loaded, *answer);
    if (!before) throw nothing_pending();
    if (input.messages.empty()) input.messages.push_back(keep_alive_message(request));
    co_return input;
}

}  // namespace

awaitable<TurnInput> take_input(const TurnServices& services, const TurnRequest& request, LoadedAgent& loaded) {
    TurnInput input = co_await understand(services, request, loaded);
    co_await repair(services, request, loaded);  // last: a request that is refused leaves the window as it was
    co_return input;
}

}  // namespace stele::runtime
