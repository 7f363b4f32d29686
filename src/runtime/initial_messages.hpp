#pragma once

#include "domain/agent.hpp"
#include "domain/message.hpp"
#include "runtime/system_prompt.hpp"

namespace stele::runtime {

/// The messages that a new agent begins with, behind its system message: those that the request gave, else the defaults
/// of its type (nothing for agents that speak in text; a greeting and a login for the others). Positions are given.
std::vector<Message> initial_messages(const Agent& agent, const std::optional<std::vector<InitialMessage>>& sequence);

/// The system message that a conversation begins with.
Message new_system_message(const SystemPromptInput& input);

/// An event in the form that the agent's prompt describes: an object with its kind, one more member, and the time now.
std::string packaged_event(const Agent& agent, const char* type, const char* key, const std::string& value);

}  // namespace stele::runtime
