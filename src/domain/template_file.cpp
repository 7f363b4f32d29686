#include "domain/template_file.hpp"

#include "domain/json_mapping.hpp"

namespace stele {

STELE_JSON_READ(TemplateFileTool)
STELE_JSON_READ(TemplateFile)

}  // namespace stele
