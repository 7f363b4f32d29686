#pragma once

#include "api/route.hpp"
#include "runtime/run_tokens.hpp"
#include "runtime/wait_graph.hpp"

namespace stele::api {

/// A request that comes from within a call of a tool: whom it speaks for, and whose answers it waits for.
struct FromTool {
    runtime::ToolCaller caller;
    std::vector<runtime::WaitGraph::Wait> waits;  ///< until the answer has been sent
};

/// The conversation (empty: the agent's default one; or a group, by its id alone) has to be free, or to answer, before
/// `request` is answered. Call it before anything has begun. Throws Error{invalid_argument} for a request from within a
/// tool whose own turn that conversation is, or waits for: neither would ever go on. Else the wait is on record.
void will_wait(Services& services, const Request& request, const std::string& agent_id,
               const std::string& conversation_id = {});

/// What a call of a tool comes from that `request` asks for. Throws Error{invalid_argument} if it was asked for from
/// within a tool, which was from within another, and so on for too long.
runtime::CallOrigin origin_of(const Request& request);

/// Keeps the waits on record until a streamed answer has been told.
void keep_waits(Response& response, std::shared_ptr<FromTool> from_tool);

}  // namespace stele::api
