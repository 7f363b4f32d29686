#pragma once

#include "domain/group.hpp"
#include "domain/message.hpp"
#include "storage/page.hpp"

namespace stele::storage {

struct GroupFilter {
    std::optional<ManagerType> manager_type;
    std::optional<std::string> project_id;
    std::optional<std::string> agent_id;  ///< is a member, or the manager
};

/// Groups of one organisation at a time, and what was said in them.
class GroupRepository {
public:
    explicit GroupRepository(Database& database) : database_(database) {}

    boost::asio::awaitable<std::optional<Group>> find(std::string organization_id, std::string id) const;

    /// Those that an agent manages, the newest first.
    boost::asio::awaitable<std::vector<Group>> managed_by(std::string agent_id) const;
    boost::asio::awaitable<std::vector<Group>> list(std::string organization_id, GroupFilter filter, Page page) const;
    boost::asio::awaitable<std::int64_t> count(std::string organization_id) const;

    /// With its members and shared blocks, which exist. A member that is gone is Error{conflict} of the commit.
    void insert(Transaction& transaction, const std::string& organization_id, const Group& group) const;

    /// Writes all of it and raises `version`. The commit throws Error{conflict} if somebody else did meanwhile.
    void update(Transaction& transaction, const std::string& organization_id, Group& group) const;

    void remove(Transaction& transaction, const std::string& organization_id, const Group& group) const;

    /// Messages that `agent_id` has stored, or stores before in the same transaction, as said in the group.
    void add_messages(Transaction& transaction, const std::string& group_id,
                      const std::vector<Message>& messages) const;

    /// Forgets what was said in the group; its members keep it in their histories.
    void forget_messages(Transaction& transaction, const std::string& group_id) const;

    /// What was said in the group since a member last spoke there and is not in its window, oldest first; at most
    /// `limit`, the newest ones.
    boost::asio::awaitable<std::vector<Message>> unheard(std::string group_id, std::string agent_id,
                                                         std::int64_t limit) const;

    /// What was said to and by `agent_id` behind the position `after`, oldest first; at most `limit`, the newest ones.
    boost::asio::awaitable<std::vector<Message>> transcript(std::string agent_id, std::int64_t after,
                                                            std::int64_t limit) const;

    /// Counts a turn of the manager; true if it is one after which the members get to work. Durable then.
    boost::asio::awaitable<bool> count_turn(std::string group_id, std::int64_t frequency) const;

    /// The position up to which the members have read; 0: nothing yet.
    boost::asio::awaitable<std::int64_t> processed(std::string group_id) const;

    /// The members have read up to `to`, the position of `message_id`. No effect unless they had read up to `from`.
    void note_processed(Transaction& transaction, const std::string& group_id, std::int64_t from,
                        const std::string& message_id, std::int64_t to) const;

    /// Takes what an agent has said and heard in the group out of its window; it stays stored.
    void evict_messages(Transaction& transaction, const std::string& group_id, const std::string& agent_id) const;

    // Reads to be part of a larger batch.
    static const Statement& managed_statement();  ///< $1 agent: what it manages, the newest first
    static std::vector<Group> from_rows(Rows rows);

    static std::vector<Statement> statements();

private:
    void add_relations(Transaction& transaction, const Group& group) const;

    Database& database_;
};

}  // namespace stele::storage
