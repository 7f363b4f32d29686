#pragma once

#include "domain/block.hpp"
#include "domain/identity.hpp"
#include "storage/database.hpp"

/// What a run sees that somebody has asked for: the agent's blocks without those that tell of others, and the blocks of
/// the one who asks. Pure: the same agent, identity and blocks give the same view, so that the providers' caches hold.
namespace stele::runtime {

/// On whose behalf a run is.
struct RunIdentity {
    RunIdentity() = default;
    RunIdentity(std::string identity_id, IdentityRules identity_rules)
        : id(std::move(identity_id)), rules(identity_rules) {}

    std::string id;  ///< empty: nobody's
    IdentityRules rules;
};

/// A block Persona_... of an agent, and whom it tells of.
struct PersonaBlock {
    std::string block_id;
    Timestamp attached_at{};
    bool linked = false;  ///< to anybody
    bool own = false;     ///< to the identity that the run is for
};

/// All that the store knows of an identity and an agent, from one snapshot.
struct IdentityFacts {
    bool exists = false;
    bool linked = false;  ///< to the agent
    std::vector<Block> blocks;
    std::vector<PersonaBlock> personas;
};

/// The blocks that a run for the identity sees, of the agent's `attached` ones. A block of the identity stands in place
/// of an attached one with its label; the others follow behind.
std::vector<Block> view_of(const std::vector<Block>& attached, const IdentityFacts& facts, const IdentityRules& rules);

/// True if several blocks Persona_... are linked to nobody: then the run sees them all, and may mix people up.
bool is_ambiguous(const IdentityFacts& facts, const IdentityRules& rules);

/// The block that turns out to be the identity's: the only one that is linked to nobody, attached a moment before
/// `time` for a message of somebody who has none yet.
std::optional<std::string> learnt_persona(const IdentityFacts& facts, const IdentityRules& rules, Timestamp time);

/// Adds the reads that `take_facts` takes, at `next` of the rows and on. `conversation_id` may be empty.
void add_fact_reads(storage::ReadBatch& batch, const std::string& organization_id, const std::string& agent_id,
                    const std::string& conversation_id, const std::string& identity_id);
IdentityFacts take_facts(std::vector<storage::Rows>& rows, std::size_t& next);

}  // namespace stele::runtime
