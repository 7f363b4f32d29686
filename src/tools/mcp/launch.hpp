#pragma once

#include "domain/mcp_server.hpp"
#include "tools/sandbox/process.hpp"
#include "tools/sandbox/sandbox.hpp"

#include <memory>

namespace stele::tools {
class ControlGroup;
class ControlGroups;
}  // namespace stele::tools

namespace stele::tools::mcp {

/// What surrounds servers that are commands.
struct LaunchOptions {
    Walls walls = Walls::bubblewrap;
    ToolNetwork network = ToolNetwork::none;
    bool egress_private = false;                  ///< the way out leads into private networks too
    std::string python = "/usr/bin/python3";      ///< of what starts the command inside
    std::uint64_t memory_bytes_max = 4ull << 30;  ///< of each process; of all together where there are groups
    std::shared_ptr<ControlGroups> groups;        ///< as of SandboxOptions
};

/// A command ready to be started: behind walls, under limits, as nobody, with the way out that the operator allows.
struct Launch {
    Command command;
    Descriptor ours, theirs;  ///< of the socket by which the way out is handed over, if there is one; `theirs` is the
                              ///< command's and is closed once that is started
    bool egress_private = false;
    std::shared_ptr<ControlGroup> group;  ///< that it enters; kept as long as it runs
};

/// Throws Error{unavailable} when no descriptors are left, or its control group can't be made.
Launch launch_of(const McpServer& server, const LaunchOptions& options);

}  // namespace stele::tools::mcp
