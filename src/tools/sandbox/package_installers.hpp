#pragma once

#include "tools/sandbox/sandbox.hpp"

namespace stele::tools {

enum class Installer : std::uint8_t { pip, npm };

/// The interpreter whose packages these are: they fit no other.
std::string interpreter_of(const SandboxOptions& options, Installer installer);

/// True for what the installer takes as the name of a package with versions, and for nothing that it could take for an
/// option, a file or an address: "six==1.16.0", "uvicorn[standard]>=0.20,<1"; "zod@3.23.8", "@scope/name@^1.2".
bool is_requirement(std::string_view text, Installer installer);

/// Has `requirements` installed into `folder`, behind the walls of `options`: the installer sees that folder alone. No
/// code of a package runs meanwhile: it runs when a tool imports it, inside the tool's own sandbox. It reaches its
/// index and public addresses, or what a proxy of the operator's lets through. Empty, or why it could not: also when
/// the folder grows beyond options.install_bytes_max. Throws Error{timed_out}, Error{unavailable} if the installer is
/// not there or can't be started. On `executor`; looks at the disk on `workers`, which outlives it.
boost::asio::awaitable<std::string> install_packages(boost::asio::any_io_executor executor, WorkerThreads& workers,
                                                     const SandboxOptions& options, Installer installer,
                                                     std::vector<std::string> requirements,
                                                     std::filesystem::path folder);

}  // namespace stele::tools
