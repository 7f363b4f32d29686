#include "domain/agent.hpp"

#include "base/ids.hpp"
#include "base/utf8.hpp"
#include "domain/json_mapping.hpp"
#include "domain/message.hpp"

#include <array>

namespace stele {
namespace {

// The API's pattern for names: word characters of any script, spaces, apostrophes, hyphens.
bool is_name(const std::string& name) {
    for (const char c : name) {
        const auto byte = static_cast<unsigned char>(c);
        const bool word = byte >= 0x80 || std::isalnum(byte) != 0 || c == '_';
        if (!word && c != ' ' && c != '\'' && c != '-') return false;
    }
    return !name.empty();
}

void check_name(const Patch<std::string>& name, Problems& problems) {
    if (!name.has_value()) return;
    if (!is_name(*name))
        problems.add("name", "may hold letters, digits, spaces, and _ - ' only, and must not be empty",
                     "string_pattern_mismatch", json_string(first_code_points(*name, 64)));
    else if (code_points(*name) > 4096)
        problems.add("name", "must have at most 4096 characters", "string_too_long");
}

void check_ids(const Patch<std::vector<std::string>>& ids, const char* field, const char* prefix, Problems& problems) {
    if (!ids.has_value()) return;
    for (std::size_t i = 0; i < ids->size(); ++i)
        if (!is_id((*ids)[i], prefix))
            problems.add(std::string(field) + "." + std::to_string(i),
                         std::string("must match '") + prefix + "-{uuid4}'", "string_pattern_mismatch",
                         json_string(first_code_points((*ids)[i], 64)));
}

void check_links(const AgentLinksRequest& request, Problems& problems) {
    check_ids(request.tool_ids, "tool_ids", "tool", problems);
    check_ids(request.block_ids, "block_ids", "block", problems);
    check_ids(request.source_ids, "source_ids", "source", problems);
    check_ids(request.folder_ids, "folder_ids", "source", problems);
}

void check_model(const AgentModelRequest& request, Problems& problems) {
    if (request.context_window_limit.has_value() && *request.context_window_limit < 1)
        problems.add("context_window_limit", "must be at least 1", "greater_than_equal");
    if (request.max_tokens.has_value() && *request.max_tokens < 1)
        problems.add("max_tokens", "must be at least 1", "greater_than_equal");
    if (request.metadata.has_value() && !request.metadata->is_null() && request.metadata->text.front() != '{')
        problems.add("metadata", "must be an object", "dict_type");
}

constexpr std::int64_t files_open_max = 1'000;
constexpr std::int64_t view_window_max = 2'147'483'647;

void check_switches(const AgentSwitchesRequest& request, Problems& problems) {
    check_double_texting(request.double_texting, problems);
    for (const auto& [name, number] :
         {std::pair("max_files_open", &request.max_files_open),
          std::pair("per_file_view_window_char_limit", &request.per_file_view_window_char_limit)})
        if (number->has_value() && **number < 1) problems.add(name, "must be at least 1", "greater_than_equal");
    if (request.timezone.has_value() && !is_timezone(*request.timezone))
        problems.add("timezone", "is no time zone that this server knows", "value_error",
                     json_string(first_code_points(*request.timezone, 64)));
}

constexpr std::array adjectives = {"Amber",  "Bright", "Calm",  "Clever", "Gentle", "Golden",  "Honest",
                                   "Keen",   "Lively", "Lucid", "Mellow", "Noble",  "Patient", "Quiet",
                                   "Silver", "Steady", "Sunny", "Tidy",   "Vivid",  "Wise"};
constexpr std::array nouns = {"Anchor",  "Badger",  "Beacon",  "Cedar",   "Compass", "Falcon", "Garden",
                              "Harbour", "Heron",   "Lantern", "Maple",   "Meadow",  "Otter",  "Pebble",
                              "River",   "Sparrow", "Summit",  "Thistle", "Willow",  "Wren"};

constexpr char memory_habit[] =
    "Your memory is yours to keep. The blocks under <memory_blocks> are always in front of you; everything you ever "
    "said "
    "and heard stays in recall storage and can be searched. When you learn something that will matter later, write it "
    "into the fitting block at once, in few words, and correct what turned out wrong instead of piling up versions. "
    "When somebody refers to something you don't see, search before you say that you don't know. ";

constexpr char speaking_by_tool[] =
    "What you write outside of a tool call is private thought; nobody sees it. To speak to the person, call "
    "send_message. One call can start another: request a heartbeat when you want to go on after a tool has answered. ";

std::string wrapped(const std::string& text) { return "<base_instructions>\n" + text + "\n</base_instructions>"; }

}  // namespace

void demand_file_limits(const AgentSwitchesRequest& request) {
    if (request.max_files_open.value_or(1) > files_open_max)
        throw refused("max_files_open: at most 1000 files can be open");
    if (request.per_file_view_window_char_limit.value_or(1) > view_window_max)
        throw refused("per_file_view_window_char_limit: at most 2147483647 characters can be shown");
}

std::string_view to_string(AgentType type) { return mapping::enum_word(type); }

AgentState::AgentState(const Agent& agent)
    : Audit(agent),
      AgentHead(agent),
      AgentToolRules(agent),
      AgentModel(agent),
      AgentOrigin(agent),
      AgentSwitches(agent),
      AgentLastRun(agent),
      AgentPlace(agent),
      AgentVisibility(agent),
      AgentTurnTaking(agent) {
    memory.agent_type = agent.agent_type;
}

void check(const InitialMessage& message, Problems& problems) {
    if (message.role != "user" && message.role != "system" && message.role != "assistant")
        problems.add("role", "must be one of: user, system, assistant", "literal_error", json_string(message.role));
}

void check(const CreateAgent& request, Problems& problems) {
    check_name(request.name, problems);
    check_links(request, problems);
    check_model(request, problems);
    check_switches(request, problems);
    // What leaves its short window is kept by a partner alone.
    if (request.agent_type == AgentType::voice_convo_agent && !request.enable_sleeptime.value_or(false))
        problems.add("enable_sleeptime", "must be true for a voice_convo_agent", "value_error");
}

void check(const UpdateAgent& request, Problems& problems) {
    check_name(request.name, problems);
    check_links(request, problems);
    check_model(request, problems);
    check_switches(request, problems);
    check_ids(request.message_ids, "message_ids", "message", problems);
}

void fill_file_limits(AgentPlace& place, std::int64_t context_window) {
    struct Limits {
        std::int64_t window, files, characters;
    };
    constexpr Limits table[] = {{8'192, 3, 5'000}, {32'768, 5, 15'000}, {131'072, 10, 25'000}, {200'000, 10, 40'000}};
    Limits chosen{0, 15, 40'000};
    if (context_window <= 0) chosen = {0, 5, 50'000};  // unknown
    for (const Limits& row : table) {
        if (context_window > 0 && context_window <= row.window) {
            chosen = row;
            break;
        }
    }
    if (!place.max_files_open) place.max_files_open = chosen.files;
    if (!place.per_file_view_window_char_limit) place.per_file_view_window_char_limit = chosen.characters;
}

std::string default_system_prompt(AgentType type) {
    switch (type) {
        case AgentType::letta_v1_agent:
            return wrapped(
                "You are an agent with a lasting memory, run by Stele. You meet the same people again and again, over "
                "months and years, and you go on where you stopped. " +
                std::string(memory_habit) +
                "Use tools when they help and say plainly when you can't do something. When nothing is left to do, "
                "answer "
                "in text; that ends your turn.");
        case AgentType::memgpt_agent:
        case AgentType::memgpt_v2_agent:
            return wrapped("You are an agent with a lasting memory, run by Stele. " + std::string(memory_habit) +
                           speaking_by_tool + "Be yourself as the persona block describes you.");
        case AgentType::react_agent:
            return wrapped(
                "You are an agent that solves tasks with tools, run by Stele. Think about the next step, call the tool "
                "that "
                "makes it, look at what came back, and go on until the task is done. " +
                std::string(speaking_by_tool));
        case AgentType::workflow_agent:
            return wrapped(
                "You carry out a fixed workflow, run by Stele. Each message is a new, independent task: follow the "
                "tool "
                "rules in order, call only the tools that are offered, and stop when the last one has run.");
        case AgentType::split_thread_agent:
            return {};
        case AgentType::sleeptime_agent:
            return wrapped(
                "You look after the memory of another agent while it rests, run by Stele. You are shown what was said "
                "since "
                "your last turn. Bring the memory blocks up to date: add what is new and lasting, correct what "
                "changed, "
                "remove what is stale, and keep each block short and well ordered. Never talk to the person. When the "
                "blocks "
                "are in order, call memory_finish_edits.");
        case AgentType::voice_convo_agent:
            return "You talk with a person by voice, run by Stele. Answer in short spoken sentences, without lists or "
                   "markup. Use search_memory when they refer to something you don't see.";
        case AgentType::voice_sleeptime_agent:
            return "You look after the memory of a voice agent, run by Stele. You are shown what was said. Keep what "
                   "will matter later: keep parts worth finding again with store_memories, bring the human block up "
                   "to date with rethink_user_memory, then call finish_rethinking_memory.";
    }
    return {};
}

std::string random_agent_name() {
    const std::string digits = random_hex(2);
    const auto number = std::stoul(digits, nullptr, 16);
    return std::string(adjectives[number % adjectives.size()]) + nouns[(number / adjectives.size()) % nouns.size()];
}

std::vector<std::string> base_tools_of(AgentType type, bool looked_after) {
    const bool of_memory = type == AgentType::sleeptime_agent || type == AgentType::voice_sleeptime_agent;
    if (looked_after && !of_memory && type != AgentType::voice_convo_agent) {
        if (speaks_in_text(type)) return {"conversation_search", "archival_memory_search"};
        return {"send_message", "conversation_search", "archival_memory_search"};
    }
    switch (type) {
        case AgentType::letta_v1_agent:
            return {"conversation_search", "memory_insert", "memory_replace"};
        case AgentType::sleeptime_agent:
            return {"memory_replace", "memory_insert", "memory_rethink", "memory_finish_edits"};
        case AgentType::memgpt_agent:
        case AgentType::split_thread_agent:
            return {"send_message", "conversation_search", "core_memory_append", "core_memory_replace",
                    "memory",       "memory_apply_patch"};
        case AgentType::memgpt_v2_agent:
            return {"send_message", "conversation_search", "memory_insert", "memory_replace"};
        case AgentType::react_agent:
        case AgentType::workflow_agent:
            return {};
        case AgentType::voice_convo_agent:
            return {"send_message", "search_memory"};
        case AgentType::voice_sleeptime_agent:
            return {"store_memories", "rethink_user_memory", "finish_rethinking_memory"};
    }
    return {};
}

bool speaks_in_text(AgentType type) { return type == AgentType::letta_v1_agent || type == AgentType::sleeptime_agent; }

bool apply_plain_fields(const UpdateAgent& update, Agent& agent) {
    demand_file_limits(update);
    bool changed = update.name.set_into(agent.name);
    changed |=
        update.system.has_value() ? update.system.set_into(agent.system) : update.instructions.set_into(agent.system);
    changed |= update.description.set_into(agent.description);
    if (update.metadata.present()) {
        const Json metadata = update.metadata.has_value() ? *update.metadata : Json{};
        if (!(metadata == agent.metadata)) {
            agent.metadata = metadata;
            changed = true;
        }
    }
    if (update.tool_rules.has_value()) {
        std::vector<ToolRule> rules = *update.tool_rules;
        remove_duplicates(rules);
        if (rules != agent.tool_rules) {
            agent.tool_rules = std::move(rules);
            changed = true;
        }
    }
    if (update.compaction_settings.has_value()) {
        if (!agent.compaction_settings) agent.compaction_settings.emplace();
        changed |= apply(*update.compaction_settings, *agent.compaction_settings);
    }
    changed |= update.message_buffer_autoclear.set_into(agent.message_buffer_autoclear);
    if (update.enable_sleeptime.has_value()) changed |= update.enable_sleeptime.set_into(agent.enable_sleeptime);
    if (update.timezone.has_value()) changed |= update.timezone.set_into(agent.timezone);
    if (update.max_files_open.has_value()) {
        changed |= update.max_files_open.set_into(agent.max_files_open);
    }
    if (update.per_file_view_window_char_limit.has_value())
        changed |= update.per_file_view_window_char_limit.set_into(agent.per_file_view_window_char_limit);
    changed |= update.hidden.set_into(agent.hidden);
    if (update.double_texting.present() && !(update.double_texting == agent.double_texting)) {
        agent.double_texting = update.double_texting.has_value() ? update.double_texting : Patch<std::string>();
        changed = true;
    }
    if (update.project_id.has_value()) changed |= update.project_id.set_into(agent.project_id);
    if (update.template_id.has_value()) changed |= update.template_id.set_into(agent.template_id);
    if (update.base_template_id.has_value()) changed |= update.base_template_id.set_into(agent.base_template_id);
    if (update.last_run_completion.has_value())
        changed |= update.last_run_completion.set_into(agent.last_run_completion);
    if (update.last_run_duration_ms.has_value())
        changed |= update.last_run_duration_ms.set_into(agent.last_run_duration_ms);
    if (update.last_stop_reason.has_value()) changed |= update.last_stop_reason.set_into(agent.last_stop_reason);
    return changed;
}

STELE_JSON(AgentSettings)
STELE_JSON_WRITTEN(AgentState)
STELE_JSON_WRITTEN(AgentMemory)
STELE_JSON_WRITTEN(ContextWindowOverview)
STELE_JSON_READ(CreateAgent)
STELE_JSON_READ(UpdateAgent)
STELE_JSON_READ(ResetMessages)

}  // namespace stele
