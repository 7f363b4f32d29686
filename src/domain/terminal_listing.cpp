#include "domain/terminal_listing.hpp"

#include "domain/json_mapping.hpp"

namespace stele {

STELE_JSON_WRITTEN(ModelCatalog)
STELE_JSON_WRITTEN(SharedAgents)

}  // namespace stele
