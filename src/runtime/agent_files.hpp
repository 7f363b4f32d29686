#pragma once

#include "base/worker_threads.hpp"
#include "domain/agent_file.hpp"
#include "runtime/agent_service.hpp"
#include "runtime/tool_service.hpp"
#include "storage/mcp_server_repository.hpp"

#include <functional>

namespace stele::runtime {

class FileIngest;

struct ExportOptions {
    enum class Messages : std::uint8_t { context, all, none };
    Messages messages = Messages::context;
    std::string conversation_id;  ///< whose window is taken as the agent's; empty: the default one
    std::vector<Json> skills;     ///< written as they are
};

/// What POST /v1/agents/import was told besides the file.
struct ImportOptions {
    std::optional<std::string> name;  ///< of the first agent; the others get " 2", " 3" behind it
    bool append_copy_suffix = true;   ///< "_copy", where no name is given
    bool override_existing_tools = true;
    bool strip_messages = false;
    std::optional<std::string> model, embedding;  ///< handles that take the place of those in the file
    TextMap secrets;                              ///< values for the names in the file, and further ones
    std::optional<std::string> project_id;
};

/// Agents going to a file and coming from one. Thread-safe; what it refers to outlives it.
class AgentFiles {
public:
    struct Parts {
        storage::Database& database;
        const storage::AgentRepository& agents;
        const storage::BlockRepository& blocks;
        const storage::ToolRepository& tools;
        const storage::MessageRepository& messages;
        const storage::GroupRepository& groups;
        const storage::McpServerRepository& mcp_servers;
        const storage::FolderRepository& folders;
        const storage::FileRepository& files;
        const storage::AttachedFileRepository& attached;
        const FolderLinks& folder_links;
        FileIngest& ingest;
        const AgentService& agent_service;
        const ToolService& tool_service;
        WorkerThreads& workers;
    };

    explicit AgentFiles(Parts parts) : parts_(std::move(parts)) {}

    /// All of a file but its messages, which are read while it is written.
    struct Export {
        struct Of {
            std::string organization_id, agent_id, timezone;
            FileAgentHead head;
            FileAgentTail tail;
            std::vector<Message> messages;  ///< of the window; for Messages::all they are read while writing
        };
        ExportOptions options;
        std::vector<Of> agents;
        std::vector<std::pair<std::string, FileDocument>> files;  ///< with their ids in the store; without content
        AgentFileTail tail;
    };

    /// The agent with the agents of its groups. Throws Error{not_found} for an unknown agent or conversation.
    boost::asio::awaitable<Export> prepare_export(std::string organization_id, std::string agent_id,
                                                  ExportOptions options) const;

    using Sink = std::function<boost::asio::awaitable<void>(std::string)>;

    /// Gives the file to `sink` as compact JSON, piece by piece. `what` outlives it.
    boost::asio::awaitable<void> write(const Export& what, Sink sink) const;

    /// parse_agent_file away from the event loop: a large file takes long.
    boost::asio::awaitable<AgentFile> read(std::string text) const;

    /// Makes all that `file` holds in one transaction. Returns the ids of the agents, in its order. Throws
    /// Error{invalid_argument} or Error{not_found} for what can't be made; nothing is left behind then.
    boost::asio::awaitable<std::vector<std::string>> import(std::string organization_id, std::string actor,
                                                            AgentFile file, ImportOptions options) const;

private:
    struct Import;

    boost::asio::awaitable<void> add_agent(Export& into, std::string organization_id, std::string agent_id) const;
    boost::asio::awaitable<void> import_servers(Import& at) const;
    boost::asio::awaitable<void> import_tools(Import& at) const;
    boost::asio::awaitable<void> import_tool(Import& at, Tool tool) const;
    boost::asio::awaitable<void> import_folders(Import& at) const;
    boost::asio::awaitable<NewFolders> folders_of(const Import& at, const FileAgent& from) const;
    boost::asio::awaitable<void> add_folders(Export& into, Export::Of& of, std::string agent_id) const;
    boost::asio::awaitable<void> import_agent(Import& at, std::size_t index) const;
    void import_groups(Import& at) const;

    Parts parts_;
};

}  // namespace stele::runtime
