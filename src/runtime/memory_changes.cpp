#include "runtime/memory_changes.hpp"

#include "runtime/turn.hpp"
#include "storage/identity_repository.hpp"

#include <algorithm>

namespace stele::runtime {
namespace {

// The block `id`, if it is a private copy of the loaded conversation.
const Block* isolated_block(const LoadedAgent& loaded, const std::string& id) {
    if (!loaded.conversation) return nullptr;
    const std::vector<std::string>& isolated = loaded.conversation->isolated_block_ids;
    if (std::find(isolated.begin(), isolated.end(), id) == isolated.end()) return nullptr;
    const auto block =
        std::find_if(loaded.blocks.begin(), loaded.blocks.end(), [&](const Block& each) { return each.id == id; });
    return block == loaded.blocks.end() ? nullptr : &*block;
}

// A block that the run sees since it is its identity's, not since the agent holds it.
bool is_of_identity(const LoadedAgent& loaded, const std::string& id) {
    const auto has = [&](const std::vector<Block>& blocks) {
        return std::any_of(blocks.begin(), blocks.end(), [&](const Block& each) { return each.id == id; });
    };
    return !loaded.identity.id.empty() && has(loaded.identity_facts.blocks) && !has(loaded.attached);
}

}  // namespace

void add_memory(storage::Transaction& transaction, const TurnServices& services, const LoadedAgent& loaded,
                const tools::WorkingMemory& memory, BlockOrigin origin) {
    const std::string& organization_id = loaded.agent.organization_id;
    for (const Block& block : memory.created()) {
        services.blocks.insert(transaction, organization_id, block);
        services.blocks.attach(transaction, loaded.agent.id, block);
    }
    for (Block& block : memory.changed()) {
        origin.tool = memory.editor_of(block.id);
        services.blocks.update(transaction, organization_id, block, false, origin);
    }
    for (const std::string& id : memory.removed_ids()) {
        if (const Block* own = isolated_block(loaded, id))
            services.blocks.remove(transaction, organization_id, *own);
        else if (is_of_identity(loaded, id))
            services.identities.unlink_block(transaction, loaded.identity.id, id);
        else
            services.blocks.detach(transaction, loaded.agent.id, id);
    }
}

}  // namespace stele::runtime
