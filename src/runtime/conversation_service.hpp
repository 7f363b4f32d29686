#pragma once

#include "runtime/model_choice.hpp"
#include "runtime/runtime.hpp"

namespace stele::runtime {

/// What a fork takes along.
struct ForkRequest {
    std::string agent_id;
    std::string source;                     ///< conversation id; empty: the agent's default one
    bool hidden = false;                    ///< left out of lists
    std::optional<std::string> message_id;  ///< the last message that it has
};

/// Conversations as a whole: what making, changing and deleting one takes beyond its row. Thread-safe; what it refers
/// to outlives it.
class ConversationService {
public:
    struct Parts {
        storage::Database& database;
        const storage::AgentRepository& agents;
        const storage::BlockRepository& blocks;
        const storage::MessageRepository& messages;
        const storage::ConversationRepository& conversations;
        const storage::IdempotencyRepository& idempotency;
        llm::Catalogue& catalogue;
        Runtime& runtime;
        ModelDefaults defaults;
    };

    explicit ConversationService(Parts parts) : parts_(std::move(parts)) {}

    /// Makes it with a system message of its own and private copies of the blocks it isolates, in one transaction.
    /// Throws Error{not_found} for an unknown agent or model, Error{invalid_argument} for a label that the agent has no
    /// block of. `idempotency_key`: claimed; keeps which conversation was made.
    boost::asio::awaitable<Conversation> create(std::string organization_id, std::string actor, std::string agent_id,
                                                CreateConversation request,
                                                std::optional<std::string> idempotency_key) const;

    /// Throws Error{not_found}.
    boost::asio::awaitable<Conversation> get(std::string organization_id, std::string id) const;

    /// Changes what `request` holds. Throws Error{conflict} if somebody else changed it meanwhile: then it may be
    /// called again.
    boost::asio::awaitable<Conversation> update(std::string organization_id, std::string actor, std::string id,
                                                UpdateConversation request) const;

    /// Makes a conversation that has the messages of the source's window and goes on by itself. Blocks are the agent's:
    /// isolated ones stay the source's.
    boost::asio::awaitable<Conversation> fork(std::string organization_id, std::string actor, ForkRequest request,
                                              std::optional<std::string> idempotency_key) const;

    /// Waits for a run at work.
    boost::asio::awaitable<void> remove(std::string organization_id, std::string id) const;

private:
    boost::asio::awaitable<void> choose_model(const Agent& agent, const ConversationRequest& request,
                                              Conversation& conversation) const;
    boost::asio::awaitable<LoadedAgent> load(std::string organization_id, std::string agent_id,
                                             std::string conversation_id) const;
    void add(storage::Transaction& transaction, const LoadedAgent& fresh, const Message& system,
             const std::optional<std::string>& idempotency_key) const;

    Parts parts_;
};

}  // namespace stele::runtime
