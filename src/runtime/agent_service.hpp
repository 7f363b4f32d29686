#pragma once

#include "base/seal.hpp"
#include "runtime/archive_service.hpp"
#include "runtime/model_choice.hpp"
#include "runtime/runtime.hpp"
#include "runtime/sleeptime_partner.hpp"
#include "storage/schedule_repository.hpp"
#include "storage/tool_repository.hpp"

namespace stele::storage {
class IdentityRepository;
}

namespace stele::runtime {

/// Which relationships of an agent an answer shows; the others are empty lists.
struct AgentInclude {
    bool blocks = true, tools = true, tags = true, secrets = true, group = true, identities = true, sources = true;
    bool pending_approval = false;  ///< only who asks for it by name
};

/// Agents as a whole: what making, changing and showing one takes beyond its row. Thread-safe; what it refers to
/// outlives it.
class AgentService {
public:
    struct Parts {
        storage::Database& database;
        const storage::AgentRepository& agents;
        const storage::BlockRepository& blocks;
        const storage::ToolRepository& tools;
        const storage::MessageRepository& messages;
        const storage::ScheduleRepository& schedules;
        const storage::GroupRepository& groups;
        const storage::IdempotencyRepository& idempotency;
        const storage::IdentityRepository& identities;
        const FolderLinks& folder_links;
        llm::Catalogue& catalogue;
        Runtime& runtime;
        const Sealer& sealer;
        const ArchiveService& archives;
        ModelDefaults defaults;
        bool redact_secrets = false;  ///< answers leave their values out
    };

    explicit AgentService(Parts parts) : parts_(std::move(parts)) {}

    /// Makes the agent with its blocks, tools and first messages, in one transaction. Throws Error for every reference
    /// that leads nowhere; nothing is left behind then. `idempotency_key`: claimed; keeps which agent was made.
    boost::asio::awaitable<AgentState> create(std::string organization_id, std::string actor, CreateAgent request,
                                              std::optional<std::string> idempotency_key) const;

    /// The agent that `request` asks for, nothing of it stored yet, for a transaction that makes more than this agent.
    /// `given`: blocks and tools that are attached besides, whose rules are the request's alone; `fresh_blocks` of it
    /// are stored with the agent. Throws as create does.
    boost::asio::awaitable<NewAgent> prepare(std::string organization_id, std::string actor, CreateAgent request,
                                             NewAgent given) const;

    /// Stores it, with the values of `secrets`.
    void insert(storage::Transaction& transaction, const NewAgent& made, const AgentLinksRequest& secrets,
                const std::string& actor) const;

    /// Changes what `request` holds and brings the system message up to date. Throws Error{conflict} if somebody else
    /// changed the agent meanwhile: then it may be called again.
    boost::asio::awaitable<AgentState> update(std::string organization_id, std::string actor, std::string id,
                                              UpdateAgent request) const;

    /// The same as part of the caller's transaction: fills in `agent` and adds what else changes; the caller writes the
    /// row. True if anything is to be written. The system message follows with the next look at it.
    boost::asio::awaitable<bool> change(storage::Transaction& transaction, Agent& agent, UpdateAgent request,
                                        std::string actor) const;

    boost::asio::awaitable<AgentState> get(std::string organization_id, std::string id, AgentInclude include) const;

    /// `agents` with their relationships, in their order; all reads are one round.
    boost::asio::awaitable<std::vector<AgentState>> states(std::vector<Agent> agents, AgentInclude include) const;

    /// Empties the context window but for the system message, which is compiled anew. Waits for a run at work.
    boost::asio::awaitable<void> reset_messages(std::string organization_id, std::string id, bool add_defaults) const;

    boost::asio::awaitable<void> remove(std::string organization_id, std::string id) const;

    /// Throws Error{invalid_argument} for a handle that nobody offers.
    EmbeddingConfig embedding_config(const std::string& organization_id, const std::string& handle) const;

    boost::asio::awaitable<ContextWindowOverview> context(std::string organization_id, std::string id,
                                                          std::string conversation_id) const;

private:
    static void add_relations(storage::ReadBatch& batch, const std::string& agent_id, AgentInclude include);
    AgentState state_of(const Agent& agent, AgentInclude include, std::vector<storage::Rows>& rows,
                        std::size_t& next) const;
    boost::asio::awaitable<void> add_folders(AgentState& state, const Agent& agent, AgentInclude include) const;
    void insert(storage::Transaction& transaction, const NewAgent& made) const;
    boost::asio::awaitable<void> add_partner(storage::Transaction& transaction, Agent main, std::vector<Block> blocks,
                                             std::string actor) const;
    boost::asio::awaitable<void> add_partner_if_missing(storage::Transaction& transaction, Agent main,
                                                        UpdateAgent request, std::string actor) const;
    boost::asio::awaitable<Agent> find(std::string organization_id, std::string id) const;
    boost::asio::awaitable<std::vector<Block>> blocks_by_id(std::string organization_id,
                                                            std::vector<std::string> ids) const;
    boost::asio::awaitable<std::vector<Tool>> tools_for(std::string organization_id, const CreateAgent& request) const;
    boost::asio::awaitable<bool> replace_links(storage::Transaction& transaction, Agent& agent,
                                               const UpdateAgent& request) const;
    boost::asio::awaitable<void> link_identities(storage::Transaction& transaction, const Agent& agent,
                                                 std::vector<std::string> named) const;
    boost::asio::awaitable<void> retime_schedules(storage::Transaction& transaction, const Agent& agent) const;
    boost::asio::awaitable<void> replace_messages(storage::Transaction& transaction, const Agent& agent,
                                                  std::vector<std::string> ids) const;
    void set_secrets(storage::Transaction& transaction, const Agent& agent, const AgentLinksRequest& request,
                     const std::string& actor, const std::vector<storage::SealedVariable>& before) const;

    Parts parts_;
};

/// The rules that go with `tools` by themselves: those that end the turn, go on, or ask for approval.
void add_automatic_rules(Agent& agent, const std::vector<Tool>& tools, const CreateAgent& request);

}  // namespace stele::runtime
