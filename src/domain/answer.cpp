#include "domain/answer.hpp"

#include "domain/json_mapping.hpp"

namespace stele {

STELE_JSON_WRITTEN(Health)
STELE_JSON_WRITTEN(Deleted)
STELE_JSON_WRITTEN(Success)
STELE_JSON(MemoryVariables)
STELE_JSON_WRITTEN(ErrorMessage)
STELE_JSON_WRITTEN(ValidationError)
STELE_JSON_WRITTEN(ModelError)
STELE_JSON_WRITTEN(ErrorBody)

}  // namespace stele
