#pragma once

#include "base/worker_threads.hpp"
#include "tools/sandbox/sandbox.hpp"

#include <boost/asio/io_context.hpp>

#include <filesystem>
#include <string>

/// The real sandbox for tests: what runs in it is started as the server does.
namespace stele::tools::test {

/// A sandbox and its loop. Everything waits at most ten minutes: a busy machine is no hang.
class Room {
public:
    explicit Room(SandboxOptions options = {});
    ~Room();

    SandboxResult call(SandboxCall call);

    /// The last function of `source`, which is called `f`.
    SandboxResult call(const std::string& source, const std::string& arguments = "{}");

    boost::asio::io_context& io() { return io_; }
    Sandbox& sandbox() { return *sandbox_; }
    const std::filesystem::path& folder() const { return folder_; }  ///< of the installed packages

    /// Processes whose command line holds `text`.
    static int processes_with(const std::string& text);

    /// A number for `sleep` that no other process on the machine sleeps for, not even another run of these tests.
    static std::string seconds_of_this_test();

private:
    std::filesystem::path folder_;
    WorkerThreads workers_;
    boost::asio::io_context io_;
    std::unique_ptr<Sandbox> sandbox_;
};

SandboxCall call_of(const std::string& source, const std::string& arguments = "{}");

/// Why this machine can't run the tests of the sandbox; empty if it can.
const std::string& no_walls_here();

}  // namespace stele::tools::test

#define STELE_NEEDS_WALLS() \
    if (!::stele::tools::test::no_walls_here().empty()) GTEST_SKIP() << ::stele::tools::test::no_walls_here()
