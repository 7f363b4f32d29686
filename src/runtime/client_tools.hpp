#pragma once

#include "domain/approval.hpp"
#include "domain/tool.hpp"

namespace stele::runtime {

/// The tools of a request: the agent's `own`, in their order, and those that the client brings along. One of the
/// client's with the name of an own tool takes its place.
std::vector<Tool> with_client_tools(const std::vector<Tool>& own, const std::vector<ClientTool>& client);

}  // namespace stele::runtime
