#pragma once

#include "domain/block_history.hpp"
#include "runtime/agent_loader.hpp"
#include "tools/working_memory.hpp"

namespace stele::runtime {

struct TurnServices;

/// Adds what makes the edits of `memory` true in the store. `origin`: who asked; the tools are told by `memory`. Blocks
/// that an agent makes are its own in all its conversations; one that its conversation has isolated is edited and
/// deleted there alone. One of the run's identity is edited for that; deleted, it is no longer the identity's.
void add_memory(storage::Transaction& transaction, const TurnServices& services, const LoadedAgent& loaded,
                const tools::WorkingMemory& memory, BlockOrigin origin);

}  // namespace stele::runtime
