#pragma once

#include "runtime/file_views.hpp"
#include "storage/tool_repository.hpp"

namespace stele::runtime {

/// Folders that an agent is to get, with what comes with them.
struct NewFolders {
    std::optional<Folder> fresh;  ///< of `folders`: one that has to be stored first
    std::vector<Folder> folders;
    std::vector<AttachedFile> files;
    std::vector<Tool> tools;  ///< of files
};

/// Which folders agents have. Giving and taking them is part of the caller's transaction, with all that follows: the
/// files in view, the limits, the tools. Thread-safe; what it refers to outlives it.
class FolderLinks {
public:
    struct Parts {
        storage::Database& database;
        const storage::FolderRepository& folders;
        const storage::FileRepository& files;
        const storage::AttachedFileRepository& attached;
        const storage::ToolRepository& tools;
        const FileViews& views;
    };

    explicit FolderLinks(Parts parts) : parts_(parts) {}

    /// What an agent that has `present` (and is stored, or not yet) gets with the folders `ids`. Throws
    /// Error{not_found} for a folder that there is not.
    boost::asio::awaitable<NewFolders> prepare(Agent agent, std::vector<AttachedFile> present,
                                               std::vector<std::string> ids) const;

    /// Adds a new folder that is named after the agent.
    boost::asio::awaitable<void> add_default_folder(NewFolders& made, Agent agent, std::string actor) const;

    void add(storage::Transaction& transaction, const std::string& agent_id, const NewFolders& made) const;

    void detach(storage::Transaction& transaction, const std::string& agent_id, const std::string& folder_id) const;

    /// Lets the agent have exactly the folders `ids`. True if anything changes.
    boost::asio::awaitable<bool> replace(storage::Transaction& transaction, Agent agent,
                                         std::vector<std::string> ids) const;

    /// For limits of the agent that have changed.
    boost::asio::awaitable<void> fit(storage::Transaction& transaction, Agent agent) const;

    const FileViews& views() const { return parts_.views; }

    /// The tools that come with the first folder.
    boost::asio::awaitable<std::vector<Tool>> file_tools(std::string organization_id) const;

private:
    Parts parts_;
};

}  // namespace stele::runtime
