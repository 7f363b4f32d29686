#pragma once

#include "domain/agent.hpp"
#include "domain/message.hpp"
#include "runtime/folder_links.hpp"

namespace stele::runtime {

/// An agent that is about to be stored, with all that belongs to it.
struct NewAgent {
    Agent agent;
    std::vector<Block> fresh_blocks;  ///< of `blocks`: those that have to be stored first
    std::vector<Block> blocks;        ///< attached, in order
    std::vector<Tool> tools;
    std::vector<std::string> tags;
    std::vector<Message> messages;
    std::vector<std::string> identity_ids;
    NewFolders folders;
    bool stored = false;  ///< its own row, and messages besides `messages`, are there
};

/// The type of the agents that look after the memory of one of this type.
AgentType partner_type_of(AgentType type);

/// The agent that looks after the memory of `main`: the same model, its `blocks` and one of its own. `tools`: the base
/// tools of its type, as far as there are any.
NewAgent make_partner(const Agent& main, const std::vector<Block>& blocks, std::vector<Tool> tools,
                      const std::string& actor);

/// The group of the two.
Group make_pair(const Agent& main, const Agent& partner, const std::string& actor);

}  // namespace stele::runtime
