#pragma once

#include "domain/memory_file.hpp"
#include "storage/database.hpp"

namespace stele::storage {

/// What the store knows of git memory: which commit an agent's blocks agree with, and the repositories that agents
/// share. The commits themselves are in folders (runtime/git_memory.hpp).
class GitMemoryRepository {
public:
    explicit GitMemoryRepository(Database& database) : database_(database) {}

    /// The commit that the blocks of an agent agree with; nothing if it has never had git memory.
    boost::asio::awaitable<std::optional<std::string>> commit_of(std::string organization_id,
                                                                 std::string agent_id) const;

    /// From `before` (empty: none yet). The commit throws Error{conflict} if it is another one by now.
    void set_commit(Transaction& transaction, const std::string& organization_id, const std::string& agent_id,
                    const std::string& before, const std::string& commit, Timestamp at) const;

    boost::asio::awaitable<std::optional<MemoryRepository>> find(std::string organization_id, std::string id) const;
    /// One that an agent has mounted under this name.
    boost::asio::awaitable<std::optional<MemoryRepository>> find_mounted(std::string organization_id,
                                                                         std::string agent_id, std::string name) const;
    /// The newest first.
    boost::asio::awaitable<std::vector<MemoryRepository>> list(std::string organization_id, std::int64_t limit,
                                                               std::int64_t offset) const;
    /// In the order of mounting.
    boost::asio::awaitable<std::vector<MemoryRepository>> mounted(std::string organization_id,
                                                                  std::string agent_id) const;

    /// The commit throws Error{conflict} if the name is taken.
    void insert(Transaction& transaction, const std::string& organization_id, const std::string& user_id,
                const MemoryRepository& made) const;
    void touch(Transaction& transaction, const std::string& organization_id, const std::string& id, Timestamp at) const;
    /// No effect if it is mounted already.
    void mount(Transaction& transaction, const std::string& agent_id, const std::string& repository_id,
               Timestamp at) const;
    /// The commit throws Error{not_found} if it is not mounted.
    void unmount(Transaction& transaction, const std::string& agent_id, const std::string& repository_id) const;

    /// Those of `ids`, agents' and repositories', that are there, whosever they are and in the trash too.
    boost::asio::awaitable<std::vector<std::string>> known(std::vector<std::string> ids) const;

    static std::vector<Statement> statements();

private:
    Database& database_;
};

}  // namespace stele::storage
