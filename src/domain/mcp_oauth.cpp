#include "domain/mcp_oauth.hpp"

#include "domain/json_mapping.hpp"

namespace stele {

STELE_JSON(McpOauthConfig)
STELE_JSON(McpOauthClient)
STELE_JSON(McpTokens)
STELE_JSON(McpLogin)
STELE_JSON_WRITTEN(McpOauthAnswer)
STELE_JSON_WRITTEN(McpClientDocument)

}  // namespace stele
