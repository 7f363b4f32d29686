#pragma once

#include "domain/agent.hpp"
#include "domain/conversation.hpp"
#include "runtime/system_prompt.hpp"
#include "storage/database.hpp"

namespace stele::runtime {

/// An agent with all that a step looks at, from one snapshot of the store: as it is in one of its conversations, whose
/// model and blocks stand in place of its own.
struct LoadedAgent {
    Agent agent;
    std::string conversation_id;               ///< empty: the default one
    std::optional<Conversation> conversation;  ///< of the others; without its messages
    std::vector<Block> blocks;                 ///< in order of attachment
    std::vector<Tool> tools;
    std::vector<Message> messages;  ///< in the context window; the first is the system message
};

/// One round of reads. Nothing if the organisation has no such agent. `conversation_id` empty: the default one. Throws
/// Error{not_found} if the agent has no such conversation.
boost::asio::awaitable<std::optional<LoadedAgent>> load_agent(storage::Database& database, std::string organization_id,
                                                              std::string agent_id, std::string conversation_id);

/// Reads agent, blocks and tools again and leaves the messages: between two steps others may have written them.
/// False if the agent is gone; throws as load_agent does.
boost::asio::awaitable<bool> reload_settings(storage::Database& database, LoadedAgent& loaded);

/// The system message of the context window, or null if there is none.
Message* system_message_of(std::vector<Message>& messages);

/// Brings the text of the loaded system message up to date. True if it changed: then the row has to be rewritten.
bool refresh_system_message(LoadedAgent& loaded);

/// The input of the system prompt for `loaded`, compiled at `at`. Refers to `loaded`.
SystemPromptInput prompt_input(const LoadedAgent& loaded, Timestamp at);

}  // namespace stele::runtime
