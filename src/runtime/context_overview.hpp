#pragma once

#include "domain/message_view.hpp"
#include "runtime/agent_loader.hpp"

namespace stele::runtime {

/// What fills the agent's context window, part by part. Pure. Tokens are estimates: a quarter of the bytes.
ContextWindowOverview context_overview(const LoadedAgent& loaded);

}  // namespace stele::runtime
