#include "api/tool_caller.hpp"

#include "runtime/runtime.hpp"

namespace stele::api {
namespace {

constexpr int depth_max = 8;  // each holds a process, until the innermost has ended

}  // namespace

void will_wait(Services& services, const Request& request, const std::string& agent_id,
               const std::string& conversation_id) {
    if (!request.from_tool || request.from_tool->caller.origin.waiting.empty()) return;
    auto wait = services.runtime.waits().begin(request.from_tool->caller.origin.waiting,
                                               runtime::lease_key(agent_id, conversation_id));
    if (!wait)
        throw refused((conversation_id.empty() ? agent_id : conversation_id) +
                      " can't answer: it waits for the very tool that asks, directly or over others. From within a "
                      "tool, messages to it are sent without waiting: by messages/async");
    request.from_tool->waits.push_back(std::move(*wait));
}

runtime::CallOrigin origin_of(const Request& request) {
    if (!request.from_tool) return {};
    runtime::CallOrigin origin = request.from_tool->caller.origin;
    if (++origin.depth > depth_max)
        throw refused("This call of a tool is the last of a chain of " + std::to_string(depth_max) +
                      ", each from within the one before, and no chain may be longer");
    return origin;
}

void keep_waits(Response& response, std::shared_ptr<FromTool> from_tool) {
    if (!response.producer) return;
    response.producer = [produce = std::move(response.producer), kept = std::move(from_tool)](net::BodyWriter& writer) {
        return produce(writer);
    };
}

}  // namespace stele::api
