#pragma once

#include "runtime/agent_files.hpp"

#include <map>

namespace stele::runtime {

/// Where the messages of one agent in a file come to stand.
struct MessagePlaces {
    std::int64_t first = 0;                      ///< position of the first
    std::map<std::size_t, std::size_t> windows;  ///< by message: whose place in the window it takes
    std::string agent_id;

    void take(Message& message, std::size_t number) const {
        message.agent_id = agent_id;
        message.position = first + static_cast<std::int64_t>(number);
        if (const auto found = windows.find(number); found != windows.end())
            message.context_position = first + static_cast<std::int64_t>(found->second);
    }
};

/// An import at work: the file, and what has become of its parts so far.
struct AgentFiles::Import {
    std::string organization_id, actor;
    AgentFile file;
    std::vector<AgentFileMessages> messages;  ///< by agent
    bool whole = true, legacy = false;        ///< AgentFileContents
    ImportOptions options;
    storage::Transaction transaction;
    std::map<std::string, McpServer> servers;  ///< by their names
    std::map<std::string, Tool> tools;         ///< by the ids of the file
    std::map<std::string, Block> blocks;
    std::map<std::string, Folder> folders;
    std::map<std::string, FileMetadata> files;
    std::map<std::string, std::string> agents;
    std::vector<std::string> agent_ids;
    std::vector<std::string> notes;  ///< what was left out

    // Of a file that is not whole: what is stored before all else, and what is stored under it.
    storage::Transaction stage;
    std::vector<std::string> staged_ids;
    std::map<std::size_t, MessagePlaces> places;      ///< by agent
    std::map<std::size_t, std::string> staged_files;  ///< ids of those that get their content later, by their numbers
};

}  // namespace stele::runtime
