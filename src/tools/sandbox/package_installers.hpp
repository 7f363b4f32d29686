#pragma once

#include "tools/sandbox/process.hpp"
#include "tools/sandbox/sandbox.hpp"

namespace stele::tools {

enum class Installer : std::uint8_t { pip, npm };

/// The interpreter whose packages these are: they fit no other.
std::string interpreter_of(const SandboxOptions& options, Installer installer);

/// What installs `requirements` into `folder`, in a sandbox of its own. No code of a package runs meanwhile: it runs
/// when a tool imports it, inside the tool's own sandbox. Throws Error{unavailable} if the installer is not there.
Command installation(const SandboxOptions& options, Installer installer, std::vector<std::string> requirements,
                     const std::filesystem::path& folder);

/// True for what the installer takes as the name of a package with versions, and for nothing that it could take for an
/// option, a file or an address: "six==1.16.0", "uvicorn[standard]>=0.20,<1"; "zod@3.23.8", "@scope/name@^1.2".
bool is_requirement(std::string_view text, Installer installer);

}  // namespace stele::tools
