#pragma once

#include "storage/tool_repository.hpp"

namespace stele::runtime {

/// Adds to `transaction` what makes the organisation's built-in tools those that this version brings along. What users
/// may change of one stays.
boost::asio::awaitable<void> seed_base_tools(const storage::ToolRepository& tools, storage::Transaction& transaction,
                                             std::string organization_id);

}  // namespace stele::runtime
