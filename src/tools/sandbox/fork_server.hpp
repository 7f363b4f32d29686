#pragma once

#include "tools/sandbox/bubblewrap.hpp"

#include <atomic>
#include <chrono>
#include <memory>
#include <string>

namespace stele::tools {

class ControlGroup;
class Doorway;

/// What every fork-server reads: sealed memory files, made once.
struct SandboxFiles {
    SandboxFiles();

    Descriptor bundle;   ///< the Python modules, as one JSON object
    Descriptor library;  ///< native/walls.c
    std::string boot;    ///< what the interpreter is given as text
};

/// One warm interpreter (python/zygote.py) behind its walls, that forks for each call. Thread-safe but for the end.
class ForkServer {
public:
    /// Starts it and does not wait: calls that are sent meanwhile lie in its socket. It enters `group`, unless that is
    /// null. Throws Error{unavailable} if there is no such program.
    ForkServer(const boost::asio::any_io_executor& executor, const SandboxFiles& files, const Enclosure& enclosure,
               const std::string& python, bool egress_private, std::shared_ptr<ControlGroup> group);
    ~ForkServer();

    /// Hands over the far ends of one call's streams. False if it has ended or does not keep up.
    bool send(int call, int out, int err, int watch);

    /// What it said on standard error; it says nothing as long as all is well.
    std::string complaint() const;

    /// How many processes of calls the kernel has ended because their group's memory was used up.
    std::uint64_t ended_for_memory() const;

    std::atomic<int> at_work = 0;
    std::atomic<int> calls = 0;
    std::atomic<std::chrono::steady_clock::time_point> last_used;

    std::shared_ptr<const void> packages;  ///< keeps the folder of packages that it shows in its place

private:
    const std::shared_ptr<ControlGroup> group_;
    Descriptor control_, complaints_;
    std::unique_ptr<Child> child_;
    std::unique_ptr<Doorway> doorway_;
};

}  // namespace stele::tools
