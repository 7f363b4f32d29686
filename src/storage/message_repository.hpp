#pragma once

#include "domain/message.hpp"
#include "storage/page.hpp"

namespace stele::storage {

/// Which messages a list shows; absent filters don't filter.
struct MessageFilter {
    std::optional<std::string> agent_id, conversation_id, run_id, step_id, group_id;
    std::optional<std::string> batch_id;     ///< of the runs that worked on it
    std::optional<std::string> identity_id;  ///< that sent them, or for which the run was that they belong to
    std::optional<std::string> role;         ///< as stored: user, assistant, tool, ...
    std::optional<std::string> said_in;      ///< a group: what it has said, without the copies that are passed on
};

struct MessageSearchHit {
    Message message;
    double rank = 0;
};

struct MessageSearchQuery {
    std::string organization_id;
    std::string agent_id;                        ///< empty: of all agents
    std::optional<std::string> conversation_id;  ///< absent: of all conversations; empty: of the default ones
    std::string text;                            ///< words; all of them count, best match first. Empty: newest first
    std::vector<std::string> roles;              ///< user, assistant, tool; empty: user and assistant
    std::optional<std::string> project_id, template_id;  ///< of the agent
    std::optional<Timestamp> from, until;                ///< inclusive
    std::int64_t limit = 5;
};

/// Messages of agents: what was said, in order, and what of it is in the context window.
class MessageRepository {
public:
    explicit MessageRepository(Database& database) : database_(database) {}

    /// In order of position; for `ascending` the first `limit` after the cursor, else the last ones before it.
    /// Cursors are message ids: `after` means later and `before` earlier, whatever the direction; both together mean
    /// what lies between.
    /// Throws Error{not_found} for an unknown cursor.
    boost::asio::awaitable<std::vector<Message>> list(std::string organization_id, MessageFilter filter,
                                                      Page page) const;

    boost::asio::awaitable<std::optional<Message>> find(std::string organization_id, std::string id) const;

    /// The run that took up a message with this client's id, if one did: a failed one may have left it in the history.
    boost::asio::awaitable<std::optional<std::string>> run_of_otid(std::string agent_id, std::string otid) const;

    /// The conversations of an agent that have this message: the one it was said in (empty: the default one) and those
    /// that share it since they were forked.
    boost::asio::awaitable<std::vector<std::string>> conversations_with(std::string agent_id, std::string id) const;

    boost::asio::awaitable<std::vector<Message>> in_context(std::string agent_id, std::string conversation_id) const;

    /// Full text over what was said to and by agents (message_search.cpp); events of the runtime are left out.
    boost::asio::awaitable<std::vector<MessageSearchHit>> search(MessageSearchQuery query) const;

    void insert(Transaction& transaction, const std::string& organization_id,
                const std::vector<Message>& messages) const;

    /// Replaces the text of a system message in place.
    void rewrite_system(Transaction& transaction, const Message& message) const;

    /// Replaces what a message says.
    void rewrite(Transaction& transaction, const Message& message) const;

    void remove(Transaction& transaction, const std::string& agent_id, const std::string& id) const;

    /// Takes all but the message `keep_id` out of a conversation's context window; nothing is deleted.
    void evict_all_but(Transaction& transaction, const std::string& agent_id, const std::string& conversation_id,
                       const std::string& keep_id) const;

    /// Makes `ids`, in this order, the context window of the default conversation.
    void set_context(Transaction& transaction, const std::string& agent_id, const std::vector<std::string>& ids) const;

    /// Gives a message of the window the place that it has now.
    void move_in_context(Transaction& transaction, const Message& message) const;

    /// The newest message with returns of tools, in the window or not.
    boost::asio::awaitable<std::optional<Message>> newest_return(std::string agent_id,
                                                                 std::string conversation_id) const;

    /// Takes the messages at the context positions from `first` to `last` out of the window of the summary's
    /// conversation and puts `summary` (which has the last of these positions) in their place. They stay stored and
    /// searchable. The commit throws Error{conflict} if none of them is there any more.
    void compact(Transaction& transaction, const std::string& organization_id, const Message& summary,
                 std::int64_t first, std::int64_t last) const;

    /// The summary that a compaction has put into the window, the newest if there are several.
    boost::asio::awaitable<std::optional<Message>> last_summary(std::string agent_id,
                                                                std::string conversation_id) const;

    /// Brings back what `summary` stands for, and takes the summary itself out of the window.
    void undo_compaction(Transaction& transaction, const Message& summary) const;

    // For one conversation; $1 agent, $2 conversation.
    static const Statement& in_context_statement(const std::string& conversation_id);
    static std::vector<Message> from_rows(Rows rows);
    static const Statement& context_ids_statement(const std::string& conversation_id);
    static const Statement& newest_in_context_statement();  ///< $1 agent, $2 conversation
    static std::vector<std::string> ids_from_rows(Rows rows);

    static std::vector<Statement> statements();

private:
    /// Of a message, or of one that was deleted a short while ago.
    boost::asio::awaitable<std::int64_t> position_of(std::string organization_id, std::string cursor) const;

    Database& database_;
};

}  // namespace stele::storage
