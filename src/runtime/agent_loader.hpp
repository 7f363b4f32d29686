#pragma once

#include "domain/agent.hpp"
#include "domain/conversation.hpp"
#include "runtime/directories.hpp"
#include "runtime/identity_view.hpp"
#include "runtime/system_prompt.hpp"
#include "storage/database.hpp"

namespace stele::runtime {

/// An agent with all that a step looks at, from one snapshot of the store: as it is in one of its conversations, whose
/// model and blocks stand in place of its own.
struct LoadedAgent {
    Agent agent;
    std::string conversation_id;               ///< empty: the default one
    std::optional<Conversation> conversation;  ///< of the others; without its messages
    std::vector<Block> blocks;                 ///< that the run sees, in order of attachment
    RunIdentity identity;                      ///< on whose behalf the run is
    IdentityFacts identity_facts;
    std::vector<Block> attached;  ///< with an identity: all that the agent holds, which the stored system message shows
    std::vector<Tool> tools;
    AgentDirectories directories;
    std::vector<Message> messages;    ///< in the context window; the first is the system message
    std::int64_t archival_count = 0;  ///< passages in the agent's archive; like its tags, by load_archive_facts alone
    std::vector<std::string> archival_tags;
};

/// One round of reads, and for an agent with folders a second one. Nothing if the organisation has no such agent.
/// `conversation_id` empty: the default one. With `identity` the blocks are those that a run on its behalf sees. Throws
/// Error{not_found} if the agent has no such conversation, or the organisation no such identity.
boost::asio::awaitable<std::optional<LoadedAgent>> load_agent(storage::Database& database, std::string organization_id,
                                                              std::string agent_id, std::string conversation_id,
                                                              RunIdentity identity = RunIdentity());

/// Reads agent, blocks and tools again and leaves the messages: between two steps others may have written them.
/// False if the agent is gone; throws as load_agent does.
boost::asio::awaitable<bool> reload_settings(storage::Database& database, LoadedAgent& loaded);

/// The folders and files of an agent that has `agent.folder_count` of them: no read if there are none.
boost::asio::awaitable<AgentDirectories> load_directories(storage::Database& database, const Agent& agent);

/// The system message of the context window, or null if there is none.
Message* system_message_of(std::vector<Message>& messages);

/// Reads what a system message tells of the agent's archive, for those that are compiled anew.
boost::asio::awaitable<void> load_archive_facts(storage::Database& database, LoadedAgent& loaded);

/// Brings the text of the loaded system message up to date. True if it changed: then the row has to be rewritten.
boost::asio::awaitable<bool> refresh_system_message(storage::Database& database, LoadedAgent& loaded);

/// The input of the stored system prompt for `loaded`, compiled at `at`. Refers to `loaded`.
SystemPromptInput prompt_input(const LoadedAgent& loaded, Timestamp at);

/// The text of the system message as the run's identity sees it, or nothing for a run without one: the stored text
/// (brought up to date) with the blocks that the run sees. It is not stored.
std::optional<std::string> system_text_for_identity(const LoadedAgent& loaded);

}  // namespace stele::runtime
