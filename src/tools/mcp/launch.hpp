#pragma once

#include "domain/mcp_server.hpp"
#include "tools/sandbox/process.hpp"
#include "tools/sandbox/sandbox.hpp"

#include <memory>

namespace stele::tools::mcp {

/// What surrounds servers that are commands.
struct LaunchOptions {
    Walls walls = Walls::bubblewrap;
    ToolNetwork network = ToolNetwork::none;
    bool egress_private = false;              ///< the way out leads into private networks too
    std::string python = "/usr/bin/python3";  ///< of what starts the command inside
};

/// A command ready to be started: behind walls, under limits, as nobody, with the way out that the operator allows.
struct Launch {
    Command command;
    Descriptor ours, theirs;  ///< of the socket by which the way out is handed over, if there is one; `theirs` is the
                              ///< command's and is closed once that is started
    bool egress_private = false;
};

/// Throws Error{unavailable} when no descriptors are left.
Launch launch_of(const McpServer& server, const LaunchOptions& options);

}  // namespace stele::tools::mcp
