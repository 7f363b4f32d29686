#pragma once

#include "storage/mcp_server_repository.hpp"
#include "tools/mcp/tool_sync.hpp"

#include <filesystem>

namespace stele::app {

/// The servers that the file names. Throws Error{invalid_argument} for one that can't be read or is wrong.
std::vector<McpServer> read_mcp_config(const std::filesystem::path& file);

/// Brings the stored servers of these names in line with them, and asks each for its tools. What can't be done is
/// logged. References outlive the coroutine.
boost::asio::awaitable<void> take_mcp_config(storage::Database& database, const storage::McpServerRepository& stored,
                                             const tools::mcp::ToolSync& sync, std::vector<McpServer> servers);

}  // namespace stele::app
