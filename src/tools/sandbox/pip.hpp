#pragma once

#include "tools/sandbox/sandbox.hpp"

namespace stele::tools {

/// True for "name", "name[extra]" and these with version clauses: nothing that pip could take for an option, a file or
/// an address.
bool is_requirement(std::string_view text);

/// Has pip install `requirements` into `folder`, behind the walls of `options`: it sees that folder, and reaches its
/// index and public addresses. Wheels only: so no code of a package runs before a tool imports it, inside its own
/// sandbox. Empty, or why it could not. Throws Error{timed_out}, Error{unavailable} if it can't be started. On
/// `executor`.
boost::asio::awaitable<std::string> run_pip(boost::asio::any_io_executor executor, const SandboxOptions& options,
                                            std::vector<std::string> requirements, std::filesystem::path folder);

}  // namespace stele::tools
