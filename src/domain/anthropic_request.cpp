#include "domain/anthropic_request.hpp"

#include "domain/json_mapping.hpp"

namespace stele {

STELE_JSON_READ(AnthropicMessagesRequest)
STELE_JSON_WRITTEN(AnthropicError)

}  // namespace stele
