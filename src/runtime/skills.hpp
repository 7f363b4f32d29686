#pragma once

#include "domain/agent.hpp"
#include "domain/message.hpp"

#include <string>
#include <vector>

namespace stele::runtime {

/// Skills that a request may use: those that an agent with git memory keeps as blocks (skills/<name>/SKILL.md) and
/// those that the request brings along. Empty without any; else a section, begun by a blank line, that follows the
/// system text of this request alone:
///
///     <available_skills>
///     $MEMORY_DIR/skills/
///     └── review/
///         └── SKILL.md (how I review)
///
///     /home/ada/.skills/
///     └── ...
///     </available_skills>
///
/// Grouped by where they are. Of two of one name the agent's own counts.
std::string skills_section(const Agent& agent, const std::vector<Block>& blocks,
                           const Patch<std::vector<ClientSkill>>& brought);

}  // namespace stele::runtime
