#include "runtime/identity_view.hpp"

#include "storage/block_repository.hpp"
#include "storage/identity_repository.hpp"
#include "storage/persona_links.hpp"

#include <algorithm>
#include <string_view>
#include <unordered_set>

namespace stele::runtime {
namespace {

constexpr auto learning_age_max = std::chrono::seconds(60);

bool is_unlinked(const PersonaBlock& block) { return !block.linked; }

bool has_persona(const IdentityFacts& facts) {
    const auto is_persona = [](const Block& block) { return block.label.starts_with(storage::persona_prefix); };
    return std::any_of(facts.blocks.begin(), facts.blocks.end(), is_persona);
}

}  // namespace

std::vector<Block> view_of(const std::vector<Block>& attached, const IdentityFacts& facts, const IdentityRules& rules) {
    std::unordered_set<std::string_view> of_others, attached_ids;
    for (const PersonaBlock& persona : facts.personas)
        if (rules.isolation && persona.linked && !persona.own) of_others.insert(persona.block_id);
    std::vector<Block> view;
    for (const Block& block : attached) {
        attached_ids.insert(block.id);
        if (!of_others.contains(block.id)) view.push_back(block);
    }
    if (!rules.blocks) return view;
    for (const Block& block : facts.blocks) {
        if (attached_ids.contains(block.id)) continue;
        const auto same =
            std::find_if(view.begin(), view.end(), [&](const Block& each) { return each.label == block.label; });
        if (same == view.end())
            view.push_back(block);
        else if (attached_ids.contains(same->id))  // else it is the identity's own already, linked before this one
            *same = block;
    }
    return view;
}

bool is_ambiguous(const IdentityFacts& facts, const IdentityRules& rules) {
    return rules.isolation && std::count_if(facts.personas.begin(), facts.personas.end(), is_unlinked) > 1;
}

std::optional<std::string> learnt_persona(const IdentityFacts& facts, const IdentityRules& rules, Timestamp time) {
    if (!rules.auto_link_persona || is_ambiguous(facts, rules) || has_persona(facts)) return std::nullopt;
    const auto only = std::find_if(facts.personas.begin(), facts.personas.end(), is_unlinked);
    if (only == facts.personas.end() || time - only->attached_at > learning_age_max) return std::nullopt;
    return only->block_id;
}

void add_fact_reads(storage::ReadBatch& batch, const std::string& organization_id, const std::string& agent_id,
                    const std::string& conversation_id, const std::string& identity_id) {
    batch.add(storage::IdentityRepository::link_to_agent_statement(), organization_id, identity_id, agent_id);
    batch.add(storage::BlockRepository::of_identity_statement(), identity_id);
    batch.add(storage::IdentityRepository::personas_statement(), agent_id, conversation_id, identity_id);
}

IdentityFacts take_facts(std::vector<storage::Rows>& rows, std::size_t& next) {
    IdentityFacts facts;
    const storage::Rows identity = std::move(rows[next++]);
    facts.exists = !identity.empty();
    facts.linked = facts.exists && !identity.front().is_null(1);
    facts.blocks = storage::BlockRepository::from_rows(std::move(rows[next++]));
    for (storage::Row& row : rows[next++]) {
        PersonaBlock& block = facts.personas.emplace_back();
        block.block_id = row.take_text(0);
        block.attached_at = from_micros(row.integer(1));
        block.linked = row.flag(2);
        block.own = row.flag(3);
    }
    return facts;
}

}  // namespace stele::runtime
