#include "storage/git_memory_repository.hpp"

namespace stele::storage {
namespace {

constexpr Statement select_commit{"git_memory.commit",
                                  "SELECT commit_id FROM git_memory WHERE organization_id = $1 AND agent_id = $2"};
constexpr Statement insert_commit{
    "git_memory.insert",
    "INSERT INTO git_memory (agent_id, organization_id, commit_id, updated_at) VALUES ($1, $2, $3, $4)"
    " ON CONFLICT (agent_id) DO NOTHING"};
constexpr Statement update_commit{"git_memory.update",
                                  "UPDATE git_memory SET commit_id = $3, updated_at = $4"
                                  " WHERE organization_id = $1 AND agent_id = $2 AND commit_id = $5"};

#define STELE_REPOSITORY_COLUMNS "r.id, r.name, r.created_at, r.updated_at"

constexpr Statement select_one{"memory_repository.by_id",
                               "SELECT " STELE_REPOSITORY_COLUMNS
                               " FROM memory_repository r WHERE r.organization_id = $1 AND r.id = $2"};
constexpr Statement select_list{"memory_repository.list", "SELECT " STELE_REPOSITORY_COLUMNS
                                                          " FROM memory_repository r WHERE r.organization_id = $1"
                                                          " ORDER BY r.created_at DESC, r.id DESC LIMIT $2 OFFSET $3"};
constexpr Statement select_mounted{"memory_repository.mounted",
                                   "SELECT " STELE_REPOSITORY_COLUMNS
                                   " FROM memory_repository r JOIN agent_memory_repository m ON m.repository_id = r.id"
                                   " WHERE r.organization_id = $1 AND m.agent_id = $2 ORDER BY m.mounted_at, r.id"};
constexpr Statement select_mounted_name{
    "memory_repository.mounted_by_name",
    "SELECT " STELE_REPOSITORY_COLUMNS
    " FROM memory_repository r JOIN agent_memory_repository m ON m.repository_id = r.id"
    " WHERE r.organization_id = $1 AND m.agent_id = $2 AND r.name = $3"};
constexpr Statement insert_row{
    "memory_repository.insert",
    "INSERT INTO memory_repository (id, organization_id, name, created_by_id, created_at, updated_at)"
    " VALUES ($1, $2, $3, $4, $5, $6)"};
constexpr Statement update_row{"memory_repository.touch",
                               "UPDATE memory_repository SET updated_at = $3 WHERE organization_id = $1 AND id = $2"};
constexpr Statement insert_mount{
    "memory_repository.mount",
    "INSERT INTO agent_memory_repository (agent_id, repository_id, mounted_at) VALUES ($1, $2, $3)"
    " ON CONFLICT (agent_id, repository_id) DO NOTHING"};
constexpr Statement delete_mount{"memory_repository.unmount",
                                 "DELETE FROM agent_memory_repository WHERE agent_id = $1 AND repository_id = $2"};
constexpr Statement select_known{"git_memory.known",
                                 "SELECT id FROM agent WHERE id = $1 UNION ALL SELECT id FROM memory_repository"
                                 " WHERE id = $1"};

std::vector<MemoryRepository> from_rows(Rows rows) {
    std::vector<MemoryRepository> found;
    for (Row& row : rows) {
        MemoryRepository& made = found.emplace_back();
        made.id = row.take_text(0);
        made.name = row.take_text(1);
        made.created_at = from_micros(row.integer(2));
        made.updated_at = from_micros(row.integer(3));
    }
    return found;
}

std::optional<MemoryRepository> first_of(Rows rows) {
    std::vector<MemoryRepository> found = from_rows(std::move(rows));
    return found.empty() ? std::nullopt : std::optional(std::move(found.front()));
}

}  // namespace

using boost::asio::awaitable;

awaitable<std::optional<std::string>> GitMemoryRepository::commit_of(std::string organization_id,
                                                                     std::string agent_id) const {
    Rows rows = co_await database_.query(select_commit, std::move(organization_id), std::move(agent_id));
    if (rows.empty()) co_return std::nullopt;
    co_return rows.front().take_text(0);
}

void GitMemoryRepository::set_commit(Transaction& transaction, const std::string& organization_id,
                                     const std::string& agent_id, const std::string& before, const std::string& commit,
                                     Timestamp at) const {
    if (before.empty())
        transaction.add(insert_commit, agent_id, organization_id, commit, to_micros(at))
            .expect_row(changed_meanwhile("Memory of agent", agent_id));
    else
        transaction.add(update_commit, organization_id, agent_id, commit, to_micros(at), before)
            .expect_row(changed_meanwhile("Memory of agent", agent_id));
}

awaitable<std::optional<MemoryRepository>> GitMemoryRepository::find(std::string organization_id,
                                                                     std::string id) const {
    Rows rows = co_await database_.query(select_one, std::move(organization_id), std::move(id));
    co_return first_of(std::move(rows));
}

awaitable<std::optional<MemoryRepository>> GitMemoryRepository::find_mounted(std::string organization_id,
                                                                             std::string agent_id,
                                                                             std::string name) const {
    Rows rows =
        co_await database_.query(select_mounted_name, std::move(organization_id), std::move(agent_id), std::move(name));
    co_return first_of(std::move(rows));
}

awaitable<std::vector<MemoryRepository>> GitMemoryRepository::list(std::string organization_id, std::int64_t limit,
                                                                   std::int64_t offset) const {
    Rows rows = co_await database_.query(select_list, std::move(organization_id), limit, offset);
    co_return from_rows(std::move(rows));
}

awaitable<std::vector<MemoryRepository>> GitMemoryRepository::mounted(std::string organization_id,
                                                                      std::string agent_id) const {
    Rows rows = co_await database_.query(select_mounted, std::move(organization_id), std::move(agent_id));
    co_return from_rows(std::move(rows));
}

void GitMemoryRepository::insert(Transaction& transaction, const std::string& organization_id,
                                 const std::string& user_id, const MemoryRepository& made) const {
    Error taken(ErrorCode::conflict, "There is a repository named '" + made.name + "' already");
    taken.final = true;
    transaction
        .add(insert_row, made.id, organization_id, made.name, user_id, to_micros(made.created_at),
             to_micros(made.updated_at))
        .expect_free(std::move(taken));
}

void GitMemoryRepository::touch(Transaction& transaction, const std::string& organization_id, const std::string& id,
                                Timestamp at) const {
    transaction.add(update_row, organization_id, id, to_micros(at));
}

void GitMemoryRepository::mount(Transaction& transaction, const std::string& agent_id, const std::string& repository_id,
                                Timestamp at) const {
    transaction.add(insert_mount, agent_id, repository_id, to_micros(at));
}

void GitMemoryRepository::unmount(Transaction& transaction, const std::string& agent_id,
                                  const std::string& repository_id) const {
    transaction.add(delete_mount, agent_id, repository_id).expect_row(not_found("Repository", repository_id));
}

awaitable<std::vector<std::string>> GitMemoryRepository::known(std::vector<std::string> ids) const {
    ReadBatch batch;
    for (const std::string& id : ids) batch.add(select_known, id);
    std::vector<std::string> found;
    if (ids.empty()) co_return found;
    std::vector<Rows> answers = co_await database_.read(std::move(batch));
    for (Rows& rows : answers)
        if (!rows.empty()) found.push_back(rows.front().take_text(0));
    co_return found;
}

std::vector<Statement> GitMemoryRepository::statements() {
    return {select_commit,       insert_commit, update_commit, select_one,   select_list,  select_mounted,
            select_mounted_name, insert_row,    update_row,    insert_mount, delete_mount, select_known};
}

}  // namespace stele::storage
