#pragma once

#include "domain/json.hpp"

#include <boost/describe/class.hpp>

#include <array>

namespace stele {

/// Body of POST /v1/agents/{agent_id}/messages/capture: an exchange with a model that somebody else has had.
struct CaptureMessagesRequest {
    std::string provider;  ///< whose shape it has: anthropic, openai, gemini, ...
    std::string model;
    std::vector<Json> request_messages;  ///< as they were sent; those behind the last answer among them are new
    Json response_dict;                  ///< the provider's answer, or {"content": text}
    Patch<std::string> conversation_id;  ///< of the agent; absent or "default": its own
};
BOOST_DESCRIBE_STRUCT(CaptureMessagesRequest, (), (provider, model, request_messages, response_dict, conversation_id))
void check(const CaptureMessagesRequest& request, Problems& problems);
constexpr std::array<std::string_view, 4> required_members(const CaptureMessagesRequest*) {
    return {"provider", "model", "request_messages", "response_dict"};
}

struct CapturedMessages {
    bool success = true;
    std::int64_t messages_created = 0;
    std::vector<std::string> run_ids;  ///< of the turn itself, then of those who look after the agent's memory
};
BOOST_DESCRIBE_STRUCT(CapturedMessages, (), (success, messages_created, run_ids))

}  // namespace stele
