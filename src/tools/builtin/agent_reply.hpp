#pragma once

#include "tools/other_agents.hpp"

namespace stele::tools {

/// An answer in the spelling that clients look for: {'agent_id': '...', 'response': ['...']}.
std::string shown(const AgentReply& reply);

/// Several, in brackets.
std::string shown(const std::vector<AgentReply>& replies);

}  // namespace stele::tools
