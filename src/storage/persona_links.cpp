#include "storage/persona_links.hpp"

#include "base/time.hpp"

namespace stele::storage {
namespace {

#define STELE_UNLINKED_PERSONA                                                                       \
    " AND b.is_template = 0 AND NOT EXISTS (SELECT 1 FROM identity_block l WHERE l.block_id = b.id)" \
    " ON CONFLICT (identity_id, block_id) DO NOTHING"

constexpr Statement link_by_key{
    "persona.link_by_key",
    "INSERT INTO identity_block (identity_id, block_id, position) SELECT i.id, b.id, $3 FROM identity i"
    " JOIN block b ON b.organization_id = i.organization_id AND b.label = 'Persona_' || i.identifier_key"
    " AND COALESCE(b.project_id, '') = i.project_id"
    " WHERE i.organization_id = $1 AND i.id = $2" STELE_UNLINKED_PERSONA};
constexpr Statement link_by_name{
    "persona.link_by_name",
    "INSERT INTO identity_block (identity_id, block_id, position) SELECT i.id, b.id, $3 FROM identity i"
    " JOIN block b ON b.organization_id = i.organization_id AND b.label = 'Persona_' || i.name"
    " AND COALESCE(b.project_id, '') = i.project_id"
    " WHERE i.organization_id = $1 AND i.id = $2"
    " AND NOT EXISTS (SELECT 1 FROM identity o WHERE o.organization_id = i.organization_id AND o.name = i.name"
    " AND o.project_id = i.project_id AND o.id <> i.id)"
    " AND NOT EXISTS (SELECT 1 FROM identity o WHERE o.organization_id = i.organization_id"
    " AND o.identifier_key = i.name AND o.project_id = i.project_id AND o.id <> i.id)" STELE_UNLINKED_PERSONA};
constexpr Statement link_block_by_key{
    "persona.link_block_by_key",
    "INSERT INTO identity_block (identity_id, block_id, position) SELECT i.id, $4, $5 FROM identity i"
    " WHERE i.organization_id = $1 AND i.project_id = $2 AND i.identifier_key = $3"
    " ON CONFLICT (identity_id, block_id) DO NOTHING"};
constexpr Statement link_block_by_name{
    "persona.link_block_by_name",
    "INSERT INTO identity_block (identity_id, block_id, position) SELECT i.id, $4, $5 FROM identity i"
    " WHERE i.organization_id = $1 AND i.project_id = $2 AND i.name = $3"
    " AND NOT EXISTS (SELECT 1 FROM identity o WHERE o.organization_id = $1 AND o.project_id = $2"
    " AND o.name = $3 AND o.id <> i.id)"
    " AND NOT EXISTS (SELECT 1 FROM identity o WHERE o.organization_id = $1 AND o.project_id = $2"
    " AND o.identifier_key = $3)"
    " ON CONFLICT (identity_id, block_id) DO NOTHING"};

}  // namespace

void link_personas(Transaction& transaction, const Identity& identity) {
    transaction.add(link_by_key, identity.organization_id, identity.id, next_position());
    transaction.add(link_by_name, identity.organization_id, identity.id, next_position());
}

void link_persona(Transaction& transaction, const std::string& organization_id, const Block& block) {
    if (!block.label.starts_with(persona_prefix) || block.is_template) return;
    const std::string whose = block.label.substr(persona_prefix.size());
    const std::string project = block.project_id.value_or("");
    transaction.add(link_block_by_key, organization_id, project, whose, block.id, next_position());
    transaction.add(link_block_by_name, organization_id, project, whose, block.id, next_position());
}

std::vector<Statement> persona_statements() {
    return {link_by_key, link_by_name, link_block_by_key, link_block_by_name};
}

}  // namespace stele::storage
