#pragma once

#include "base/worker_threads.hpp"
#include "runtime/agent_file_stream.hpp"
#include "runtime/agent_import_keeper.hpp"
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
        const storage::AgentImportRepository& imports;
        const FolderLinks& folder_links;
        FileIngest& ingest;
        AgentImportKeeper& keeper;
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

    /// The same in the legacy form, which holds the first agent alone. `max_steps` >= 0: of its messages only the first
    /// and what follows from the `max_steps`-th last user message on.
    boost::asio::awaitable<void> write_legacy(const Export& what, std::int64_t max_steps, Sink sink) const;

    /// Makes all that the file holds. Returns the ids of the agents, in its order. Throws Error{invalid_argument} for a
    /// file that can't be read, Error{invalid_argument} or Error{not_found} for what can't be made; nothing is left
    /// behind then. A small file is one transaction. Messages and texts of a large one are stored before it, in many,
    /// so that nobody waits for it; nothing of it is seen until the last has been committed (docs/adr/0018).
    boost::asio::awaitable<std::vector<std::string>> import(std::string organization_id, std::string actor,
                                                            AgentFileSource source, ImportOptions options) const;

    /// For what blocks on the way here.
    WorkerThreads& workers() const { return parts_.workers; }

private:
    struct Import;
    class MessageWalk;

    boost::asio::awaitable<std::size_t> first_kept(const Export& what, std::int64_t max_steps) const;
    boost::asio::awaitable<AgentFileContents> read(AgentFileSource source) const;
    boost::asio::awaitable<void> store_stream(Import& at, AgentFileSource source) const;
    void store_some(Import& at, storage::Transaction& transaction, AgentFileStream::Some some) const;
    void place_messages(Import& at, std::size_t index, NewAgent& made) const;
    boost::asio::awaitable<void> add_agent(Export& into, std::string organization_id, std::string agent_id) const;
    boost::asio::awaitable<void> import_servers(Import& at) const;
    boost::asio::awaitable<void> import_tools(Import& at) const;
    boost::asio::awaitable<void> import_tool(Import& at, Tool tool) const;
    boost::asio::awaitable<void> import_folders(Import& at) const;
    void store_content(storage::Transaction& transaction, const FileDocument& file, const std::string& id,
                       const std::string& content) const;
    boost::asio::awaitable<NewFolders> folders_of(const Import& at, const FileAgent& from) const;
    boost::asio::awaitable<void> add_folders(Export& into, Export::Of& of, std::string agent_id) const;
    boost::asio::awaitable<void> import_agent(Import& at, std::size_t index) const;
    void import_groups(Import& at) const;

    Parts parts_;
};

/// The id of a message in a file with the whole history of `agents` agents, of which this is one: within an agent
/// positions tell messages apart; the remainder tells the agents apart.
std::string file_message_id(const Message& message, std::size_t agent, std::size_t agents);

}  // namespace stele::runtime
