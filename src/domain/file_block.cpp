#include "domain/file_block.hpp"

#include "domain/json_mapping.hpp"

namespace stele {

STELE_JSON_WRITTEN(AttachedFileBlock)

}  // namespace stele
