// What answers show of agents: their rows with all that belongs to them, in one round of reads.
#include "domain/memory_file.hpp"
#include "domain/message_view.hpp"
#include "runtime/agent_service.hpp"
#include "storage/group_repository.hpp"
#include "storage/identity_repository.hpp"

#include <algorithm>

namespace stele::runtime {
namespace {

using boost::asio::awaitable;

// The group by which an agent is known as a manager: that of its memory before all others, then the newest.
std::optional<Group> shown_group(const std::vector<Group>& groups) {
    const auto asleep =
        std::find_if(groups.begin(), groups.end(), [](const Group& group) { return works_asleep(group); });
    if (asleep != groups.end()) return *asleep;
    return groups.empty() ? std::nullopt : std::optional(groups.front());
}

}  // namespace

awaitable<AgentState> AgentService::get(std::string organization_id, std::string id, AgentInclude include) const {
    storage::ReadBatch batch;
    batch.add(storage::AgentRepository::find_statement(), organization_id, id);
    add_relations(batch, id, include);
    std::vector<storage::Rows> rows = co_await parts_.database.read(std::move(batch));
    const auto agent = storage::AgentRepository::from_rows(std::move(rows[0]));
    if (!agent) throw not_found("Agent", id);
    std::size_t next = 1;
    AgentState state = state_of(*agent, include, rows, next);
    co_await add_folders(state, *agent, include);
    co_return state;
}

awaitable<void> AgentService::add_folders(AgentState& state, const Agent& agent, AgentInclude include) const {
    if (agent.folder_count == 0 || (!include.sources && !include.blocks)) co_return;
    AgentDirectories directories = co_await load_directories(parts_.database, agent);
    if (include.blocks) state.memory.file_blocks = file_blocks(agent, directories);
    if (!include.sources) co_return;
    for (Folder& folder : directories.folders) state.sources.push_back(Json{to_json(Source(std::move(folder)))});
}

awaitable<std::vector<AgentState>> AgentService::states(std::vector<Agent> agents, AgentInclude include) const {
    std::vector<AgentState> result;
    if (agents.empty()) co_return result;
    storage::ReadBatch batch;
    for (const Agent& agent : agents) add_relations(batch, agent.id, include);
    std::vector<storage::Rows> rows = co_await parts_.database.read(std::move(batch));
    std::size_t next = 0;
    for (const Agent& agent : agents) {
        result.push_back(state_of(agent, include, rows, next));
        co_await add_folders(result.back(), agent, include);
    }
    co_return result;
}

void AgentService::add_relations(storage::ReadBatch& batch, const std::string& agent_id, AgentInclude include) {
    batch.add(storage::MessageRepository::context_ids_statement({}), agent_id, "");
    if (include.blocks) batch.add(storage::BlockRepository::of_agent_statement(), agent_id);
    if (include.tools) batch.add(storage::ToolRepository::of_agent_statement(), agent_id);
    if (include.tags) batch.add(storage::AgentRepository::tags_statement(), agent_id);
    if (include.identities) batch.add(storage::IdentityRepository::of_agent_statement(), agent_id);
    if (include.pending_approval) batch.add(storage::MessageRepository::newest_in_context_statement(), agent_id, "");
    if (include.group) batch.add(storage::GroupRepository::managed_statement(), agent_id);
    if (include.secrets) batch.add(storage::AgentRepository::variables_statement(), agent_id);
}

// Takes the rows of add_relations from `next` on.
AgentState AgentService::state_of(const Agent& agent, AgentInclude include, std::vector<storage::Rows>& rows,
                                  std::size_t& next) const {
    AgentState state(agent);
    state.message_ids = storage::MessageRepository::ids_from_rows(std::move(rows[next++]));
    if (include.blocks) {
        state.blocks = storage::BlockRepository::from_rows(std::move(rows[next++]));
        for (Block& block : state.blocks) block.description = shown_description(block);
        state.memory.blocks = state.blocks;
    }
    if (include.tools) state.tools = storage::ToolRepository::from_rows(std::move(rows[next++]));
    if (include.tags) state.tags = storage::AgentRepository::tags_from_rows(std::move(rows[next++]));
    state.memory.git_enabled = std::find(state.tags.begin(), state.tags.end(), git_memory_tag) != state.tags.end();
    if (include.identities) {
        state.identities = storage::IdentityRepository::from_rows(std::move(rows[next++]));
        for (const Identity& identity : state.identities) state.identity_ids.push_back(identity.id);
    }
    if (include.pending_approval) {
        const std::vector<Message> newest = storage::MessageRepository::from_rows(std::move(rows[next++]));
        if (!newest.empty() && is_approval_request(newest.front()))
            state.pending_approval.text = to_json(expand(newest.front(), ViewOptions()).back());
    }
    if (include.group) {
        const std::vector<Group> groups = storage::GroupRepository::from_rows(std::move(rows[next++]));
        state.managed_group = state.multi_agent_group = shown_group(groups);
    }
    if (!include.secrets) return state;
    for (const storage::SealedVariable& sealed :
         storage::AgentRepository::variables_from_rows(std::move(rows[next++]))) {
        AgentVariable variable;
        variable.id = sealed.id;
        variable.key = sealed.name;
        if (!parts_.redact_secrets) variable.value = parts_.sealer.open(sealed.sealed_value);
        variable.agent_id = agent.id;
        variable.created_at = variable.updated_at = sealed.created_at;
        variable.created_by_id = variable.last_updated_by_id = sealed.created_by_id;
        state.secrets.push_back(std::move(variable));
    }
    state.tool_exec_environment_variables = state.secrets;
    return state;
}

EmbeddingConfig AgentService::embedding_config(const std::string& organization_id, const std::string& handle) const {
    const auto listing = parts_.catalogue.find_embedding(organization_id, handle);
    if (!listing) throw refused("Embedding handle " + handle + " not found: no configured provider offers it");
    return config_of(*listing, handle);
}

}  // namespace stele::runtime
