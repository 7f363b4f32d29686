#pragma once

#include "domain/json.hpp"

#include <boost/describe/class.hpp>

#include <array>

namespace stele {

/// Whether somebody goes over what an agent has talked about, in the background, and how often: the terminal client's
/// words for an agent with a partner (enable_sleeptime).
struct ReflectionConfig {
    std::string agent_id;
    bool enabled = false;
    std::int64_t min_turn_count = 1;  ///< every so many turns
    Timestamp created_at{};
    Timestamp updated_at{};
};
BOOST_DESCRIBE_STRUCT(ReflectionConfig, (), (agent_id, enabled, min_turn_count, created_at, updated_at))

/// Body of PATCH /v1/agents/{agent_id}/reflection.
struct ReflectionUpdate {
    Patch<bool> enabled;
    Patch<std::int64_t> min_turn_count;
};
BOOST_DESCRIBE_STRUCT(ReflectionUpdate, (), (enabled, min_turn_count))
void check(const ReflectionUpdate& update, Problems& problems);

/// Body of PATCH /v1/agents/{agent_id}/conversations/{conversation_id}/reflection.
struct ReflectionMarkUpdate {
    std::string reflected_through_message_id;
};
BOOST_DESCRIBE_STRUCT(ReflectionMarkUpdate, (), (reflected_through_message_id))
constexpr std::array<std::string_view, 1> required_members(const ReflectionMarkUpdate*) {
    return {"reflected_through_message_id"};
}
void check(const ReflectionMarkUpdate& update, Problems& problems);

/// How far a conversation was gone over by somebody else: those who look after the agent's memory read on behind it.
struct ReflectionMark {
    std::string agent_id;
    std::string conversation_id;  ///< "default" for the agent's own
    std::string reflected_through_message_id;
    Timestamp updated_at{};
};
BOOST_DESCRIBE_STRUCT(ReflectionMark, (), (agent_id, conversation_id, reflected_through_message_id, updated_at))

}  // namespace stele
