#include "runtime/open_calls.hpp"

#include "base/contains.hpp"
#include "base/ids.hpp"

#include <algorithm>

namespace stele::runtime {
namespace {

constexpr char mark[] = "[NoResult]";  // of both texts below
constexpr char lost[] =
    "[NoResult] The result of this call is not known: it may or may not have been made. Make it again if it is still "
    "needed.";

constexpr char taken_away[] =
    "[NoResult] This call was answered, but its result has been taken out of the conversation. Making it again would "
    "repeat what it did.";

/// Calls of one answer that nothing has returned, and the place behind the answer where their returns belong.
struct Gap {
    std::size_t place = 0;
    const Message* answer = nullptr;
    std::vector<const MessageToolCall*> calls;
};

// Calls are paired with their returns by place and id: some servers give every answer's calls the same ids.
class GapFinder {
public:
    explicit GapFinder(const std::vector<Message>& context) : context_(context) {}

    std::vector<Gap> find() {
        for (std::size_t i = 0; i < context_.size(); ++i) visit(i);
        const bool pending = !context_.empty() && is_approval_request(context_.back());
        if (!pending) close(context_.size());
        return std::move(gaps_);
    }

private:
    void visit(std::size_t i) {
        const Message& message = context_[i];
        if (message.role == MessageRole::tool) {
            for (const MessageToolReturn& each : message.tool_returns) take_return(each.tool_call_id);
        } else if (message.role == MessageRole::approval && message.tool_calls.empty()) {
            // a decision: its returns stand behind it
        } else {
            const bool same_answer = is_approval_request(message) && i > 0 && answer_ == &context_[i - 1] &&
                                     answer_->step_id == message.step_id;
            if (!same_answer) close(i);
            answer_ = &message;
            for (const MessageToolCall& call : message.tool_calls) open_.push_back(&call);
        }
    }

    void take_return(const std::string& call_id) {
        const auto call =
            std::find_if(open_.begin(), open_.end(), [&](const MessageToolCall* each) { return each->id == call_id; });
        if (call != open_.end()) open_.erase(call);
    }

    void close(std::size_t place) {
        if (!open_.empty()) gaps_.push_back(Gap{place, answer_, std::move(open_)});
        open_.clear();
    }

    const std::vector<Message>& context_;
    const Message* answer_ = nullptr;
    std::vector<const MessageToolCall*> open_;
    std::vector<Gap> gaps_;
};

// By something else than a repair.
bool is_answered(const Gap& gap, const MessageToolCall& call, const std::vector<Message>& returned) {
    return std::any_of(returned.begin(), returned.end(), [&](const Message& message) {
        return gap.answer->step_id && message.step_id == gap.answer->step_id &&
               std::any_of(message.tool_returns.begin(), message.tool_returns.end(),
                           [&](const MessageToolReturn& each) {
                               return each.tool_call_id == call.id && !each.value.starts_with(mark);
                           });
    });
}

Message returns_for(const Gap& gap, const std::vector<Message>& returned) {
    Message returns;
    returns.id = new_id("message");
    returns.agent_id = gap.answer->agent_id;
    returns.conversation_id = gap.answer->conversation_id;
    returns.role = MessageRole::tool;
    returns.run_id = gap.answer->run_id;
    returns.step_id = gap.answer->step_id;
    returns.position = next_position();
    returns.created_at = now();
    returns.name = gap.calls.front()->name;
    for (const MessageToolCall* call : gap.calls) {
        MessageToolReturn& each = returns.tool_returns.emplace_back();
        each.tool_call_id = call->id;
        each.name = call->name;
        each.status = "error";
        each.value = is_answered(gap, *call, returned) ? taken_away : lost;
    }
    return returns;
}

}  // namespace

std::vector<std::string> steps_with_open_calls(const std::vector<Message>& context) {
    std::vector<std::string> steps;
    for (const Gap& gap : GapFinder(context).find())
        if (gap.answer->step_id && !contains(steps, *gap.answer->step_id)) steps.push_back(*gap.answer->step_id);
    return steps;
}

Repair close_open_calls(std::vector<Message>& context, const std::vector<Message>& returned) {
    Repair repair;
    const std::vector<Gap> gaps = GapFinder(context).find();
    if (gaps.empty()) return repair;
    std::vector<Message> whole(context.begin(), context.begin() + static_cast<std::ptrdiff_t>(gaps.front().place));
    auto gap = gaps.begin();
    for (std::size_t i = gaps.front().place; i <= context.size(); ++i) {
        if (gap != gaps.end() && gap->place == i) {
            Message returns = returns_for(*gap++, returned);
            returns.context_position = next_position();
            repair.returns.push_back(returns);
            whole.push_back(std::move(returns));
        }
        if (i == context.size()) break;
        Message moved = context[i];
        moved.context_position = next_position();
        repair.moved.push_back(moved);
        whole.push_back(std::move(moved));
    }
    context = std::move(whole);
    return repair;
}

}  // namespace stele::runtime
