#pragma once

#include "domain/block.hpp"
#include "domain/identity.hpp"
#include "storage/database.hpp"

/// Blocks that tell of one identity are known by their label: Persona_<key or name>.
namespace stele::storage {

/// What the label of such a block begins with.
inline constexpr std::string_view persona_prefix = "Persona_";

/// Links the blocks Persona_<key> of its project that are linked to nobody to `identity`, which this transaction has
/// inserted, and those Persona_<name> if nobody else there has this name or key. An identity that was there before
/// is left as it is.
void link_personas(Transaction& transaction, const Identity& identity);

/// Links `block`, which this transaction has inserted, to the identity of its project whose key is <x> if it is
/// labelled Persona_<x>, or else to the only one named <x>.
void link_persona(Transaction& transaction, const std::string& organization_id, const Block& block);

/// The statements of this file, for the dialect test.
std::vector<Statement> persona_statements();

}  // namespace stele::storage
