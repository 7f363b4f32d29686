#include "storage/agent_import_repository.hpp"

#include "storage/trash.hpp"

namespace stele::storage {
namespace {

using boost::asio::awaitable;

constexpr std::int64_t removed_at_once = 500, files_removed_at_once = 20;

constexpr Statement insert_row{"agent_import.stage",
                               "INSERT INTO agent_import (object_id, organization_id, kind) VALUES ($1, $2, $3)"};
constexpr Statement delete_row{"agent_import.release",
                               "DELETE FROM agent_import WHERE object_id = $1 AND abandoned = 0"};
constexpr Statement update_agent{"agent_import.release_agent",
                                 "UPDATE agent SET organization_id = $2 WHERE id = $1 AND organization_id = $3"};
constexpr Statement update_folder{
    "agent_import.release_folder",
    "UPDATE folder SET organization_id = $2, name = $4 WHERE id = $1 AND organization_id = $3"};
constexpr Statement update_file{
    "agent_import.release_file",
    "UPDATE file SET organization_id = $2, status = $4 WHERE id = $1 AND organization_id = $3"};
constexpr Statement select_all{"agent_import.all", "SELECT object_id, kind FROM agent_import ORDER BY object_id"};
// From the first of these on, an import that might still be at it can't end well.
constexpr Statement update_abandoned{"agent_import.abandon",
                                     "UPDATE agent_import SET abandoned = 1 WHERE object_id = $1"};
constexpr Statement delete_messages{
    "agent_import.remove_messages",
    "DELETE FROM message WHERE agent_id IN (SELECT i.object_id FROM agent_import i WHERE i.object_id = $1)"
    " AND position IN (SELECT m.position FROM message m WHERE m.agent_id = $1 ORDER BY m.position LIMIT $2)"
    " RETURNING position"};
constexpr Statement delete_files{
    "agent_import.remove_files",
    "DELETE FROM file WHERE id IN (SELECT f.id FROM file f JOIN agent_import i ON i.object_id = f.folder_id"
    " WHERE i.object_id = $1 LIMIT $2) RETURNING id"};
constexpr Statement delete_agent{
    "agent_import.remove_agent",
    "DELETE FROM agent WHERE id IN (SELECT i.object_id FROM agent_import i WHERE i.object_id = $1)"};
constexpr Statement delete_folder{
    "agent_import.remove_folder",
    "DELETE FROM folder WHERE id IN (SELECT i.object_id FROM agent_import i WHERE i.object_id = $1)"};
constexpr Statement delete_abandoned{"agent_import.forget",
                                     "DELETE FROM agent_import WHERE object_id = $1 AND abandoned = 1"};

Error taken_away() { return Error(ErrorCode::conflict, "The import is being taken away"); }

}  // namespace

void AgentImportRepository::stage(Transaction& transaction, const std::string& organization_id, const char* kind,
                                  const std::string& object_id) const {
    transaction.add(insert_row, object_id, organization_id, kind);
}

void AgentImportRepository::release(Transaction& transaction, const Agent& agent) const {
    transaction.add(delete_row, agent.id).expect_row(taken_away());
    transaction.add(update_agent, agent.id, agent.organization_id, trash_organization_id).expect_row(taken_away());
}

void AgentImportRepository::release(Transaction& transaction, const Folder& folder) const {
    transaction.add(delete_row, folder.id).expect_row(taken_away());
    transaction.add(update_folder, folder.id, folder.organization_id, trash_organization_id, folder.name)
        .expect_row(taken_away());
}

void AgentImportRepository::release(Transaction& transaction, const FileMetadata& file) const {
    transaction
        .add(update_file, file.id, file.organization_id, trash_organization_id, to_string(file.processing_status))
        .expect_row(taken_away());
}

awaitable<std::vector<AgentImportRepository::Staged>> AgentImportRepository::all() const {
    Rows rows = co_await database_.query(select_all);
    std::vector<Staged> all;
    for (Row& row : rows) {
        Staged& staged = all.emplace_back();
        staged.object_id = row.take_text(0);
        staged.kind = row.take_text(1);
    }
    co_return all;
}

awaitable<bool> AgentImportRepository::remove_some(Staged staged) const {
    const bool agent = staged.kind == "agent";
    Transaction part;
    part.add(update_abandoned, staged.object_id);
    part.add(agent ? delete_messages : delete_files, staged.object_id, agent ? removed_at_once : files_removed_at_once);
    const std::vector<Rows> gone = co_await database_.commit(std::move(part));
    if (!gone.back().empty()) co_return false;
    Transaction last;
    last.add(agent ? delete_agent : delete_folder, staged.object_id);
    last.add(delete_abandoned, staged.object_id);
    co_await database_.commit(std::move(last));
    co_return true;
}

std::vector<Statement> AgentImportRepository::statements() {
    return {insert_row,       delete_row,      update_agent, update_folder, update_file,   select_all,
            update_abandoned, delete_messages, delete_files, delete_agent,  delete_folder, delete_abandoned};
}

}  // namespace stele::storage
