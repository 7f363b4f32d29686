#pragma once

#include "base/worker_threads.hpp"
#include "knowledge/file_view.hpp"
#include "runtime/directories.hpp"
#include "storage/attached_file_repository.hpp"
#include "storage/file_repository.hpp"
#include "storage/folder_repository.hpp"

namespace stele::storage {
class AgentRepository;
}

namespace stele::runtime {

/// What agents see of their files, and the limits of it. Thread-safe; what it refers to outlives it.
class FileViews {
public:
    struct Parts {
        storage::Database& database;
        const storage::FileRepository& files;
        const storage::AttachedFileRepository& attached;
        WorkerThreads& workers;
        bool keep_blank_lines = false;  ///< blank lines count as lines
    };

    explicit FileViews(Parts parts) : parts_(parts) {}

    bool keeps_blank_lines() const { return parts_.keep_blank_lines; }

    /// The part of a file that `window` means, cut to `characters`. Away from the event loop. Throws as
    /// knowledge::view_of does.
    boost::asio::awaitable<knowledge::FileView> look(FileKind kind, std::string file_id, knowledge::ViewWindow window,
                                                     std::int64_t characters) const;

    /// The same for a file whose text nobody has stored yet.
    boost::asio::awaitable<knowledge::FileView> look_at_text(FileKind kind, std::string text,
                                                             knowledge::ViewWindow window,
                                                             std::int64_t characters) const;

    /// `files` as an agent gets them that has `present` already: the newest are open, as many as there is room for.
    boost::asio::awaitable<std::vector<AttachedFile>> first_views(Agent agent, std::vector<AttachedFile> present,
                                                                  std::vector<FileMetadata> files) const;

    /// Gives the file, whose text is stored, to every agent that has its folder and not the file. Returns those agents,
    /// with their organisation. May be called again.
    boost::asio::awaitable<std::vector<std::string>> give_to_agents(FileMetadata file,
                                                                    const storage::AgentRepository& agents) const;

    /// Gives the agent the files that came into its folders while it got those.
    boost::asio::awaitable<void> catch_up(Agent agent) const;

    /// What opening did: names of the files that were closed for the sake of others.
    struct Closed {
        std::vector<std::string> as_asked, for_room;
    };

    struct Wanted {
        std::string file_id;
        knowledge::ViewWindow window;
    };

    /// Opens `wanted`, of `files` (all of the agent). Those that `close_all_others` means, or that there is no room
    /// for, are closed. `files` is as it is then. Throws Error{invalid_argument} before anything is changed.
    boost::asio::awaitable<Closed> open(Agent agent, std::vector<AttachedFile>& files, std::vector<Wanted> wanted,
                                        bool close_all_others) const;

    void close(storage::Transaction& transaction, AttachedFile& file) const;

    /// Closes what is more than the agent may have open, and shows the rest within its limits, which have changed.
    boost::asio::awaitable<void> fit(storage::Transaction& transaction, Agent agent) const;

private:
    boost::asio::awaitable<void> show(AttachedFile& file, FileKind kind, knowledge::ViewWindow window,
                                      std::int64_t characters) const;

    Parts parts_;
};

}  // namespace stele::runtime
