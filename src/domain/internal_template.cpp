#include "domain/internal_template.hpp"

#include "domain/json_mapping.hpp"

namespace stele {

STELE_JSON_READ(InternalTemplateAgentCreate)
STELE_JSON_READ(InternalTemplateBlockCreate)
STELE_JSON_READ(InternalTemplateBlocks)
STELE_JSON_READ(InternalTemplateGroupCreate)
STELE_JSON_WRITTEN(ListDeploymentEntitiesResponse)
STELE_JSON_WRITTEN(DeleteDeploymentResponse)

}  // namespace stele
