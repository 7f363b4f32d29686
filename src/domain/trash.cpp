#include "domain/trash.hpp"

#include "domain/json_mapping.hpp"

namespace stele {

STELE_JSON_WRITTEN(TrashItem)

}  // namespace stele
