#pragma once

#include "domain/block.hpp"
#include "domain/block_history.hpp"
#include "domain/identity.hpp"
#include "storage/page.hpp"

namespace stele::storage {

/// Filters of the list of blocks; absent ones don't filter.
struct BlockFilter {
    std::optional<std::string> label, label_search, description_search, value_search, name, project_id, identity_id;
    std::optional<bool> templates_only;
    std::vector<std::string> tags, identifier_keys;
    bool match_all_tags = false;
    std::optional<std::int64_t> agents_above, agents_below;
    std::vector<std::int64_t> agents_equal;
    bool show_hidden = false;
};

/// How many blocks a filter lets through, hidden ones among them, and how many of these are hidden.
struct BlockCount {
    std::int64_t all = 0, hidden = 0;
};

/// What the operator has decided about blocks.
struct BlockRules {
    bool auto_link_persona = true;        ///< a new block Persona_<x> is linked to the identity <x> (persona_links.hpp)
    std::chrono::hours kept_in_trash{0};  ///< how long a deleted one may come back; 0: never
};

/// Blocks of one organisation at a time, and which agents hold them. Reads suspend; writes are added to the caller's
/// transaction.
class BlockRepository {
public:
    explicit BlockRepository(Database& database, BlockRules rules = {}) : database_(database), rules_(rules) {}

    /// The block, or nothing if the organisation has none with this id.
    boost::asio::awaitable<std::optional<Block>> find(std::string organization_id, std::string id) const;

    /// Those of `ids` that exist, in no order.
    boost::asio::awaitable<std::vector<Block>> find_all(std::string organization_id,
                                                        std::vector<std::string> ids) const;

    boost::asio::awaitable<std::vector<Block>> list(std::string organization_id, BlockFilter filter, Page page) const;
    boost::asio::awaitable<BlockCount> count_both(std::string organization_id, BlockFilter filter) const;
    boost::asio::awaitable<std::int64_t> count(std::string organization_id, BlockFilter filter) const;

    /// Blocks of one agent in order of attachment.
    boost::asio::awaitable<std::vector<Block>> of_agent(std::string agent_id) const;

    boost::asio::awaitable<std::vector<Block>> page_of_agent(std::string organization_id, std::string agent_id,
                                                             Page page) const;

    /// Ids of the agents that hold the block.
    boost::asio::awaitable<std::vector<std::string>> agents_of(std::string organization_id, std::string block_id,
                                                               Page page) const;

    void insert(Transaction& transaction, const std::string& organization_id, const Block& block) const;

    /// A block that tells of `owner`, whose key stands for it, unless that has one of this label already.
    void insert_core(Transaction& transaction, const Identity& owner, const Block& block) const;

    /// Adds the update and raises `block.version`. The commit throws Error{conflict} if the row no longer has the
    /// version that was read. A new label follows into the agents that hold the block; a clash there is
    /// Error{conflict}.
    /// What prompts showed of it before stays in its history, as replaced by `origin`.
    void update(Transaction& transaction, const std::string& organization_id, Block& block, bool tags_changed,
                const BlockOrigin& origin) const;

    /// Into the trash, where the operator keeps one.
    void remove(Transaction& transaction, const std::string& organization_id, const Block& block) const;

    /// No effect if it is attached already. The agents that look after this one's memory hold it from then on too.
    void attach(Transaction& transaction, const std::string& agent_id, const Block& block) const;
    void detach(Transaction& transaction, const std::string& agent_id, const std::string& block_id) const;
    void detach_if_held(Transaction& transaction, const std::string& agent_id, const std::string& block_id) const;
    void detach_all(Transaction& transaction, const std::string& agent_id) const;

    // Reads to be part of a larger batch; rows go through `from_rows`.
    static const Statement& of_agent_statement();         ///< $1 agent
    static const Statement& in_conversation_statement();  ///< $1 agent, $2 conversation: with those it isolates
    static const Statement& of_identity_statement();      ///< $1 identity, those linked first
    static std::vector<Block> from_rows(Rows rows);

    static std::vector<Statement> statements();

private:
    Database& database_;  // outlives every repository: both belong to app/
    BlockRules rules_;
};

}  // namespace stele::storage
