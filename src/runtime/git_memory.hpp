#pragma once

#include "runtime/agent_lease.hpp"
#include "runtime/alarm.hpp"
#include "storage/agent_repository.hpp"
#include "storage/block_repository.hpp"
#include "storage/git_memory_repository.hpp"
#include "tools/git/git.hpp"

#include <memory>

namespace stele {
class WorkerThreads;
}

namespace stele::runtime {

/// A repository that a path names, free to be read and written for as long as this lives.
struct OpenRepository {
    tools::GitRepository repository;
    Lease lease;
    std::string agent_id;       ///< whose blocks follow it; empty: nobody's, agents have it mounted
    std::string repository_id;  ///< of one that agents have mounted
    std::shared_ptr<void> presence = nullptr;
};

/// The memory of agents as repositories of git (docs/adr/0016). Blocks are what agents read and write; the files of the
/// branch main say the same, and their commits are its history. Whoever looks at the repository finds what blocks have
/// become as one more commit; what is pushed becomes the blocks. One side at a time: whoever opens a repository waits
/// for who has it open.
///
///     blocks changed      -> next look: commit on main, then git_memory.commit_id = that commit
///     push to main        -> blocks and git_memory.commit_id in one transaction, once the push is on the disk
///     crash in between    -> main is ahead of commit_id: the next look brings the blocks up to it
///
/// Folders: <root>/<id of the agent or repository>.git. Thread-safe; what it refers to outlives it.
class GitMemory {
public:
    struct Parts {
        storage::Database& database;
        const storage::AgentRepository& agents;
        const storage::BlockRepository& blocks;
        const storage::GitMemoryRepository& rows;
        WorkerThreads& workers;
        std::filesystem::path root;  ///< absolute
        boost::asio::any_io_executor executor;
    };

    explicit GitMemory(Parts parts) : parts_(std::move(parts)), alarm_(parts_.executor) {}

    /// True if the agent has the tag, or has had git memory before. Throws Error{not_found} for an unknown agent.
    boost::asio::awaitable<bool> enabled(std::string organization_id, std::string agent_id) const;

    /// The agent's repository with what its blocks say now. `user_id`: who looks. Throws Error{not_found} for an
    /// unknown agent, and git's errors (tools/git/git.hpp).
    boost::asio::awaitable<OpenRepository> open(std::string organization_id, std::string user_id, std::string agent_id);

    /// One that the agent has mounted. Throws Error{not_found}.
    boost::asio::awaitable<OpenRepository> open_mounted(std::string organization_id, std::string agent_id,
                                                        std::string name);
    /// The same by its id, mounted or not.
    boost::asio::awaitable<OpenRepository> open_shared(std::string organization_id, std::string repository_id);

    /// Brings the blocks up to what was pushed, behind a push. Throws as open.
    boost::asio::awaitable<void> pushed(std::string organization_id, std::string user_id, const OpenRepository& opened);

    const storage::GitMemoryRepository& rows() const { return parts_.rows; }

    /// Takes away, for ever and again, the folders of agents and repositories that are gone. Until stop(). Throws
    /// nothing.
    boost::asio::awaitable<void> run();
    void stop() { alarm_.stop(); }

    /// Repositories that are open. Thread-safe.
    std::size_t at_work() const { return static_cast<std::size_t>(at_work_.use_count() - 1); }

private:
    tools::GitRepository repository_of(const std::string& id) const;
    boost::asio::awaitable<void> follow_push(std::string organization_id, std::string user_id, std::string agent_id,
                                             const tools::GitRepository& repository) const;
    boost::asio::awaitable<void> commit_blocks(std::string organization_id, Agent agent,
                                               const tools::GitRepository& repository) const;
    boost::asio::awaitable<void> remove_orphans();

    Parts parts_;
    LeaseTable leases_;
    Alarm alarm_;
    std::shared_ptr<void> at_work_ = std::make_shared<int>();
};

}  // namespace stele::runtime
