#pragma once

#include "tools/sandbox/package_installers.hpp"

#include <map>

namespace stele::tools {

/// A folder with the packages that a tool requires, or why there is none.
struct Packages {
    std::filesystem::path folder;
    std::string failure;
};

/// Installs what tools require, each set once, into a folder of its own below options.environments that is named by a
/// hash of interpreter and requirements. Thread-safe: works on `background`.
class PackageStore : public std::enable_shared_from_this<PackageStore> {
public:
    PackageStore(boost::asio::any_io_executor background, const SandboxOptions& options)
        : background_(std::move(background)), options_(options) {}

    /// Waits until the packages are there. Calls that want the same set share one installation, which goes on when they
    /// are cancelled. A failure is remembered for a minute.
    boost::asio::awaitable<Packages> ensure(std::vector<std::string> requirements, Installer installer);

private:
    struct Build;

    boost::asio::awaitable<Packages> ensure_here(std::vector<std::string> requirements, Installer installer);
    boost::asio::awaitable<void> install(std::shared_ptr<Build> build, std::vector<std::string> requirements,
                                         Installer installer, std::filesystem::path folder);
    boost::asio::awaitable<std::string> run(Command command);

    const boost::asio::any_io_executor background_;
    const SandboxOptions options_;
    std::map<std::string, std::shared_ptr<Build>> builds_;  ///< by key; on `background_`
};

}  // namespace stele::tools
