#pragma once

#include "domain/capture.hpp"
#include "llm/foreign_turn.hpp"
#include "runtime/runtime.hpp"

namespace stele::runtime {

/// A turn that ran elsewhere, and for whom it is kept.
struct CaptureTask {
    std::string organization_id, user_id;
    std::string agent_id;
    std::string conversation_id;  ///< empty: the default one
    std::string provider, model;  ///< as the one who had it names them
    std::string request_id;
    llm::ForeignTurn turn;
};

/// Takes turns that ran elsewhere into an agent's history, as if they had been said to it and by it: they are in its
/// context, found by its searches, and read by those who look after its memory. Thread-safe; what it refers to outlives
/// it.
class MessageCapture {
public:
    struct Parts {
        storage::Database& database;
        const storage::AgentRepository& agents;
        const storage::MessageRepository& messages;
        const storage::ConversationRepository& conversations;
        const storage::RunRepository& runs;
        Runtime& runtime;
    };

    explicit MessageCapture(Parts parts) : parts_(parts) {}

    /// Stores it with a run and a step of its own, in one transaction, behind a run at work. A turn in which nobody
    /// said anything stores nothing. Throws Error{not_found} for an unknown agent or conversation, Error{conflict}
    /// while the conversation waits for an approval.
    boost::asio::awaitable<CapturedMessages> capture(CaptureTask task) const;

private:
    storage::Transaction transaction_of(const CaptureTask& task, const LoadedAgent& loaded,
                                        const std::vector<Message>& messages, const Run& run,
                                        const std::string& step_id) const;

    Parts parts_;
};

}  // namespace stele::runtime
