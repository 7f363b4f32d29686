#pragma once

#include "domain/model_config.hpp"

#include <boost/describe/class.hpp>

#include <array>

// What the terminal client asks of conversations beside talking in them.
namespace stele {

/// Body of POST /v1/conversations/ephemeral: a conversation with a model, without an agent's memory and tools.
struct EphemeralConversationRequest {
    std::string model;  ///< handle
    std::string system;
    Patch<ModelSettings> model_settings;
    Patch<std::int64_t> context_window_limit;
};
BOOST_DESCRIBE_STRUCT(EphemeralConversationRequest, (), (model, system, model_settings, context_window_limit))
void check(const EphemeralConversationRequest& request, Problems& problems);
constexpr std::array<std::string_view, 2> required_members(const EphemeralConversationRequest*) {
    return {"model", "system"};
}

struct EphemeralConversation {
    std::string id;                       ///< "conv-<uuid>": its messages go through the conversations' routes
    std::optional<std::string> agent_id;  ///< always null
    std::string model;
    std::optional<std::int64_t> context_window_limit;
};
BOOST_DESCRIBE_STRUCT(EphemeralConversation, (), (id, agent_id, model, context_window_limit))

/// A message that is given to be summarised.
struct GivenMessage {
    std::string role;  ///< user, assistant or system
    std::string content;
};
BOOST_DESCRIBE_STRUCT(GivenMessage, (), (role, content))
void check(const GivenMessage& message, Problems& problems);
constexpr std::array<std::string_view, 2> required_members(const GivenMessage*) { return {"role", "content"}; }

/// Body of POST /v1/conversations/{conversation_id}/summarize.
struct SummarizeRequest {
    std::string prompt;
    std::vector<GivenMessage> messages;
    Patch<std::string> model;     ///< handle; absent: the conversation's
    Patch<std::string> agent_id;  ///< whose conversation `default` means
};
BOOST_DESCRIBE_STRUCT(SummarizeRequest, (), (prompt, messages, model, agent_id))
void check(const SummarizeRequest& request, Problems& problems);
constexpr std::array<std::string_view, 2> required_members(const SummarizeRequest*) { return {"prompt", "messages"}; }

struct GivenSummary {
    std::string summary;
};
BOOST_DESCRIBE_STRUCT(GivenSummary, (), (summary))

}  // namespace stele
