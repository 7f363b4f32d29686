#pragma once

#include "tools/sandbox/fork_server.hpp"
#include "tools/sandbox/package_store.hpp"
#include "tools/sandbox/sandbox.hpp"

#include <array>
#include <map>
#include <mutex>

namespace stele::tools {

/// The fork-servers that are warm: one for each organisation and folder of packages, started by the first call, stopped
/// when they were idle for long, when they have served many calls, or when others are wanted more. Thread-safe.
class ForkServerPool {
public:
    ForkServerPool(boost::asio::any_io_executor background, const SandboxOptions& options);
    ~ForkServerPool();

    /// Throws Error{unavailable} with the reason if it can't be started, or the server stops.
    std::shared_ptr<ForkServer> acquire(const std::string& organization_id, const Packages& packages);

    /// A call at work: its fork-server is not stopped meanwhile.
    class Use {
    public:
        Use(ForkServerPool& pool, std::shared_ptr<ForkServer> server) : pool_(pool), server_(std::move(server)) {}
        ~Use() { pool_.release(*server_); }
        Use(const Use&) = delete;
        Use& operator=(const Use&) = delete;

    private:
        ForkServerPool& pool_;
        std::shared_ptr<ForkServer> server_;
    };

    /// It did not fork: it is given up, and why, as an operator can use it, is the reason from now on.
    void failed(const std::shared_ptr<ForkServer>& server, const std::string& complaint);
    void worked();

    std::string unavailable_reason() const;

    /// Path of Node.js, inside as outside; empty if it is not installed.
    const std::string& node() const { return node_; }

    /// Finds out whether the walls stand, without starting an interpreter.
    boost::asio::awaitable<void> probe();

    void stop();

private:
    using Key = std::pair<std::string, std::string>;
    using Clock = std::chrono::steady_clock;

    /// The clock by which idle ones are stopped; runs while there are any.
    struct Sweep;

    void release(ForkServer& server);
    void end_idle();
    Enclosure enclosure(const std::filesystem::path& packages) const;
    std::vector<std::shared_ptr<ForkServer>> take_superfluous(Clock::time_point now);

    const boost::asio::any_io_executor background_;
    const SandboxOptions options_;
    const std::string node_;
    const SandboxFiles files_;
    const std::shared_ptr<Sweep> sweep_;
    mutable std::mutex mutex_;
    std::map<Key, std::shared_ptr<ForkServer>> servers_;
    std::string reason_;
    bool stopped_ = false;
};

}  // namespace stele::tools
