#include "domain/group.hpp"

#include "base/ids.hpp"
#include "domain/json_mapping.hpp"

#include <algorithm>

namespace stele {
namespace {

constexpr std::size_t members_max = 100;
constexpr std::int64_t buffer_above = 4;  // both lengths of a voice group's buffer

void check_ids(const std::vector<std::string>& ids, const char* member, const std::string& prefix, Problems& problems) {
    if (ids.size() > members_max) problems.add(member, "holds more than 100 ids", "too_long");
    for (const std::string& id : ids)
        if (!is_id(id, prefix))
            problems.add(member, "must hold ids that match '" + prefix + "-{uuid4}'", "string_pattern_mismatch",
                         json_string(id));
}

void check_positive(const Patch<std::int64_t>& number, const char* member, Problems& problems) {
    if (number.has_value() && *number < 1) problems.add(member, "must be at least 1", "greater_than_equal");
}

std::vector<std::string> each_once(const std::vector<std::string>& ids) {
    std::vector<std::string> once;
    for (const std::string& id : ids)
        if (std::find(once.begin(), once.end(), id) == once.end()) once.push_back(id);
    return once;
}

bool apply(const ManagerConfig& config, Group& group) {
    bool changed = false;
    if (group.manager_type != ManagerType::round_robin && config.manager_agent_id.has_value())
        changed = config.manager_agent_id.set_into(group.manager_agent_id);
    switch (group.manager_type) {
        case ManagerType::dynamic:
            changed = config.termination_token.set_into(group.termination_token) || changed;
            [[fallthrough]];
        case ManagerType::round_robin:
            return config.max_turns.set_into(group.max_turns) || changed;
        case ManagerType::sleeptime:
            return config.sleeptime_agent_frequency.set_into(group.sleeptime_agent_frequency) || changed;
        case ManagerType::voice_sleeptime:
            changed = config.max_message_buffer_length.set_into(group.max_message_buffer_length) || changed;
            return config.min_message_buffer_length.set_into(group.min_message_buffer_length) || changed;
        case ManagerType::supervisor:
            break;
    }
    return changed;
}

void demand_sense(const Group& group) {
    if (group.manager_type != ManagerType::round_robin && !group.manager_agent_id)
        throw invalid_field("body.manager_config.manager_agent_id",
                            "is required where manager_type is " + std::string(to_string(group.manager_type)));
    const auto& most = group.max_message_buffer_length;
    const auto& least = group.min_message_buffer_length;
    if (!most && !least) return;
    if (!most || !least)
        throw refused("manager_config: max_message_buffer_length and min_message_buffer_length go together");
    if (*most <= buffer_above || *least <= buffer_above)
        throw refused("manager_config: buffer lengths must be greater than " + std::to_string(buffer_above));
    if (*most <= *least)
        throw refused("manager_config: max_message_buffer_length must be greater than min_message_buffer_length");
}

}  // namespace

std::string_view to_string(ManagerType type) { return mapping::enum_word(type); }

std::optional<ManagerType> parse_manager_type(std::string_view word) {
    std::optional<ManagerType> found;
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<ManagerType>>([&](auto enumerator) {
        if (word == enumerator.name) found = enumerator.value;
    });
    return found;
}

void check(const ManagerConfig& config, Problems& problems) {
    if (config.manager_agent_id.has_value() && !is_id(*config.manager_agent_id, "agent"))
        problems.add("manager_agent_id", "must match 'agent-{uuid4}'", "string_pattern_mismatch",
                     json_string(*config.manager_agent_id));
    check_positive(config.max_turns, "max_turns", problems);
    check_positive(config.sleeptime_agent_frequency, "sleeptime_agent_frequency", problems);
    if (config.termination_token.has_value() && config.termination_token->empty())
        problems.add("termination_token", "must not be empty", "string_too_short");
}

void check(const GroupCreate& request, Problems& problems) {
    check_ids(request.agent_ids, "agent_ids", "agent", problems);
    check_ids(request.shared_block_ids, "shared_block_ids", "block", problems);
}

void check(const GroupUpdate& request, Problems& problems) {
    if (request.agent_ids.has_value()) check_ids(*request.agent_ids, "agent_ids", "agent", problems);
    if (request.shared_block_ids.has_value())
        check_ids(*request.shared_block_ids, "shared_block_ids", "block", problems);
}

Group make_group(const GroupCreate& request) {
    Group group;
    group.manager_type = request.manager_config.manager_type;
    group.agent_ids = each_once(request.agent_ids);
    group.description = request.description;
    group.project_id = request.project_id.optional();
    group.shared_block_ids = each_once(request.shared_block_ids);
    group.hidden = request.hidden.optional();
    if (group.manager_type == ManagerType::dynamic) group.termination_token = "DONE!";
    if (group.manager_type == ManagerType::sleeptime) group.turns_counter = -1;
    apply(request.manager_config, group);
    demand_sense(group);
    return group;
}

bool apply(const GroupUpdate& update, Group& group) {
    bool changed = update.description.set_into(group.description);
    if (update.project_id.has_value()) changed = update.project_id.set_into(group.project_id) || changed;
    if (update.agent_ids.has_value() && each_once(*update.agent_ids) != group.agent_ids) {
        group.agent_ids = each_once(*update.agent_ids);
        changed = true;
    }
    if (update.shared_block_ids.has_value() && each_once(*update.shared_block_ids) != group.shared_block_ids) {
        group.shared_block_ids = each_once(*update.shared_block_ids);
        changed = true;
    }
    if (!update.manager_config.has_value()) return changed;
    if (update.manager_config->manager_type != group.manager_type)
        throw refused("manager_config: the type of a group's manager can't be changed; it is " +
                      std::string(to_string(group.manager_type)));
    changed = apply(*update.manager_config, group) || changed;
    demand_sense(group);
    return changed;
}

STELE_JSON_WRITTEN(Group)
STELE_JSON_READ(GroupCreate)
STELE_JSON_READ(GroupUpdate)

}  // namespace stele
