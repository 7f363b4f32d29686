#pragma once

#include "tools/sandbox/package_installers.hpp"

#include <map>

namespace stele::tools {

/// A folder with the packages that a tool requires, or why there is none.
struct Packages {
    std::filesystem::path folder;
    std::string failure;
    std::shared_ptr<const void> hold;  ///< as long as somebody has it the folder is not removed
};

/// Installs what tools require, each set once, into a folder of its own below options.environments that is named by a
/// hash of interpreter and requirements. When all of them together are larger than options.packages_bytes_max, those
/// that nobody has used for longest are removed, and none that is in use. Thread-safe: decides on `background`, does
/// what blocks on `workers`, which outlives it.
class PackageStore : public std::enable_shared_from_this<PackageStore> {
public:
    PackageStore(boost::asio::any_io_executor background, WorkerThreads& workers, const SandboxOptions& options)
        : background_(std::move(background)), workers_(workers), options_(options) {}

    /// Waits until the packages are there. Calls that want the same set share one installation, which goes on when they
    /// are cancelled. A failure is remembered for a minute.
    boost::asio::awaitable<Packages> ensure(std::vector<std::string> requirements, Installer installer);

private:
    struct Entry;

    boost::asio::awaitable<Packages> ensure_here(std::vector<std::string> requirements, Installer installer);
    boost::asio::awaitable<void> prepare(std::shared_ptr<Entry> entry, std::vector<std::string> requirements,
                                         Installer installer);
    boost::asio::awaitable<std::string> install(std::vector<std::string> requirements, Installer installer,
                                                std::filesystem::path folder);
    boost::asio::awaitable<void> remove_superfluous();

    const boost::asio::any_io_executor background_;
    WorkerThreads& workers_;
    const SandboxOptions options_;
    std::map<std::string, std::shared_ptr<Entry>> entries_;  ///< by key; on `background_`
};

}  // namespace stele::tools
