#pragma once

#include "base/ids.hpp"
#include "runtime/turn.hpp"

namespace stele::runtime {

inline std::int64_t nanoseconds(std::chrono::steady_clock::duration duration) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(duration).count();
}

/// Since 1970, to the microsecond.
inline std::int64_t now_ns() { return to_micros(now()) * 1'000; }

/// What one step gathers before it commits.
struct Turn::StepWork {
    /// What the next commit stores: all of the step, or, of calls that act outside the store, first that they are about
    /// to be made and then what came of them.
    enum class Part { whole, calls, returns };

    std::string step_id = new_id("step");
    Timestamp created_at = now();
    std::chrono::steady_clock::time_point began = std::chrono::steady_clock::now();
    storage::StepTimes times;
    bool system_changed = false;
    Message assistant;
    llm::ModelAnswer answer;
    std::optional<TokenEvents> tokens;
    bool tokens_shown = false;
    std::vector<PreparedCall> calls;
    std::vector<std::string> thoughts;  ///< of each call
    std::vector<bool> heartbeats;
    std::optional<tools::WorkingMemory> memory;
    LoopAction action = Stop{};
    Part part = Part::whole;
    bool cut_off = false;  ///< the run was cancelled while the calls were made
    std::string approval_id = new_id("message");
    std::vector<bool> waits;               ///< of each call: only a client can let it go on
    std::optional<Message> request;        ///< for approval: the calls that wait are in it, no longer in `assistant`
    bool settles = false;                  ///< no model was asked: a client's decision is carried out
    std::vector<MessageToolReturn> given;  ///< returns that need no run, before those of `calls`
    std::vector<Message> fresh;            ///< to be stored, in order
};

}  // namespace stele::runtime
