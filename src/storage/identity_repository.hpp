#pragma once

#include "domain/identity.hpp"
#include "storage/page.hpp"

namespace stele::storage {

/// Filters of the list of identities; absent ones don't filter. `name` is a substring.
struct IdentityFilter {
    std::optional<std::string> name, project_id, identifier_key, identity_type;
};

/// What a model is told of who wrote a message.
struct Sender {
    std::string id, name, identifier_key;
};

/// Identities of one organisation at a time, and which agents and blocks are linked to them. Reads suspend; writes are
/// added to the caller's transaction.
class IdentityRepository {
public:
    explicit IdentityRepository(Database& database) : database_(database) {}

    /// With its links, like all that follow. Nothing if the organisation has none with this id.
    boost::asio::awaitable<std::optional<Identity>> find(std::string organization_id, std::string id) const;
    boost::asio::awaitable<std::vector<Identity>> list(std::string organization_id, IdentityFilter filter,
                                                       Page page) const;
    boost::asio::awaitable<std::int64_t> count(std::string organization_id, IdentityFilter filter) const;

    /// The id that `text` means: an id that exists, or else a key, looked for in the project, then among those
    /// without one, then in the whole organisation. Throws Error{not_found} for neither, Error{conflict} for a key that
    /// several have.
    boost::asio::awaitable<std::string> resolve(std::string organization_id, std::string text,
                                                std::optional<std::string> project_id) const;

    /// The same for several, in one round of reads.
    boost::asio::awaitable<std::vector<std::string>> resolve_all(std::string organization_id,
                                                                 std::vector<std::string> texts,
                                                                 std::optional<std::string> project_id) const;

    /// The same without a failure: an identity that can't be told stays nothing.
    boost::asio::awaitable<std::vector<std::optional<std::string>>> resolve_known(
        std::string organization_id, std::vector<std::string> texts, std::optional<std::string> project_id) const;

    /// Those of `ids` that there are.
    boost::asio::awaitable<std::vector<Sender>> senders(std::string organization_id,
                                                        std::vector<std::string> ids) const;

    /// The commit throws Error{conflict} if the key is taken.
    void insert(Transaction& transaction, const Identity& identity) const;

    /// Makes the identity, or replaces name and type of the one that has its key; its properties too with
    /// `with_properties`. The statement returns the row as it is then (from_rows).
    void upsert(Transaction& transaction, const Identity& identity, bool with_properties) const;

    /// The commit throws Error{conflict} if somebody else changed the row, or if its new key is taken.
    void update(Transaction& transaction, Identity& identity) const;

    void remove(Transaction& transaction, const Identity& identity) const;

    // Links of the identity that has this one's key, project and organisation: its id may be known to the store alone.
    // The commit throws Error{not_found} for an agent or a block that is not there. Linking twice is one link.
    void link_agents(Transaction& transaction, const Identity& identity, const std::vector<std::string>& ids) const;
    void link_blocks(Transaction& transaction, const Identity& identity, const std::vector<std::string>& ids) const;
    void link_block_if_there(Transaction& transaction, const Identity& identity, const std::string& id) const;
    void unlink_agents(Transaction& transaction, const Identity& identity) const;
    void unlink_blocks(Transaction& transaction, const Identity& identity) const;

    // One link by ids, which the caller has seen in the organisation.
    void link_agent(Transaction& transaction, const std::string& identity_id, const std::string& agent_id) const;
    void unlink_agent(Transaction& transaction, const std::string& identity_id, const std::string& agent_id) const;
    void link_block(Transaction& transaction, const std::string& identity_id, const std::string& block_id) const;
    void unlink_block(Transaction& transaction, const std::string& identity_id, const std::string& block_id) const;

    /// Unless it is linked to anybody by then.
    void link_unlinked_block(Transaction& transaction, const std::string& identity_id,
                             const std::string& block_id) const;
    void unlink_all_of_agent(Transaction& transaction, const std::string& agent_id) const;

    /// Writes down on whose behalf a run is, which this transaction has saved.
    void note_run(Transaction& transaction, const std::string& identity_id, const std::string& run_id) const;

    /// Adds the reads of the links of the identity that has this one's key to the transaction that makes them: two
    /// statements, whose rows `take_links` takes.
    void read_links(Transaction& transaction, const Identity& identity) const;
    static void take_links(Rows agents, Rows blocks, Identity& into);

    static const Statement& of_agent_statement();  ///< $1 agent; rows go through `from_rows`

    /// $1 organisation, $2 identity, $3 agent: its id, and the position of its link to the agent or null.
    static const Statement& link_to_agent_statement();

    /// $1 agent, $2 conversation, $3 identity: the blocks Persona_... that the agent holds there: id, when it was
    /// attached (in microseconds), whether it is linked to anybody, and to this identity.
    static const Statement& personas_statement();

    static std::vector<Identity> from_rows(Rows rows);

    static std::vector<Statement> statements();

private:
    static std::vector<Statement> link_statements();  // identity_links.cpp, like all that adds or takes away links
    boost::asio::awaitable<void> fill_links(std::vector<Identity>& identities) const;

    Database& database_;
};

}  // namespace stele::storage
