#pragma once

#include "runtime/tool_runner.hpp"

namespace stele::runtime {

/// What the agent's tool rules make of a call before it is run: refuses one that is not among `allowed`, and fills in
/// the arguments that a rule knows. True if it filled in any. `tools`: all that the agent has. Pure.
bool apply_rules(PreparedCall& call, const ToolRuleSet& rules, const std::vector<std::string>& allowed,
                 const std::vector<Tool>& tools);

}  // namespace stele::runtime
