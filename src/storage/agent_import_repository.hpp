#pragma once

#include "domain/agent.hpp"
#include "domain/file.hpp"
#include "domain/folder.hpp"
#include "storage/database.hpp"

namespace stele::storage {

/// What an import of a large agent file stores before its last commit: agents with their messages, and folders with
/// their files. Their rows belong to the trash's organisation meanwhile, so nobody sees them. Messages name the
/// organisation that they are for from the first; where they are looked for without an agent, those of staged agents
/// are left out (message_repository.cpp, message_search.cpp).
class AgentImportRepository {
public:
    explicit AgentImportRepository(Database& database) : database_(database) {}

    /// Notes what is staged for the organisation; `kind`: agent or folder. The rows themselves are the caller's to
    /// insert, with trash_organization_id.
    void stage(Transaction& transaction, const std::string& organization_id, const char* kind,
               const std::string& object_id) const;

    /// Give what was staged to its organisation. The commit throws Error{conflict} if it is being taken away.
    void release(Transaction& transaction, const Agent& agent) const;
    void release(Transaction& transaction, const Folder& folder) const;
    /// With the status that it has now.
    void release(Transaction& transaction, const FileMetadata& file) const;

    struct Staged {
        std::string object_id, kind;
    };
    boost::asio::awaitable<std::vector<Staged>> all() const;

    /// Takes a bounded part of it away, so that nobody waits long for the writer. True when nothing is left.
    boost::asio::awaitable<bool> remove_some(Staged staged) const;

    static std::vector<Statement> statements();

private:
    Database& database_;
};

}  // namespace stele::storage
