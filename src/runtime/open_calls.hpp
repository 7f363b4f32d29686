#pragma once

#include "domain/message.hpp"

#include <vector>

/// Calls that nothing will ever answer: an edit of the context window took their return away, or an import brought
/// none. No provider takes a call without its return, and an agent must not be lost over one. Pure.
namespace stele::runtime {

/// What has to be stored of a repair.
struct Repair {
    std::vector<Message> returns;  ///< new: one error return for each such call, marked as lost
    std::vector<Message> moved;    ///< what stands behind them in the window, at new places
};

/// The steps whose calls have no return behind them in `context`, each once. Calls that wait for approval count as
/// answered.
std::vector<std::string> steps_with_open_calls(const std::vector<Message>& context);

/// Puts a return behind every call of `context` that has none. Calls that wait for approval are left alone. Both lists
/// are empty if there was nothing to do. `returned`: what is stored of those steps elsewhere: the model is not told of
/// a call that its answer is unknown, and made to repeat it, when only the window has lost it.
Repair close_open_calls(std::vector<Message>& context, const std::vector<Message>& returned = {});

}  // namespace stele::runtime
