#pragma once

#include "domain/agent.hpp"
#include "domain/file.hpp"
#include "domain/folder.hpp"

namespace stele::runtime {

/// The folders of an agent and what it sees of their files.
struct AgentDirectories {
    std::vector<Folder> folders;      ///< in the order in which they were attached
    std::vector<AttachedFile> files;  ///< by their names
};

/// How many files an agent may have open, and how many characters (code points) of each it may see.
struct FileLimits {
    std::int64_t open = 0, characters = 0;
};

/// Of the agent itself, and where it sets none those of its model's window.
FileLimits file_limits(const Agent& agent);

/// What stands in the system message between the rules and the facts, with the blank line in front of it:
///
///     <directories>
///     <file_limits> ... </file_limits>
///     <directory name="..."> <description>? <instructions>? <file ...>* </directory>
///     </directories>
///
/// Empty for an agent without folders. Agents of type react and workflow get a leaner form.
std::string directories_section(const Agent& agent, const AgentDirectories& directories);

/// `memory.file_blocks` of an agent's answer: one JSON object a file.
std::vector<Json> file_blocks(const Agent& agent, const AgentDirectories& directories);

/// Indices of the open files of `files` that have to be closed so that at most `most` stay open: those that were not
/// looked at for longest, first. Files that `kept` names by their `file_id` stay.
std::vector<std::size_t> files_to_close(const std::vector<AttachedFile>& files, const std::vector<std::string>& kept,
                                        std::int64_t most);

}  // namespace stele::runtime
