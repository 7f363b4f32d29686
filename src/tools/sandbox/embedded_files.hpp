#pragma once

#include <span>
#include <string_view>

namespace stele::tools {

struct EmbeddedFile {
    std::string_view name;  ///< without its folder: "zygote.py"
    std::string_view content;
};

/// What the sandbox runs of ours, built into the binary (cmake/tools_sandbox.cmake).
std::span<const EmbeddedFile> embedded_files();

}  // namespace stele::tools
