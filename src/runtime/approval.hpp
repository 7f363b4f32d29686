#pragma once

#include "base/error.hpp"
#include "domain/message.hpp"
#include "runtime/tool_runner.hpp"

#include <optional>
#include <span>
#include <vector>

/// Calls that wait for a client: to be approved, or to be made by the client itself. Pure.
///
///     assistant  reasoning, text, and the calls of the answer that need nobody     (absent if there is none of it)
///     approval   the calls that wait                                               <- here the turn stopped
///     approval   what the client decided                                           -+ one transaction
///     tool       one return for each of the calls above                            -+
namespace stele::runtime {

/// A request for approval that nobody has answered. Always the newest message of its context window.
struct PendingApproval {
    const Message* request = nullptr;
    const Message* parked = nullptr;  ///< the calls of the same answer that wait with it; null if there are none
};

/// Nothing if the conversation does not wait. Points into `context`.
std::optional<PendingApproval> pending_approval(const std::vector<Message>& context);

/// What `answer` decides, once for each call of the request. Throws Error{invalid_argument} if it does not speak of
/// exactly these calls, or says of one both yes and no.
std::vector<ApprovalDecision> decisions_for(const InputMessage& answer, const PendingApproval& pending);

/// True if `answer` speaks of calls whose returns stand among `messages`: its sender did not hear that it arrived.
bool answered_before(const InputMessage& answer, std::span<const Message> messages);

/// The waiting calls, sorted by what becomes of them.
struct SettledCalls {
    std::vector<MessageToolReturn> results;  ///< of calls that the client has made
    std::vector<MessageToolReturn> denials;
    std::vector<PreparedCall> approved;  ///< to be run: the parked ones, then those that were approved
};
SettledCalls settle(const PendingApproval& pending, const std::vector<ApprovalDecision>& decisions,
                    bool loop_parameters);

/// What closes a request that nobody is going to answer: a decision and an error return for each call, the parked ones
/// too. To be stored behind the request, as a part of its run and step.
std::vector<Message> denial(const PendingApproval& pending, const std::string& reason);

/// The answers to requests that don't fit what the conversation waits for.
Error nothing_pending();                              ///< 400
Error still_pending(const PendingApproval& pending);  ///< 409 with the id of the request

}  // namespace stele::runtime
