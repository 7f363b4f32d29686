#pragma once

#include "domain/mcp_server.hpp"

namespace stele::tools::mcp {

/// The servers of a file as the retired server and desktop clients have it: {"mcpServers": {"<name>": {...}}}, where an
/// entry with `command` (and `args`, `env`) is a command and one with `url` (and `headers`) an address: of events,
/// unless its `type` is "http" or "streamable_http". Arguments are split at spaces, as that server did. Only what the
/// file says is filled in. Throws Error{invalid_argument} that names the entry.
std::vector<McpServer> servers_of_file(std::string_view text);

}  // namespace stele::tools::mcp
