#pragma once

#include "domain/agent.hpp"
#include "domain/agent_search.hpp"
#include "storage/page.hpp"

namespace stele::storage {

/// Filters of the list of agents; absent ones don't filter.
struct AgentFilter {
    std::optional<std::string> name, query_text, project_id, template_id, base_template_id, created_by_id,
        last_stop_reason, identity_id, not_created_by_id;
    std::optional<std::string> block_id, archive_id;  ///< that they have
    std::vector<std::string> identifier_keys;
    std::vector<std::string> tags;
    bool match_all_tags = false;
    std::vector<std::string> some_tags;  ///< besides: at least one of these
    std::vector<SearchTerm> terms;       ///< besides: all of them
    bool show_hidden = false;
};

/// A secret of an agent, sealed (base/seal.hpp).
struct SealedVariable {
    std::string id, name, sealed_value;
    Timestamp created_at{};
    std::optional<std::string> created_by_id;
};

/// Agents of one organisation at a time, with their tags and secrets.
class AgentRepository {
public:
    /// `kept_in_trash`: how long a deleted agent may come back; 0: never.
    explicit AgentRepository(Database& database, std::chrono::hours kept_in_trash = std::chrono::hours(0))
        : database_(database), kept_in_trash_(kept_in_trash) {}

    boost::asio::awaitable<std::optional<Agent>> find(std::string organization_id, std::string id) const;
    boost::asio::awaitable<bool> exists(std::string organization_id, std::string id) const;

    /// Those of `ids` that there are, in the order of `ids`.
    boost::asio::awaitable<std::vector<Agent>> find_all(std::string organization_id,
                                                        std::vector<std::string> ids) const;
    boost::asio::awaitable<std::vector<Agent>> list(std::string organization_id, AgentFilter filter, Page page) const;
    boost::asio::awaitable<std::int64_t> count(std::string organization_id, AgentFilter filter) const;

    /// All tags in use, sorted; `after` is the last one of the page before, `query` a substring.
    boost::asio::awaitable<std::vector<std::string>> all_tags(std::string organization_id,
                                                              std::optional<std::string> query, Page page) const;

    void insert(Transaction& transaction, const Agent& agent) const;

    /// Writes the whole row and raises `agent.version`. The commit throws Error{conflict} if somebody else did
    /// meanwhile.
    void update(Transaction& transaction, Agent& agent) const;

    /// What the end of a turn changes: counts `new_messages`, remembers the run. Never conflicts with an update.
    void finish_turn(Transaction& transaction, const std::string& agent_id, std::int64_t new_messages,
                     const AgentLastRun& last_run) const;

    /// The same between two steps of a turn.
    void count_messages(Transaction& transaction, const std::string& agent_id, std::int64_t new_messages) const;

    /// With all that belongs to it alone; into the trash, where the operator keeps one.
    void remove(Transaction& transaction, const Agent& agent) const;

    void set_tags(Transaction& transaction, const Agent& agent, const std::vector<std::string>& tags) const;
    void set_variables(Transaction& transaction, const std::string& agent_id,
                       const std::vector<SealedVariable>& variables) const;

    // Reads to be part of a larger batch, with the function that takes their rows.
    static const Statement& find_statement();  ///< $1 organisation, $2 id
    static std::optional<Agent> from_rows(Rows rows);
    static const Statement& tags_statement();  ///< $1 agent
    static std::vector<std::string> tags_from_rows(Rows rows);
    boost::asio::awaitable<std::vector<SealedVariable>> variables(std::string agent_id) const;
    static const Statement& variables_statement();  ///< $1 agent
    static std::vector<SealedVariable> variables_from_rows(Rows rows);

    static std::vector<Statement> statements();

private:
    Database& database_;
    std::chrono::hours kept_in_trash_;
};

}  // namespace stele::storage
