#pragma once

#include "domain/message_view.hpp"
#include "runtime/agent_loader.hpp"

namespace stele::runtime {

/// What fills the agent's context window, part by part. Pure. Tokens are estimates (llm/token_estimate.hpp).
ContextWindowOverview context_overview(const LoadedAgent& loaded);

}  // namespace stele::runtime
