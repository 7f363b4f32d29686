#include "storage/trash.hpp"

#include "base/ids.hpp"
#include "storage/passage_repository.hpp"

namespace stele::storage {
namespace {

constexpr std::int64_t purged_at_once = 500;  // messages, or passages

#define STELE_TRASH_COLUMNS "t.id, t.kind, t.object_id, t.name, t.deleted_at, t.expires_at, t.organization_id"

constexpr Statement insert_item{"trash.insert",
                                "INSERT INTO trash (id, organization_id, kind, object_id, name, deleted_at, expires_at)"
                                " VALUES ($1, $2, $3, $4, $5, $6, $7)"};
constexpr Statement select_item{"trash.by_id", "SELECT " STELE_TRASH_COLUMNS
                                               " FROM trash t WHERE t.organization_id = $1"
                                               " AND (t.id = $2 OR t.object_id = $2) AND t.expires_at > $3"};
constexpr Statement select_expired{"trash.expired", "SELECT " STELE_TRASH_COLUMNS
                                                    " FROM trash t WHERE t.expires_at <= $1 ORDER BY t.expires_at, t.id"
                                                    " LIMIT $2"};
constexpr Statement delete_item{"trash.delete", "DELETE FROM trash WHERE id = $1 AND expires_at > $2"};
constexpr Statement delete_purged{"trash.delete_purged", "DELETE FROM trash WHERE id = $1"};
constexpr Statement expire_item{"trash.expire",
                                "UPDATE trash SET expires_at = 0 WHERE organization_id = $1 AND id = $2"};
constexpr Statement expire_items{"trash.expire_all", "UPDATE trash SET expires_at = 0 WHERE organization_id = $1"};

// A table of links: `keep` puts the rows of the object $1 aside, `drop` takes them out, `restore` puts back those whose
// ends are in the organisation $2.
struct Link {
    Statement keep, drop, restore;
};

#define STELE_KEPT(link, left, right, label)                                                                      \
    "INSERT INTO trash_link (object_id, link, left_id, right_id, label, position) SELECT $1, '" link "', l." left \
    ", l." right ", " label ", l.position FROM " link " l WHERE l."
// The rows that an object has by its column `own`, of a table with the columns `left` and `right`.
#define STELE_LINK(link, left, right, own, left_table, right_table)                              \
    {                                                                                            \
        {"trash.keep_" link "_of_" own, STELE_KEPT(link, left, right, "''") own " = $1"},        \
            {"trash.drop_" link "_of_" own, "DELETE FROM " link " WHERE " own " = $1"}, {        \
            "trash.restore_" link "_of_" own,                                                    \
                "INSERT INTO " link " (" left ", " right                                         \
                ", position) SELECT k.left_id, k.right_id, k.position"                           \
                " FROM trash_link k JOIN " left_table " a ON a.id = k.left_id JOIN " right_table \
                " b ON b.id = k.right_id WHERE k.object_id = $1 AND k.link = '" link             \
                "' AND a.organization_id = $2 AND b.organization_id = $2 ON CONFLICT DO NOTHING" \
        }                                                                                        \
    }
// The label is that of the block as it is when the link comes back.
#define STELE_AGENT_BLOCK(own)                                                                                       \
    {                                                                                                                \
        {"trash.keep_agent_block_of_" own, STELE_KEPT("agent_block", "agent_id", "block_id", "''") own " = $1"},     \
            {"trash.drop_agent_block_of_" own, "DELETE FROM agent_block WHERE " own " = $1"}, {                      \
            "trash.restore_agent_block_of_" own,                                                                     \
                "INSERT INTO agent_block (agent_id, block_id, label, position) SELECT k.left_id, k.right_id,"        \
                " b.label, k.position FROM trash_link k JOIN agent a ON a.id = k.left_id JOIN block b"               \
                " ON b.id = k.right_id WHERE k.object_id = $1 AND k.link = 'agent_block' AND a.organization_id = $2" \
                " AND b.organization_id = $2 ON CONFLICT DO NOTHING"                                                 \
        }                                                                                                            \
    }

constexpr Link links_of_agent[] = {
    STELE_AGENT_BLOCK("agent_id"),
    STELE_LINK("agent_tool", "agent_id", "tool_id", "agent_id", "agent", "tool"),
    STELE_LINK("identity_agent", "identity_id", "agent_id", "agent_id", "identity", "agent"),
    STELE_LINK("group_member", "group_id", "agent_id", "agent_id", "agent_group", "agent"),
    STELE_LINK("agent_archive", "agent_id", "archive_id", "agent_id", "agent", "archive"),
};
constexpr Link links_of_archive[] = {
    STELE_LINK("agent_archive", "agent_id", "archive_id", "archive_id", "agent", "archive"),
};
constexpr Link links_of_block[] = {
    STELE_AGENT_BLOCK("block_id"),
    STELE_LINK("identity_block", "identity_id", "block_id", "block_id", "identity", "block"),
    STELE_LINK("group_block", "group_id", "block_id", "block_id", "agent_group", "block"),
    // A conversation remembers which block it has in place of the agent's: none, while that is gone.
    {{"trash.keep_conversation_block",
      STELE_KEPT("conversation_block", "conversation_id", "block_id", "l.replaces") "block_id = $1"},
     {"trash.drop_conversation_block", "UPDATE conversation_block SET block_id = NULL WHERE block_id = $1"},
     {"trash.restore_conversation_block",
      "UPDATE conversation_block SET block_id = $1 WHERE block_id IS NULL AND EXISTS (SELECT 1 FROM trash_link k"
      " JOIN block b ON b.id = k.right_id WHERE k.object_id = $1 AND k.link = 'conversation_block'"
      " AND k.left_id = conversation_block.conversation_id AND k.label = conversation_block.replaces"
      " AND b.organization_id = $2)"}},
};
constexpr Statement hand_over{
    "trash.hand_over",
    "UPDATE trash_link SET object_id = CASE WHEN left_id = $1 THEN right_id ELSE left_id END WHERE object_id = $1"
    " AND CASE WHEN left_id = $1 THEN right_id ELSE left_id END IN (SELECT t.object_id FROM trash t)"};

// From the organisation $1 to $3.
constexpr Statement move_agent{"trash.move_agent",
                               "UPDATE agent SET organization_id = $3 WHERE organization_id = $1 AND id = $2"};
constexpr Statement move_block{"trash.move_block",
                               "UPDATE block SET organization_id = $3 WHERE organization_id = $1 AND id = $2"};
constexpr Statement move_archive{"trash.move_archive",
                                 "UPDATE archive SET organization_id = $3 WHERE organization_id = $1 AND id = $2"};
// What belongs to the agent $2 alone.
constexpr Statement moves_with_agent[] = {
    {"trash.move_tags", "UPDATE agent_tag SET organization_id = $3 WHERE organization_id = $1 AND agent_id = $2"},
    {"trash.move_messages", "UPDATE message SET organization_id = $3 WHERE organization_id = $1 AND agent_id = $2"},
    {"trash.move_conversations",
     "UPDATE conversation SET organization_id = $3 WHERE organization_id = $1 AND agent_id = $2"},
    {"trash.move_schedules", "UPDATE schedule SET organization_id = $3 WHERE organization_id = $1 AND agent_id = $2"},
    {"trash.move_isolated_blocks",
     "UPDATE block SET organization_id = $3 WHERE organization_id = $1 AND id IN (SELECT c.block_id"
     " FROM conversation v JOIN conversation_block c ON c.conversation_id = v.id WHERE v.agent_id = $2"
     " AND c.block_id IS NOT NULL)"},
};

constexpr Statement purge_messages{
    "trash.purge_messages",
    "DELETE FROM message WHERE agent_id = $1 AND position IN (SELECT m.position FROM message m WHERE m.agent_id = $1"
    " ORDER BY m.position LIMIT $2) RETURNING position"};
constexpr Statement purge_isolated{
    "trash.purge_isolated_blocks",
    "DELETE FROM block WHERE organization_id = $1 AND id IN (SELECT c.block_id FROM conversation v"
    " JOIN conversation_block c ON c.conversation_id = v.id WHERE v.agent_id = $2 AND c.block_id IS NOT NULL)"};
constexpr Statement purge_agent{"trash.purge_agent", "DELETE FROM agent WHERE organization_id = $1 AND id = $2"};
constexpr Statement purge_block{"trash.purge_block", "DELETE FROM block WHERE organization_id = $1 AND id = $2"};
constexpr Statement purge_archive{"trash.purge_archive", "DELETE FROM archive WHERE organization_id = $1 AND id = $2"};

TrashItem to_item(Row& row) {
    TrashItem item;
    item.id = row.take_text(0);
    item.kind = row.take_text(1);
    item.object_id = row.take_text(2);
    item.name = row.take_text(3);
    item.deleted_at = from_micros(row.integer(4));
    item.expires_at = from_micros(row.integer(5));
    item.organization_id = row.take_text(6);
    return item;
}

void insert(Transaction& transaction, const std::string& organization_id, const char* kind,
            const std::string& object_id, const std::string& name, std::chrono::hours kept) {
    const Timestamp time = now();
    transaction.add(insert_item, new_id("trash"), organization_id, kind, object_id, name, to_micros(time),
                    to_micros(time + kept));
}

template <std::size_t size>
void take_links(Transaction& transaction, const Link (&links)[size], const std::string& id) {
    for (const Link& link : links) {
        transaction.add(link.keep, id);
        transaction.add(link.drop, id);
    }
}

Select select_items(const std::string& organization_id) {
    return Select("SELECT " STELE_TRASH_COLUMNS " FROM trash t WHERE t.organization_id = ?", to_value(organization_id));
}

}  // namespace

void move_to_trash(Transaction& transaction, const Agent& agent, std::chrono::hours kept) {
    insert(transaction, agent.organization_id, "agent", agent.id, agent.name, kept);
    take_links(transaction, links_of_agent, agent.id);
    for (const Statement& move : moves_with_agent)
        transaction.add(move, agent.organization_id, agent.id, trash_organization_id);
    transaction.add(move_agent, agent.organization_id, agent.id, trash_organization_id)
        .expect_row(not_found("Agent", agent.id));
}

void move_to_trash(Transaction& transaction, const std::string& organization_id, const Block& block,
                   std::chrono::hours kept) {
    insert(transaction, organization_id, "block", block.id, block.label, kept);
    take_links(transaction, links_of_block, block.id);
    transaction.add(move_block, organization_id, block.id, trash_organization_id)
        .expect_row(not_found("Block", block.id));
}

void move_to_trash(Transaction& transaction, const Archive& archive, std::chrono::hours kept) {
    insert(transaction, archive.organization_id, "archive", archive.id, archive.name, kept);
    take_links(transaction, links_of_archive, archive.id);
    transaction.add(move_archive, archive.organization_id, archive.id, trash_organization_id)
        .expect_row(not_found("Archive", archive.id));
}

boost::asio::awaitable<std::vector<TrashItem>> TrashRepository::list(std::string organization_id, Page page) const {
    Select select = select_items(organization_id);
    select.where("t.expires_at > ?", to_micros(now()));
    const PageOrder order{"trash t", "trash", "t.deleted_at", "t.id"};
    Rows rows = co_await read_page(database_, std::move(select), std::move(page), order, organization_id);
    std::vector<TrashItem> items;
    for (Row& row : rows) items.push_back(to_item(row));
    co_return items;
}

boost::asio::awaitable<std::optional<TrashItem>> TrashRepository::find(std::string organization_id,
                                                                       std::string id) const {
    Rows rows = co_await database_.query(select_item, std::move(organization_id), std::move(id), to_micros(now()));
    if (rows.empty()) co_return std::nullopt;
    co_return to_item(rows.front());
}

void TrashRepository::restore(Transaction& transaction, const TrashItem& item) const {
    const std::string& organization_id = item.organization_id;
    const auto put_back = [&](const auto& links) {
        for (const Link& link : links) transaction.add(link.restore, item.object_id, organization_id);
    };
    if (item.kind == "agent") {
        transaction.add(move_agent, trash_organization_id, item.object_id, organization_id)
            .expect_row(not_found("Trash item", item.id));
        for (const Statement& move : moves_with_agent)
            transaction.add(move, trash_organization_id, item.object_id, organization_id);
        put_back(links_of_agent);
    } else if (item.kind == "archive") {
        transaction.add(move_archive, trash_organization_id, item.object_id, organization_id)
            .expect_row(not_found("Trash item", item.id));
        put_back(links_of_archive);
    } else {
        transaction.add(move_block, trash_organization_id, item.object_id, organization_id)
            .expect_row(not_found("Trash item", item.id));
        put_back(links_of_block);
    }
    transaction.add(hand_over, item.object_id);
    add_tombstone(transaction, organization_id, item.id,
                  SortKeys{to_micros(item.deleted_at), to_micros(item.deleted_at), std::nullopt});
    transaction.add(delete_item, item.id, to_micros(now())).expect_row(not_found("Trash item", item.id));
}

void TrashRepository::expire(Transaction& transaction, const TrashItem& item) const {
    transaction.add(expire_item, item.organization_id, item.id).expect_row(not_found("Trash item", item.id));
}

void TrashRepository::expire_all(Transaction& transaction, const std::string& organization_id) const {
    transaction.add(expire_items, organization_id);
}

boost::asio::awaitable<std::vector<TrashItem>> TrashRepository::expired(std::int64_t most) const {
    Rows rows = co_await database_.query(select_expired, to_micros(now()), most);
    std::vector<TrashItem> items;
    for (Row& row : rows) items.push_back(to_item(row));
    co_return items;
}

boost::asio::awaitable<bool> TrashRepository::purge_some(TrashItem item) const {
    Transaction transaction;
    if (item.kind == "agent") {
        Transaction part;
        part.add(purge_messages, item.object_id, purged_at_once);
        const std::vector<Rows> gone = co_await database_.commit(std::move(part));
        if (!gone.front().empty()) co_return false;
        transaction.add(purge_isolated, trash_organization_id, item.object_id);
        transaction.add(purge_agent, trash_organization_id, item.object_id);
    } else if (item.kind == "archive") {
        Transaction part;
        PassageRepository::remove_some(part, item.object_id, purged_at_once);
        const std::vector<Rows> gone = co_await database_.commit(std::move(part));
        if (!gone.front().empty()) co_return false;
        transaction.add(purge_archive, trash_organization_id, item.object_id);
    } else {
        transaction.add(purge_block, trash_organization_id, item.object_id);
    }
    add_tombstone(transaction, item.organization_id, item.id,
                  SortKeys{to_micros(item.deleted_at), to_micros(item.deleted_at), std::nullopt});
    transaction.add(delete_purged, item.id);
    co_await database_.commit(std::move(transaction));
    co_return true;
}

std::vector<Statement> TrashRepository::statements() {
    std::vector<Statement> all{insert_item,  select_item, select_expired, delete_item,  delete_purged,  expire_item,
                               expire_items, hand_over,   move_agent,     move_block,   purge_messages, purge_isolated,
                               purge_agent,  purge_block, move_archive,   purge_archive};
    for (const Link& link : links_of_agent) all.insert(all.end(), {link.keep, link.drop, link.restore});
    for (const Link& link : links_of_block) all.insert(all.end(), {link.keep, link.drop, link.restore});
    for (const Link& link : links_of_archive) all.insert(all.end(), {link.keep, link.drop, link.restore});
    for (const Statement& move : moves_with_agent) all.push_back(move);
    return all;
}

}  // namespace stele::storage
