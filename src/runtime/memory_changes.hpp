#pragma once

#include "runtime/agent_loader.hpp"
#include "tools/working_memory.hpp"

namespace stele::runtime {

struct TurnServices;

/// Adds what makes the edits of `memory` true in the store. Blocks that an agent makes are its own in all its
/// conversations; one that its conversation has isolated is edited and deleted there alone.
void add_memory(storage::Transaction& transaction, const TurnServices& services, const LoadedAgent& loaded,
                const tools::WorkingMemory& memory);

}  // namespace stele::runtime
