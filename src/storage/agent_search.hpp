#pragma once

#include "domain/agent_search.hpp"
#include "storage/page.hpp"

namespace stele::storage {

/// Adds a term to a select over `agent a`; identities are not its business (AgentFilter has them). Throws
/// Error{invalid_argument} for a version that is none.
void add_term(Select& select, const SearchTerm& term);

}  // namespace stele::storage
