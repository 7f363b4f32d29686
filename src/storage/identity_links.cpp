// The links of identities: to agents, to blocks, to the runs that were theirs.
#include "storage/identity_repository.hpp"

namespace stele::storage {
namespace {

constexpr std::int64_t links_told_max = 1'000;

// The identity with this key: $1 organisation, $2 project, $3 key.
#define STELE_BY_KEY "i.organization_id = $1 AND i.project_id = $2 AND i.identifier_key = $3"

constexpr Statement select_agents_by_key{
    "identity.agents_by_key",
    "SELECT l.agent_id FROM identity i JOIN identity_agent l ON l.identity_id = i.id WHERE " STELE_BY_KEY
    " ORDER BY l.position, l.agent_id LIMIT $4"};
constexpr Statement select_blocks_by_key{
    "identity.blocks_by_key",
    "SELECT l.block_id FROM identity i JOIN identity_block l ON l.identity_id = i.id WHERE " STELE_BY_KEY
    " ORDER BY l.position, l.block_id LIMIT $4"};

// A link that is there already is written once more, so that no row means that the agent is not there.
constexpr Statement insert_agent_by_key{
    "identity.link_agent_by_key",
    "INSERT INTO identity_agent (identity_id, agent_id, position) SELECT i.id, a.id, $5 FROM identity i"
    " JOIN agent a ON a.organization_id = i.organization_id AND a.id = $4 WHERE " STELE_BY_KEY
    " ON CONFLICT (identity_id, agent_id) DO UPDATE SET position = identity_agent.position"};
constexpr Statement insert_block_by_key{
    "identity.link_block_by_key",
    "INSERT INTO identity_block (identity_id, block_id, position) SELECT i.id, b.id, $5 FROM identity i"
    " JOIN block b ON b.organization_id = i.organization_id AND b.id = $4 WHERE " STELE_BY_KEY
    " ON CONFLICT (identity_id, block_id) DO UPDATE SET position = identity_block.position"};
constexpr Statement delete_agents_by_key{
    "identity.unlink_agents_by_key",
    "DELETE FROM identity_agent WHERE identity_id = (SELECT i.id FROM identity i WHERE " STELE_BY_KEY ")"};
constexpr Statement delete_blocks_by_key{
    "identity.unlink_blocks_by_key",
    "DELETE FROM identity_block WHERE identity_id = (SELECT i.id FROM identity i WHERE " STELE_BY_KEY ")"};

constexpr Statement insert_agent{"identity.link_agent",
                                 "INSERT INTO identity_agent (identity_id, agent_id, position) VALUES ($1, $2, $3)"
                                 " ON CONFLICT (identity_id, agent_id) DO NOTHING"};
constexpr Statement delete_agent{"identity.unlink_agent",
                                 "DELETE FROM identity_agent WHERE identity_id = $1 AND agent_id = $2"};
constexpr Statement insert_block{"identity.link_block",
                                 "INSERT INTO identity_block (identity_id, block_id, position) VALUES ($1, $2, $3)"
                                 " ON CONFLICT (identity_id, block_id) DO NOTHING"};
constexpr Statement delete_block{"identity.unlink_block",
                                 "DELETE FROM identity_block WHERE identity_id = $1 AND block_id = $2"};
constexpr Statement insert_unlinked_block{
    "identity.link_unlinked_block",
    "INSERT INTO identity_block (identity_id, block_id, position) SELECT i.id, b.id, $3 FROM identity i JOIN block b"
    " ON b.organization_id = i.organization_id AND b.id = $2 WHERE i.id = $1"
    " AND NOT EXISTS (SELECT 1 FROM identity_block l WHERE l.block_id = $2)"};
constexpr Statement delete_of_agent{"identity.unlink_all_of_agent", "DELETE FROM identity_agent WHERE agent_id = $1"};
constexpr Statement insert_run{"identity.note_run",
                               "INSERT INTO identity_run (identity_id, run_id) VALUES ($1, $2)"
                               " ON CONFLICT (identity_id, run_id) DO NOTHING"};

std::string project_of(const Identity& identity) { return identity.project_id.value_or(""); }

}  // namespace

void IdentityRepository::link_agents(Transaction& transaction, const Identity& identity,
                                     const std::vector<std::string>& ids) const {
    for (const std::string& id : ids)
        transaction
            .add(insert_agent_by_key, identity.organization_id, project_of(identity), identity.identifier_key, id,
                 next_position())
            .expect_row(not_found("Agent", id));
}

void IdentityRepository::link_blocks(Transaction& transaction, const Identity& identity,
                                     const std::vector<std::string>& ids) const {
    for (const std::string& id : ids)
        transaction
            .add(insert_block_by_key, identity.organization_id, project_of(identity), identity.identifier_key, id,
                 next_position())
            .expect_row(not_found("Block", id));
}

void IdentityRepository::link_block_if_there(Transaction& transaction, const Identity& identity,
                                             const std::string& id) const {
    transaction.add(insert_block_by_key, identity.organization_id, project_of(identity), identity.identifier_key, id,
                    next_position());
}

void IdentityRepository::unlink_agents(Transaction& transaction, const Identity& identity) const {
    transaction.add(delete_agents_by_key, identity.organization_id, project_of(identity), identity.identifier_key);
}

void IdentityRepository::unlink_blocks(Transaction& transaction, const Identity& identity) const {
    transaction.add(delete_blocks_by_key, identity.organization_id, project_of(identity), identity.identifier_key);
}

void IdentityRepository::link_agent(Transaction& transaction, const std::string& identity_id,
                                    const std::string& agent_id) const {
    transaction.add(insert_agent, identity_id, agent_id, next_position());
}

void IdentityRepository::unlink_agent(Transaction& transaction, const std::string& identity_id,
                                      const std::string& agent_id) const {
    transaction.add(delete_agent, identity_id, agent_id);
}

void IdentityRepository::link_block(Transaction& transaction, const std::string& identity_id,
                                    const std::string& block_id) const {
    transaction.add(insert_block, identity_id, block_id, next_position());
}

void IdentityRepository::unlink_block(Transaction& transaction, const std::string& identity_id,
                                      const std::string& block_id) const {
    transaction.add(delete_block, identity_id, block_id);
}

void IdentityRepository::link_unlinked_block(Transaction& transaction, const std::string& identity_id,
                                             const std::string& block_id) const {
    transaction.add(insert_unlinked_block, identity_id, block_id, next_position());
}

void IdentityRepository::unlink_all_of_agent(Transaction& transaction, const std::string& agent_id) const {
    transaction.add(delete_of_agent, agent_id);
}

void IdentityRepository::note_run(Transaction& transaction, const std::string& identity_id,
                                  const std::string& run_id) const {
    transaction.add(insert_run, identity_id, run_id);
}

void IdentityRepository::read_links(Transaction& transaction, const Identity& identity) const {
    transaction.add(select_agents_by_key, identity.organization_id, project_of(identity), identity.identifier_key,
                    links_told_max);
    transaction.add(select_blocks_by_key, identity.organization_id, project_of(identity), identity.identifier_key,
                    links_told_max);
}

std::vector<Statement> IdentityRepository::link_statements() {
    return {select_agents_by_key, select_blocks_by_key, insert_agent_by_key,  insert_block_by_key, delete_agents_by_key,
            delete_blocks_by_key, insert_agent,         delete_agent,         insert_block,        delete_block,
            delete_of_agent,      insert_run,           insert_unlinked_block};
}

}  // namespace stele::storage
