#pragma once

#include "domain/conversation.hpp"
#include "storage/page.hpp"

namespace stele::storage {

struct ConversationFilter {
    std::optional<std::string> agent_id, summary_search;
    std::optional<bool> archived;
};

/// A block that is to stand in one conversation alone, in place of the agent's with label `replaces`.
struct IsolatedBlock {
    std::string replaces;
    std::string block_id;
};

/// Conversations of one organisation at a time. Deleted ones are not there for anybody. What is said in them is
/// MessageRepository's.
class ConversationRepository {
public:
    explicit ConversationRepository(Database& database) : database_(database) {}

    /// With the blocks and messages that belong to it.
    boost::asio::awaitable<std::optional<Conversation>> find(std::string organization_id, std::string id) const;

    /// The agent that a conversation belongs to.
    boost::asio::awaitable<std::optional<std::string>> agent_of(std::string organization_id, std::string id) const;

    boost::asio::awaitable<std::vector<Conversation>> list(std::string organization_id, ConversationFilter filter,
                                                           Page page) const;

    void insert(Transaction& transaction, const std::string& organization_id, const Conversation& conversation) const;

    /// Writes the row and raises `version`; `last_message_at` only if it is given, since runs write it too. The commit
    /// throws Error{conflict} if somebody else did meanwhile.
    void update(Transaction& transaction, const std::string& organization_id, Conversation& conversation,
                std::optional<Timestamp> last_message_at) const;

    /// What the messages of a step change, and the end of a run. The commit throws Error{not_found} if it was deleted.
    void note_messages(Transaction& transaction, const std::string& id, Timestamp at,
                       std::optional<Timestamp> run_ended) const;

    /// The commit throws Error{conflict} if the agent has no such block any more.
    void isolate(Transaction& transaction, const Conversation& conversation, const IsolatedBlock& block) const;

    /// Lets the new conversation `id` have what is in the window of `source` (empty: the agent's default one), from
    /// behind its system message, which stands at `after`, up to context position `up_to`.
    void share_messages(Transaction& transaction, const Conversation& fork, const std::string& source,
                        std::int64_t after, std::int64_t up_to) const;

    /// Deletes it with its isolated blocks, and those messages that no fork has. The commit throws Error{not_found} if
    /// it is deleted already.
    void remove(Transaction& transaction, const std::string& organization_id, const Conversation& conversation) const;

    /// Deletes the isolated blocks of all conversations of an agent; the conversations go with the agent's row.
    static void remove_blocks_of_agent(Transaction& transaction, const std::string& agent_id);

    // Reads to be part of a larger batch.
    static const Statement& find_statement();  ///< $1 organisation, $2 agent, $3 id
    static std::optional<Conversation> from_rows(Rows rows);
    static const Statement& block_ids_statement();  ///< $1 conversation: ids of isolated blocks

    static std::vector<Statement> statements();

private:
    boost::asio::awaitable<std::vector<Conversation>> with_relations(std::vector<Conversation> conversations) const;

    Database& database_;
};

}  // namespace stele::storage
