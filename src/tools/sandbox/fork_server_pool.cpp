#include "tools/sandbox/fork_server_pool.hpp"

#include "base/error.hpp"
#include "base/log.hpp"
#include "tools/sandbox/control_group.hpp"
#include "tools/sandbox/doorway.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

namespace stele::tools {
namespace {

namespace asio = boost::asio;

constexpr int calls_of_one_max = 1000;  // then a fresh one takes its place, whatever it may have gathered

constexpr std::chrono::milliseconds sweep_interval_min{100}, sweep_interval_max{30'000};

}  // namespace

// The timer is touched on the background's thread alone. It may outlive the pool, whose end it learns by `pool`.
struct ForkServerPool::Sweep : std::enable_shared_from_this<Sweep> {
    Sweep(ForkServerPool& owner, const asio::any_io_executor& executor, std::chrono::milliseconds idle_time)
        : timer(executor), interval(std::clamp(idle_time / 4, sweep_interval_min, sweep_interval_max)), pool(&owner) {}

    void start() {
        timer.expires_after(interval);
        timer.async_wait([self = shared_from_this()](const boost::system::error_code& cancelled) {
            const std::scoped_lock lock(self->mutex);
            if (!cancelled && self->pool != nullptr) self->pool->end_idle();
        });
    }

    asio::steady_timer timer;
    const std::chrono::milliseconds interval;
    std::mutex mutex;
    ForkServerPool* pool;  // under `mutex`
    bool running = false;  // under the pool's mutex
};

ForkServerPool::ForkServerPool(asio::any_io_executor background, const SandboxOptions& options)
    : background_(std::move(background)),
      options_(options),
      node_(find_program(options.node.empty() ? "node" : options.node)),
      sweep_(std::make_shared<Sweep>(*this, background_, options_.idle_time)) {}

ForkServerPool::~ForkServerPool() {
    const std::scoped_lock lock(sweep_->mutex);
    sweep_->pool = nullptr;
}

void ForkServerPool::end_idle() {
    std::vector<std::shared_ptr<ForkServer>> ended;  // destroyed when the lock is free again
    const std::scoped_lock lock(mutex_);
    ended = take_superfluous(Clock::now());
    sweep_->running = !stopped_ && !servers_.empty();
    if (sweep_->running) sweep_->start();
}

Enclosure ForkServerPool::enclosure(const std::filesystem::path& packages) const {
    Enclosure made;
    made.walls = options_.walls;
    made.shares_network = options_.network == ToolNetwork::host;
    if (options_.walls == Walls::bubblewrap && options_.network == ToolNetwork::public_only)
        made.proxy_port = proxy_port;
    made.packages = packages;
    std::error_code absent;
    if (std::filesystem::is_socket(options_.api_socket, absent)) made.api_socket = options_.api_socket;
    made.shown = folders_of(options_.python);
    if (!node_.empty())
        for (const auto& folder : folders_of(node_)) made.shown.push_back(folder);
    made.forks = true;
    return made;
}

std::shared_ptr<ForkServer> ForkServerPool::acquire(const std::string& organization_id, const Packages& packages) {
    std::vector<std::shared_ptr<ForkServer>> ended;  // destroyed when the lock is free again
    const std::scoped_lock lock(mutex_);
    if (stopped_) throw Error(ErrorCode::unavailable, "The server is shutting down.");
    const Clock::time_point now = Clock::now();
    std::shared_ptr<ForkServer>& server = servers_[{organization_id, packages.folder.string()}];
    if (server && server->calls >= calls_of_one_max) ended.push_back(std::exchange(server, nullptr));
    if (!server) {
        try {
            server = std::make_shared<ForkServer>(background_, files_, enclosure(packages.folder), options_.python,
                                                  options_.egress_private,
                                                  options_.groups ? options_.groups->make() : nullptr);
            server->packages = packages.hold;
        } catch (const Error& failure) {
            servers_.erase({organization_id, packages.folder.string()});
            reason_ = advice(failure.what(), options_.python);
            throw Error(ErrorCode::unavailable, reason_);
        }
    }
    const std::shared_ptr<ForkServer> acquired = server;
    ++acquired->at_work;
    ++acquired->calls;
    acquired->last_used = now;
    for (auto& superfluous : take_superfluous(now)) ended.push_back(std::move(superfluous));
    if (!std::exchange(sweep_->running, true)) asio::post(background_, [sweep = sweep_] { sweep->start(); });
    return acquired;
}

// Those that were idle for long, and the longest idle ones over the number that is kept.
std::vector<std::shared_ptr<ForkServer>> ForkServerPool::take_superfluous(Clock::time_point now) {
    std::vector<std::shared_ptr<ForkServer>> taken;
    const auto take = [&](auto at) {
        taken.push_back(std::move(at->second));
        return servers_.erase(at);
    };
    for (auto at = servers_.begin(); at != servers_.end();)
        at = at->second->at_work == 0 && now - at->second->last_used.load() > options_.idle_time ? take(at)
                                                                                                 : std::next(at);
    while (servers_.size() > options_.environments_idle_max) {
        auto oldest = servers_.end();
        for (auto at = servers_.begin(); at != servers_.end(); ++at)
            if (at->second->at_work == 0 &&
                (oldest == servers_.end() || at->second->last_used.load() < oldest->second->last_used.load()))
                oldest = at;
        if (oldest == servers_.end()) break;
        take(oldest);
    }
    return taken;
}

void ForkServerPool::release(ForkServer& server) {
    server.last_used = Clock::now();
    --server.at_work;
}

void ForkServerPool::failed(const std::shared_ptr<ForkServer>& server, const std::string& complaint) {
    const std::scoped_lock lock(mutex_);
    std::erase_if(servers_, [&](const auto& entry) { return entry.second == server; });
    if (stopped_) {
        reason_ = "The server is shutting down.";
        return;
    }
    reason_ = advice(complaint, options_.python);
    log::warn("sandbox.failed", {{"complaint", complaint.substr(0, 500)}});
}

void ForkServerPool::worked() {
    const std::scoped_lock lock(mutex_);
    reason_.clear();
}

std::string ForkServerPool::unavailable_reason() const {
    const std::scoped_lock lock(mutex_);
    return reason_;
}

asio::awaitable<void> ForkServerPool::probe() {
    std::string complaint;
    try {
        Enclosure wanted = enclosure({});
        wanted.forks = false;
        PipedChild child(background_, enclosed(wanted, "/usr/bin/true", {}, {}));
        child.in.close();
        std::array<char, 1024> buffer{};
        const int code = co_await child.child->wait();
        child.err.non_blocking(true);
        boost::system::error_code ignored;
        const std::size_t count = child.err.read_some(asio::buffer(buffer), ignored);
        if (code != 0) complaint = std::string(buffer.data(), count) + " exit code " + std::to_string(code);
    } catch (const Error& failure) {
        complaint = failure.what();
    }
    const std::scoped_lock lock(mutex_);
    reason_ = complaint.empty() ? std::string() : advice(complaint, options_.python);
}

void ForkServerPool::stop() {
    std::map<Key, std::shared_ptr<ForkServer>> ended;
    const std::scoped_lock lock(mutex_);
    stopped_ = true;
    ended.swap(servers_);
    asio::post(background_, [sweep = sweep_] { sweep->timer.cancel(); });
}

}  // namespace stele::tools
