#pragma once

#include "runtime/agent_service.hpp"
#include "storage/group_repository.hpp"

namespace stele::runtime {

/// The template that a group was made of.
struct GroupOrigin {
    GroupOrigin() = default;  // no aggregate: it may stand in for an absent argument on a line with co_await

    std::optional<std::string> template_id, base_template_id, deployment_id;
};

/// Groups as a whole: what making, changing and clearing one takes beyond its row. Thread-safe; what it refers to
/// outlives it.
class GroupService {
public:
    struct Parts {
        storage::Database& database;
        const storage::GroupRepository& groups;
        const storage::AgentRepository& agents;
        const storage::BlockRepository& blocks;
        const storage::IdempotencyRepository& idempotency;
        Runtime& runtime;
    };

    explicit GroupService(Parts parts) : parts_(parts) {}

    /// Makes the group and attaches its shared blocks to all who belong to it. The manager of a sleeptime group gets
    /// `enable_sleeptime`. Throws Error for every reference that leads nowhere; nothing is left behind then.
    boost::asio::awaitable<Group> create(std::string organization_id, std::string actor, GroupCreate request,
                                         std::optional<std::string> idempotency_key, GroupOrigin origin = {}) const;

    boost::asio::awaitable<Group> get(std::string organization_id, std::string id) const;

    /// Throws Error{conflict} if somebody else changed the group meanwhile: then it may be called again.
    boost::asio::awaitable<Group> update(std::string organization_id, std::string actor, std::string id,
                                         GroupUpdate request) const;

    boost::asio::awaitable<void> remove(std::string organization_id, std::string id) const;

    /// Shares one more block, or one less. No effect if it is so already; throws as update.
    boost::asio::awaitable<void> share_block(std::string organization_id, std::string actor, std::string id,
                                             std::string block_id, bool shared) const;

    /// Forgets what was said in the group, and takes it out of the windows of all who belong to it. Waits for runs at
    /// work.
    boost::asio::awaitable<void> reset_messages(std::string organization_id, std::string id) const;

private:
    boost::asio::awaitable<void> save(std::string organization_id, std::string actor, Group before, Group group) const;
    boost::asio::awaitable<void> demand_agents(std::string organization_id, std::vector<std::string> ids) const;
    boost::asio::awaitable<std::vector<Block>> blocks_of(std::string organization_id,
                                                         std::vector<std::string> ids) const;

    Parts parts_;
};

/// All agents that belong to a group: its members, and its manager if that is none of them.
std::vector<std::string> agents_of(const Group& group);

}  // namespace stele::runtime
