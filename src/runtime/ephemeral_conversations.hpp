#pragma once

#include "domain/conversation_calls.hpp"
#include "runtime/agent_service.hpp"
#include "runtime/conversation_service.hpp"
#include "storage/ephemeral_repository.hpp"

namespace stele::runtime {

/// Conversations with a model that belong to no agent: behind each stands an agent of its own, hidden, without memory
/// and tools, which goes with its conversation, or a day after it was last used. Thread-safe; what it refers to
/// outlives it.
class EphemeralConversations {
public:
    struct Parts {
        storage::Database& database;
        const storage::EphemeralRepository& rows;
        const AgentService& agents;
        const ConversationService& conversations;
    };

    explicit EphemeralConversations(Parts parts) : parts_(parts) {}

    /// Throws Error{not_found} for an unknown model.
    boost::asio::awaitable<EphemeralConversation> create(std::string organization_id, std::string actor,
                                                         EphemeralConversationRequest request) const;

    /// Deletes a conversation, and the agent that stood behind it alone. Throws as ConversationService::remove.
    boost::asio::awaitable<void> remove(std::string organization_id, std::string id) const;

private:
    boost::asio::awaitable<void> forget_unused(std::string organization_id) const;

    Parts parts_;
};

}  // namespace stele::runtime
