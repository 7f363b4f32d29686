#include "storage/organization_removal.hpp"

namespace stele::storage {
namespace {

// RETURNING tells whether a slice found anything. What hangs on the rows (ON DELETE CASCADE) goes with them, so a slice
// of what much hangs on is small.
#define STELE_SLICE(table, rows)                                                                 \
    {                                                                                            \
        "organization.remove_" table, "DELETE FROM " table " WHERE id IN (SELECT id FROM " table \
                                      " WHERE organization_id = $1 LIMIT " #rows ") RETURNING 1" \
    }
#define STELE_TRASHED(table, rows)                                                                             \
    {                                                                                                          \
        "organization.remove_" table "_in_trash", "DELETE FROM " table                                         \
                                                  " WHERE id IN (SELECT t.object_id FROM"                      \
                                                  " trash t JOIN " table                                       \
                                                  " o ON o.id = t.object_id"                                   \
                                                  " WHERE t.organization_id = $1 LIMIT " #rows ") RETURNING 1" \
    }
// What an import has stored so far belongs to the trash's organisation (agent_import_repository.hpp).
#define STELE_STAGED(table, rows)                                                                   \
    {                                                                                               \
        "organization.remove_" table "_staged",                                                     \
            "DELETE FROM " table " WHERE id IN (SELECT i.object_id FROM agent_import i JOIN " table \
            " o ON o.id = i.object_id WHERE i.organization_id = $1 LIMIT " #rows ") RETURNING 1"    \
    }
#define STELE_ALL(table) \
    { "organization.remove_" table, "DELETE FROM " table " WHERE organization_id = $1 RETURNING 1" }
#define STELE_ANY(table) \
    { "organization.has_" table, "SELECT 1 FROM " table " WHERE organization_id = $1 LIMIT 1" }

// In this order: first what would begin something new, then the many rows that hang on agents, then the agents.
constexpr Statement slices[] = {
    STELE_SLICE("schedule", 200),
    STELE_SLICE("batch", 10),
    STELE_SLICE("pipeline", 100),
    STELE_SLICE("feed_subscription", 200),
    STELE_SLICE("feed", 10),
    STELE_SLICE("access_token", 200),
    STELE_ALL("ephemeral_agent"),
    STELE_ALL("reflection_mark"),
    STELE_ALL("git_memory"),
    STELE_SLICE("device", 200),
    STELE_SLICE("teleport", 200),
    STELE_SLICE("work_folder", 200),
    STELE_SLICE("memory_repository", 100),
    {"organization.remove_message",
     "DELETE FROM message WHERE (agent_id, position) IN"
     " (SELECT agent_id, position FROM message WHERE organization_id = $1 LIMIT 500) RETURNING 1"},
    STELE_SLICE("passage", 200),  // of archives in the trash too
    STELE_STAGED("agent", 20),
    STELE_STAGED("folder", 20),
    STELE_ALL("agent_import"),
    STELE_ALL("embedding_model"),
    STELE_SLICE("step", 200),
    STELE_SLICE("run", 100),
    STELE_SLICE("conversation", 100),
    STELE_SLICE("agent_group", 100),
    STELE_ALL("agent_tag"),
    STELE_SLICE("agent", 50),
    STELE_SLICE("archive", 100),
    STELE_SLICE("block", 500),
    STELE_SLICE("identity", 200),
    STELE_SLICE("file", 20),
    STELE_SLICE("folder", 100),
    // What it has in the trash belongs to another organisation meanwhile (trash.hpp).
    {"organization.remove_message_in_trash",
     "DELETE FROM message WHERE (agent_id, position) IN (SELECT m.agent_id, m.position FROM trash t"
     " JOIN message m ON m.agent_id = t.object_id WHERE t.organization_id = $1 LIMIT 500) RETURNING 1"},
    {"organization.remove_isolated_in_trash",
     "DELETE FROM block WHERE id IN (SELECT c.block_id FROM trash t JOIN conversation v ON v.agent_id = t.object_id"
     " JOIN conversation_block c ON c.conversation_id = v.id WHERE t.organization_id = $1"
     " AND c.block_id IS NOT NULL LIMIT 500) RETURNING 1"},
    STELE_TRASHED("agent", 50),
    STELE_TRASHED("block", 500),
    STELE_TRASHED("archive", 100),
    STELE_SLICE("trash", 200),
    STELE_SLICE("tool", 200),
    STELE_SLICE("mcp_oauth_session", 200),
    STELE_ALL("mcp_oauth_client"),
    STELE_SLICE("mcp_server", 100),
    STELE_SLICE("sandbox_variable", 200),
    STELE_SLICE("sandbox_config", 100),
    STELE_SLICE("feedback", 500),
    STELE_SLICE("deployment", 200),
    STELE_SLICE("template", 20),
    STELE_SLICE("project", 200),
    STELE_SLICE("provider", 100),
    STELE_ALL("idempotency"),
    STELE_SLICE("tombstone", 500),
    STELE_SLICE("account", 100),
};

// What makes an organisation one that is not deleted by the way.
constexpr Statement contents[] = {
    STELE_ANY("account"),
    STELE_ANY("agent"),
    STELE_ANY("archive"),
    STELE_ANY("block"),
    STELE_ANY("identity"),
    STELE_ANY("trash"),
    STELE_ANY("agent_group"),
    STELE_ANY("mcp_server"),
    STELE_ANY("sandbox_config"),
    STELE_ANY("feedback"),
    STELE_ANY("template"),
    STELE_ANY("feed"),
    STELE_ANY("folder"),
    STELE_ANY("provider"),
    STELE_ANY("device"),
    STELE_ANY("memory_repository"),
    STELE_ANY("run"),
    {"organization.has_tool",
     "SELECT 1 FROM tool WHERE organization_id = $1 AND tool_type IN ('custom', 'external_mcp') LIMIT 1"},
};

constexpr Statement delete_row{"organization.delete", "DELETE FROM organization WHERE id = $1"};

}  // namespace

boost::asio::awaitable<bool> OrganizationRemoval::is_empty(std::string organization_id) const {
    ReadBatch batch;
    for (const Statement& statement : contents) batch.add(statement, organization_id);
    const std::vector<Rows> found = co_await database_.read(std::move(batch));
    for (const Rows& rows : found)
        if (!rows.empty()) co_return false;
    co_return true;
}

boost::asio::awaitable<bool> OrganizationRemoval::remove_rows(std::string organization_id) const {
    bool any = false;
    for (const Statement& statement : slices) {
        for (bool more = true; more;) {
            Transaction transaction;
            transaction.add(statement, organization_id);
            const std::vector<Rows> gone = co_await database_.commit(std::move(transaction));
            more = !gone.front().empty();
            any = any || more;
        }
    }
    co_return any;
}

void OrganizationRemoval::remove_organization(Transaction& transaction, const std::string& organization_id) const {
    transaction.add(delete_row, organization_id);
}

std::vector<Statement> OrganizationRemoval::statements() {
    std::vector<Statement> all(std::begin(slices), std::end(slices));
    all.insert(all.end(), std::begin(contents), std::end(contents));
    all.push_back(delete_row);
    return all;
}

}  // namespace stele::storage
