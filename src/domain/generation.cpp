#include "domain/generation.hpp"

#include "domain/json_mapping.hpp"

namespace stele {

void check(const GenerateRequest& request, Problems& problems) {
    if (request.prompt.find_first_not_of(" \t\r\n") == std::string::npos)
        problems.add("prompt", "must say something", "string_too_short");
    if (request.response_schema.has_value() && !request.response_schema->text.starts_with('{'))
        problems.add("response_schema", "must be a JSON Schema object", "dict_type");
}

STELE_JSON_READ(GenerateRequest)
STELE_JSON_WRITTEN(GenerateResponse)

}  // namespace stele
