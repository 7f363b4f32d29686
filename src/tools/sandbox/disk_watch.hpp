#pragma once

#include "tools/sandbox/process.hpp"

#include <cstdint>
#include <filesystem>

namespace stele {
class WorkerThreads;
}

namespace stele::tools {

/// Looks now and then how large a folder has become that a child fills, and kills the child when it is too large: there
/// is no limit of the kernel's for that. On one executor with its owner; both references outlive it.
class DiskWatch {
public:
    /// Looks at the disk on `workers`.
    DiskWatch(const boost::asio::any_io_executor& executor, WorkerThreads& workers, Child& child,
              std::filesystem::path folder, std::uintmax_t bytes_max);
    ~DiskWatch();
    DiskWatch(const DiskWatch&) = delete;
    DiskWatch& operator=(const DiskWatch&) = delete;

    /// True if it is too large: looks once more.
    boost::asio::awaitable<bool> exceeded();

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace stele::tools
