#pragma once

#include "domain/run.hpp"
#include "runtime/tool_rules.hpp"

#include <string>
#include <variant>
#include <vector>

namespace stele::runtime {

/// What the loop knows between two steps of one request.
struct LoopState {
    bool speaks_in_text = true;   ///< a text ends the turn; else the model must call a tool
    bool parallel_calls = false;  ///< several calls of one answer are carried out, else only the first
    std::int64_t steps_left = 0;  ///< model calls that may follow the present one
    ToolRuleSet rules{{}};
    std::vector<std::string> tools;  ///< all that the agent has
};

/// The model has answered. `truncated`: the provider cut the answer at its length limit.
struct ModelAnswered {
    std::size_t calls = 0;
    bool truncated = false;
    std::vector<bool> waits = {};  ///< of each call, as far as they are looked at: it may not be made without a client
};

/// The calls of the step, or those that a client has decided about, have been carried out and are known to `rules`.
struct ToolsReturned {
    struct Call {
        std::string tool;
        bool forbidden = false;  ///< a rule or a person did not allow it, and it was not run
        bool heartbeat = false;  ///< the model asked to go on
        bool bad_rule = false;   ///< arguments that a rule fills in do not fit the tool, and it was not run
    };
    std::vector<Call> calls;
    bool input_waits = false;  ///< the request brought messages that the model has not seen yet
};

using LoopEvent = std::variant<ModelAnswered, ToolsReturned>;

/// Call the model again. With a `heartbeat`, a user message with this reason goes before.
struct AskModel {
    std::string heartbeat;
    bool operator==(const AskModel&) const = default;
};

/// Carry out the first `calls` calls of the answer.
struct RunTools {
    std::size_t calls = 0;
    bool operator==(const RunTools&) const = default;
};

/// Put off the first `calls` calls of the answer, all of them, until a client has decided about those that wait. The
/// turn ends with requires_approval.
struct AwaitApproval {
    std::size_t calls = 0;
    bool operator==(const AwaitApproval&) const = default;
};

struct Stop {
    StopReason reason = StopReason::end_turn;
    bool operator==(const Stop&) const = default;
};

using LoopAction = std::variant<AskModel, RunTools, AwaitApproval, Stop>;

/// What an agent does next. No clock, no random, no database: the same state and event give the same action.
LoopAction next_action(const LoopState& state, const LoopEvent& event);

}  // namespace stele::runtime
