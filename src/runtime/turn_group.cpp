// A turn that is part of a group's talk.
#include "base/contains.hpp"
#include "runtime/runtime.hpp"
#include "tools/builtin/tables.hpp"

namespace stele::runtime {
namespace {

constexpr char lent_tool_id[] = "tool-00000000-0000-4000-8000-000000000001";  // in no store

}  // namespace

// By each message of the input, in order.
void Turn::note_group_input(const std::string& id) {
    if (!request_.group) return;
    const std::size_t number = told_ids_.size() + quiet_ids_.size();
    const bool told = number >= request_.group->passed_on && told_ids_.size() < request_.group->said;
    (told ? told_ids_ : quiet_ids_).push_back(id);
}

// What is said aloud is heard by the others, each in its next turn; what was passed on they know already, and reminders
// of the loop are said by nobody.
void Turn::tell_group(storage::Transaction& transaction, const std::vector<Message>& stored) const {
    if (!request_.group) return;
    std::vector<Message> told;
    for (const Message& message : stored) {
        const bool aloud =
            request_.group->aloud && message.role != MessageRole::user && !contains(quiet_ids_, message.id);
        if (aloud || contains(told_ids_, message.id)) told.push_back(message);
    }
    services_.groups.add_messages(transaction, request_.group->id, told);
}

// Those who look after this agent's memory read what has been said while it rests. A turn that waits for a person is
// not over yet.
boost::asio::awaitable<void> Turn::wake_partners() {
    const bool over = run_.stop_reason && *run_.stop_reason != StopReason::requires_approval;
    if (!over || !loaded_.agent.enable_sleeptime.value_or(false)) co_return;
    usage_.run_ids = co_await services_.runtime->sleeptime().after_turn(request_);
}

// The manager of a supervised group asks all of it, and answers then.
void Turn::lend_group_tools() {
    if (!request_.group || request_.group->broadcast_to.empty()) return;
    for (const tools::BuiltinTool& tool : tools::group_tools()) {
        std::erase_if(loaded_.tools, [&](const Tool& each) { return each.name == tool.name; });
        loaded_.tools.push_back(tools::describe_builtin(tool, lent_tool_id, request_.user_id));
    }
}

std::vector<ToolRule> Turn::rules_of_turn() const {
    std::vector<ToolRule> rules = loaded_.agent.tool_rules;
    if (!request_.group || request_.group->broadcast_to.empty()) return rules;
    for (const tools::BuiltinTool& tool : tools::group_tools()) {
        ToolRule first;
        first.tool_name = tool.name;
        first.type = "run_first";
        rules.push_back(std::move(first));
    }
    return rules;
}

}  // namespace stele::runtime
