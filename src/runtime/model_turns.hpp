#pragma once

#include "domain/agent.hpp"
#include "domain/message.hpp"
#include "llm/model.hpp"

#include <map>
#include <vector>

/// What goes to the model: an agent's messages as turns, its tools as specifications. Pure, and the same messages give
/// the same bytes on every step, so that the providers' prefix caches hold.
namespace stele::runtime {

struct TurnOptions {
    std::string timezone = "UTC";
    std::int64_t context_window = 0;                                   ///< tokens; bounds each single tool return
    bool inner_thoughts = false;                                       ///< thoughts stand among the arguments of a call
    const std::map<std::string, std::string>* sender_marks = nullptr;  ///< by sender_id, what stands before its words
    std::string model;  ///< that is asked: what another one has signed is not for it
};

/// `messages` in context order, without those that no provider accepts: a call whose return is missing gets a return
/// that says so, a return whose call is missing is left out, of several returns for one call the first counts.
std::vector<llm::Turn> make_turns(const std::vector<Message>& messages, const TurnOptions& options);

struct ToolSpecOptions {
    bool inner_thoughts = false;        ///< each tool gets `thinking` as its first, required parameter
    bool heartbeats = false;            ///< each tool that does not end the turn gets `request_heartbeat`
    std::vector<std::string> terminal;  ///< tools that end the turn
};

/// The specifications of those of `tools` whose name is in `allowed`.
std::vector<llm::ToolSpec> make_tool_specs(const std::vector<Tool>& tools, const std::vector<std::string>& allowed,
                                           const ToolSpecOptions& options);

}  // namespace stele::runtime
