#pragma once

#include "domain/access_token.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace stele::api {

/// How the path of an operation leads to the agent whose rights are asked for.
enum class TokenPlace : std::uint8_t {
    agent,         ///< {agent_id}
    agent_query,   ///< the query's agent_id
    conversation,  ///< {conversation_id}: its agent
    own_run,       ///< {run_id}: its agent, if the run was started with this token
};

/// Which members of the body may be set.
enum class TokenBody : std::uint8_t {
    any,
    message,       ///< all but those that put the caller's will in the place of the agent's settings
    agent_change,  ///< what describes the agent and what it is told, and nothing that links it to something else
    conversation,  ///< all but its model
    own_runs,      ///< the run_ids, all of runs that were started with this token
};

/// An operation that a client-side access token may use, and what it needs for that. Every other answers 403.
struct TokenRule {
    std::string_view operation;  ///< of a Route
    AgentAccess access;
    TokenPlace place = TokenPlace::agent;
    TokenBody body = TokenBody::any;
};

/// All of them. tests/api/test_access_tokens.py walks every route with and without.
std::span<const TokenRule> token_rules();

/// Null for an operation that no token may use.
const TokenRule* find_token_rule(std::string_view operation);

/// The first member of the JSON object `text` that a token may not set, or nothing.
std::optional<std::string> refused_member(TokenBody body, std::string_view text);

}  // namespace stele::api
