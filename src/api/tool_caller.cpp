#include "api/tool_caller.hpp"

namespace stele::api {

void will_wait(Services& services, const Request& request, const std::string& agent_id,
               const std::string& conversation_id) {
    if (!request.from_tool || request.from_tool->caller.waiting.empty()) return;
    auto wait = services.runtime.waits().begin(request.from_tool->caller.waiting,
                                               runtime::lease_key(agent_id, conversation_id));
    if (!wait)
        throw refused((conversation_id.empty() ? agent_id : conversation_id) +
                      " can't answer: it waits for the very tool that asks, directly or over others. From within a "
                      "tool, messages to it are sent without waiting: by messages/async");
    request.from_tool->waits.push_back(std::move(*wait));
}

std::string waiting_for(const Request& request) {
    return request.from_tool ? request.from_tool->caller.waiting : std::string();
}

void keep_waits(Response& response, std::shared_ptr<FromTool> from_tool) {
    if (!response.producer) return;
    response.producer = [produce = std::move(response.producer), kept = std::move(from_tool)](net::BodyWriter& writer) {
        return produce(writer);
    };
}

}  // namespace stele::api
