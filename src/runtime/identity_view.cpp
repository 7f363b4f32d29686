#include "runtime/identity_view.hpp"

#include "storage/block_repository.hpp"
#include "storage/identity_repository.hpp"
#include "storage/persona_links.hpp"

#include <algorithm>

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
    std::vector<Block> view;
    for (const Block& block : attached) {
        const bool of_others = std::any_of(facts.personas.begin(), facts.personas.end(), [&](const PersonaBlock& each) {
            return each.block_id == block.id && each.linked && !each.own;
        });
        if (!of_others || !rules.isolation) view.push_back(block);
    }
    if (!rules.blocks) return view;
    const std::size_t attached_count = view.size();
    for (const Block& block : facts.blocks) {
        const auto here =
            std::find_if(attached.begin(), attached.end(), [&](const Block& each) { return each.id == block.id; });
        if (here != attached.end()) continue;
        const auto same =
            std::find_if(view.begin(), view.end(), [&](const Block& each) { return each.label == block.label; });
        if (same == view.end())
            view.push_back(block);
        else if (static_cast<std::size_t>(same - view.begin()) < attached_count && same->id != block.id)
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
