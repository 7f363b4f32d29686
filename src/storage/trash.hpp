#pragma once

#include "domain/agent.hpp"
#include "domain/archive.hpp"
#include "domain/trash.hpp"
#include "storage/page.hpp"
#include "storage/trash_organization.hpp"

/// Deleted agents, blocks and archives that may come back. They stay in their tables under an organisation that nobody
/// belongs to, so that whatever asks for the objects of an organisation does not find them; their links are taken out
/// and kept aside (docs/adr/0012).
namespace stele::storage {

/// Whom deleted objects belong to meanwhile.
inline constexpr char trash_organization_id[] = STELE_TRASH_ORGANIZATION_ID;

/// Adds what takes an agent away with all that belongs to it alone, for `kept`. The commit throws Error{not_found} if
/// it is not there.
void move_to_trash(Transaction& transaction, const Agent& agent, std::chrono::hours kept);

/// The same for a block.
void move_to_trash(Transaction& transaction, const std::string& organization_id, const Block& block,
                   std::chrono::hours kept);

/// The same for an archive; its passages are found through it, so they need not move.
void move_to_trash(Transaction& transaction, const Archive& archive, std::chrono::hours kept);

/// The trash of one organisation at a time. Reads suspend; writes are added to the caller's transaction.
class TrashRepository {
public:
    explicit TrashRepository(Database& database) : database_(database) {}

    boost::asio::awaitable<std::vector<TrashItem>> list(std::string organization_id, Page page) const;

    /// By its own id, or by that of what was deleted.
    boost::asio::awaitable<std::optional<TrashItem>> find(std::string organization_id, std::string id) const;

    /// Puts the object back, with the links whose other end is there and that nothing has taken the place of. Links to
    /// what is in the trash itself wait there. The commit throws Error{not_found} if somebody was faster.
    void restore(Transaction& transaction, const TrashItem& item) const;

    /// From here on it can't come back; `purge_some` takes it away.
    void expire(Transaction& transaction, const TrashItem& item) const;
    void expire_all(Transaction& transaction, const std::string& organization_id) const;

    /// Those whose time is over, of all organisations, at most `most`.
    boost::asio::awaitable<std::vector<TrashItem>> expired(std::int64_t most) const;

    /// Deletes a part of what has expired, so that nobody waits for it long. True once nothing is left of it.
    boost::asio::awaitable<bool> purge_some(TrashItem item) const;

    static std::vector<Statement> statements();

private:
    Database& database_;
};

}  // namespace stele::storage
