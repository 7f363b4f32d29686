#pragma once

#include "storage/message_repository.hpp"
#include "tools/builtin/builtin.hpp"

namespace stele::tools {

/// What a search over messages shows the model: {"message": how many there are, "results": [{"timestamp", "time_ago",
/// "role", "relevance"?, "content"}]}, times in `timezone`. `ranked`: words were asked for, so the order is by match.
ToolResult message_hits(const std::vector<storage::MessageSearchHit>& hits, bool ranked, const std::string& timezone,
                        Timestamp now);

}  // namespace stele::tools
