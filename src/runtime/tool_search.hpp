#pragma once

#include "domain/tool_request.hpp"

#include <boost/asio/awaitable.hpp>

namespace stele::runtime {

/// The tools that fit `request.query` best, best first, of `tools` in their order. By words: names count most, then
/// tags, then descriptions, and rare words more than common ones. By vectors: cosine of the built-in embedding. Hybrid
/// joins both by reciprocal rank fusion (Cormack et al. 2009). Without a query all come, in their order, with score 0.
/// Yields to others on long lists.
boost::asio::awaitable<std::vector<ToolSearchResult>> search_tools(std::vector<Tool> tools, ToolSearchRequest request);

}  // namespace stele::runtime
