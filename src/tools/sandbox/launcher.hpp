#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace stele::tools {

/// What is done inside a sandbox before a command begins (python/launch.py).
struct Preparation {
    int entrance = -1;     ///< descriptor, inside, of the entrance of its control group
    int control = -1;      ///< descriptor, inside, by which the way out is handed over
    int port = 0;          ///< where that is; 0: there is none
    bool resigns = false;  ///< root becomes a user that nothing else has
    /// Most bytes that a process may have to write in. Not the address space: what runs on V8 maps far more than it
    /// uses.
    std::uint64_t memory_bytes = 0;
    std::uint64_t file_bytes = std::uint64_t{1} << 30;  ///< of one file
    int descriptors = 1024, processes = 256;            ///< 0 processes: no limit
};

/// The arguments with which a Python interpreter prepares its process and then becomes `command`.
std::vector<std::string> launched(const Preparation& preparation, std::vector<std::string> command);

/// The text of a file of python/ that is given to an interpreter as it is.
std::string embedded_script(std::string_view name);

}  // namespace stele::tools
