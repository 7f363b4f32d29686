#pragma once

#include "domain/message_edit.hpp"
#include "runtime/runtime.hpp"

#include <set>

namespace stele::runtime {

/// Changes of what has been said. They wait for a run at work in the conversation, and show in its next request.
/// Thread-safe; what it refers to outlives it.
class MessageService {
public:
    struct Parts {
        storage::Database& database;
        const storage::AgentRepository& agents;
        const storage::MessageRepository& messages;
        Runtime& runtime;
    };

    explicit MessageService(Parts parts) : parts_(parts) {}

    struct Edited {
        Message message;
        std::string type;  ///< of the part that was edited
    };

    /// A message that forks share is edited in all of them. Throws Error{not_found}, Error{invalid_argument} if it has
    /// no such part, Error{conflict} for the system message of a window, which is compiled from the agent.
    boost::asio::awaitable<Edited> edit(std::string organization_id, std::string agent_id, std::string message_id,
                                        MessageEdit edit) const;

    /// Deletes a message, and with one that makes, decides or answers calls the others that do: what is left is a
    /// history that every provider takes, in forks that share a part of it too. Returns the ids of all that were
    /// deleted. Throws as edit does.
    boost::asio::awaitable<std::vector<std::string>> remove(std::string organization_id, std::string agent_id,
                                                            std::string message_id) const;

private:
    boost::asio::awaitable<Message> load(std::string organization_id, std::string agent_id,
                                         std::string message_id) const;

    /// A message and, if it makes, decides or answers calls, the others that do with it; the conversations that have
    /// any.
    struct Exchange {
        std::vector<std::string> message_ids;
        std::set<std::string> conversation_ids;
    };
    boost::asio::awaitable<Exchange> exchange_of(std::string organization_id, Message message) const;
    boost::asio::awaitable<std::vector<Message>> parts_in(std::string organization_id, Message message,
                                                          std::string conversation_id) const;

    boost::asio::awaitable<void> refuse_compiled(std::string organization_id, Message message) const;

    Parts parts_;
};

}  // namespace stele::runtime
