#pragma once

#include "domain/json.hpp"

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include <array>

namespace stele {

/// Who of a group speaks when.
BOOST_DEFINE_ENUM_CLASS(ManagerType, round_robin, supervisor, dynamic, sleeptime, voice_sleeptime)

std::string_view to_string(ManagerType type);
std::optional<ManagerType> parse_manager_type(std::string_view word);

/// Agents that work together.
struct Group {
    std::string id;  ///< "group-<uuid>"
    ManagerType manager_type = ManagerType::round_robin;
    std::vector<std::string> agent_ids;  ///< the members, in the order in which they speak
    std::string description;
    std::optional<std::string> project_id;
    std::optional<std::string> template_id;
    std::optional<std::string> base_template_id;
    std::optional<std::string> deployment_id;
    std::vector<std::string> shared_block_ids;  ///< attached to every member and the manager
    std::optional<std::string> manager_agent_id;
    std::optional<std::string> termination_token;           ///< dynamic: whoever says it ends the talk
    std::optional<std::int64_t> max_turns;                  ///< of one request
    std::optional<std::int64_t> sleeptime_agent_frequency;  ///< sleeptime: every so many turns of the manager
    std::optional<std::int64_t> turns_counter;              ///< sleeptime: turns since it fired; -1: none so far
    std::optional<std::string> last_processed_message_id;   ///< sleeptime: up to here the members have read
    std::optional<std::int64_t> max_message_buffer_length;  ///< voice_sleeptime: more than these fire it
    std::optional<std::int64_t> min_message_buffer_length;  ///< voice_sleeptime: these are left for the next time
    std::optional<bool> hidden;

    // Not described.
    std::optional<std::string> created_by_id, last_updated_by_id;
    Timestamp created_at{}, updated_at{};
    std::int64_t version = 1;  ///< of the row
};
BOOST_DESCRIBE_STRUCT(Group, (),
                      (id, manager_type, agent_ids, description, project_id, template_id, base_template_id,
                       deployment_id, shared_block_ids, manager_agent_id, termination_token, max_turns,
                       sleeptime_agent_frequency, turns_counter, last_processed_message_id, max_message_buffer_length,
                       min_message_buffer_length, hidden))

/// True where the members work in the background on what the manager has said.
inline bool works_asleep(const Group& group) {
    return group.manager_type == ManagerType::sleeptime || group.manager_type == ManagerType::voice_sleeptime;
}

/// How a group is managed. Members that belong to another type than `manager_type` are left alone.
struct ManagerConfig {
    ManagerType manager_type = ManagerType::round_robin;
    Patch<std::string> manager_agent_id;  ///< all types but round_robin
    Patch<std::string> termination_token;
    Patch<std::int64_t> max_turns;
    Patch<std::int64_t> sleeptime_agent_frequency;
    Patch<std::int64_t> max_message_buffer_length;
    Patch<std::int64_t> min_message_buffer_length;
};
BOOST_DESCRIBE_STRUCT(ManagerConfig, (),
                      (manager_type, manager_agent_id, termination_token, max_turns, sleeptime_agent_frequency,
                       max_message_buffer_length, min_message_buffer_length))
void check(const ManagerConfig& config, Problems& problems);

/// Body of POST /v1/groups.
struct GroupCreate {
    std::vector<std::string> agent_ids;
    std::string description;
    ManagerConfig manager_config;
    Patch<std::string> project_id;
    std::vector<std::string> shared_block_ids;
    Patch<bool> hidden;
};
BOOST_DESCRIBE_STRUCT(GroupCreate, (), (agent_ids, description, manager_config, project_id, shared_block_ids, hidden))
void check(const GroupCreate& request, Problems& problems);
constexpr std::array<std::string_view, 2> required_members(const GroupCreate*) { return {"agent_ids", "description"}; }

/// Body of PATCH /v1/groups/{group_id}. Null is as good as absent, but for what a manager's config may clear.
struct GroupUpdate {
    Patch<std::vector<std::string>> agent_ids;
    Patch<std::string> description;
    Patch<ManagerConfig> manager_config;
    Patch<std::string> project_id;
    Patch<std::vector<std::string>> shared_block_ids;
};
BOOST_DESCRIBE_STRUCT(GroupUpdate, (), (agent_ids, description, manager_config, project_id, shared_block_ids))
void check(const GroupUpdate& request, Problems& problems);

inline constexpr std::int64_t sleeptime_frequency_default = 5;
inline constexpr std::int64_t voice_buffer_max_default = 30, voice_buffer_min_default = 15;

/// The group that `request` describes, without an id. Throws Error{invalid_argument} for a config without the manager
/// that its type needs, or buffer lengths that do not go together.
Group make_group(const GroupCreate& request);

/// Applies what `update` holds. Throws as make_group, and for another type of manager. True if anything changed.
bool apply(const GroupUpdate& update, Group& group);

}  // namespace stele
