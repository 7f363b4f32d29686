#include "api/token_rules.hpp"

#include <algorithm>
#include <array>

namespace stele::api {
namespace {

using enum AgentAccess;

constexpr TokenRule rules[] = {
    {"agents.messages.list", read_messages},
    {"conversations.messages.list", read_messages, TokenPlace::conversation},
    {"runs.retrieve", read_messages, TokenPlace::own_run},
    {"runs.messages.stream", read_messages, TokenPlace::own_run},

    {"agents.messages.create", write_messages, TokenPlace::agent, TokenBody::message},
    {"agents.messages.stream", write_messages, TokenPlace::agent, TokenBody::message},
    {"agents.messages.create_async", write_messages, TokenPlace::agent, TokenBody::message},
    {"agents.messages.cancel", write_messages, TokenPlace::agent, TokenBody::own_runs},
    {"conversations.create", write_messages, TokenPlace::agent_query, TokenBody::conversation},
    {"conversations.messages.create", write_messages, TokenPlace::conversation, TokenBody::message},

    {"agents.retrieve", read_agent},
    {"agents.context.retrieve", read_agent},
    {"agents.core_memory.retrieve", read_agent},
    {"agents.blocks.list", read_agent},
    {"agents.blocks.list_alias", read_agent},
    {"agents.blocks.retrieve", read_agent},
    {"agents.tools.list", read_agent},
    {"agents.folders.list", read_agent},
    {"agents.sources.list", read_agent},
    {"agents.files.list", read_agent},
    {"agents.files.list_by_patch", read_agent},

    {"agents.update", write_agent, TokenPlace::agent, TokenBody::agent_change},
    {"agents.blocks.update", write_agent},
    {"agents.passages.create", write_agent},
    {"agents.passages.delete", write_agent},
};

// Those that are refused, and in the case of an agent those that are not.
constexpr std::array message_members{"override_model", "override_system", "system",      "client_tools",
                                     "client_skills",  "callback_url",    "identity_id", "model"};
constexpr std::array conversation_members{"model", "model_settings", "context_window_limit"};
constexpr std::array agent_members{"name", "description", "tags", "metadata", "system", "instructions"};

bool holds(std::span<const char* const> names, const std::string& name) {
    return std::any_of(names.begin(), names.end(), [&](const char* each) { return each == name; });
}

bool is_refused(TokenBody body, const std::string& member) {
    switch (body) {
        case TokenBody::message:
            return holds(message_members, member);
        case TokenBody::conversation:
            return holds(conversation_members, member);
        case TokenBody::agent_change:
            return !holds(agent_members, member);
        case TokenBody::own_runs:
        case TokenBody::any:
            return false;
    }
    return true;
}

}  // namespace

std::span<const TokenRule> token_rules() { return rules; }

const TokenRule* find_token_rule(std::string_view operation) {
    const auto found = std::find_if(std::begin(rules), std::end(rules),
                                    [&](const TokenRule& rule) { return rule.operation == operation; });
    return found == std::end(rules) ? nullptr : &*found;
}

std::optional<std::string> refused_member(TokenBody body, std::string_view text) {
    if (body == TokenBody::any) return std::nullopt;
    // Null leaves an agent's settings alone in a message, and may clear them in a change.
    std::vector<std::string> members = members_of(text, body == TokenBody::agent_change);
    for (std::string& member : members)
        if (is_refused(body, member)) return std::move(member);
    return std::nullopt;
}

}  // namespace stele::api
