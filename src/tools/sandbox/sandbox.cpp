#include "tools/sandbox/sandbox.hpp"

#include "base/error.hpp"
#include "base/log.hpp"
#include "domain/audit.hpp"
#include "tools/sandbox/call_exchange.hpp"
#include "tools/sandbox/call_frames.hpp"
#include "tools/sandbox/control_group.hpp"
#include "tools/sandbox/doorway.hpp"
#include "tools/sandbox/fork_server_pool.hpp"
#include "tools/sandbox/package_store.hpp"

namespace stele::tools {
namespace {

namespace asio = boost::asio;

using Environment = std::vector<std::pair<std::string, std::string>>;

constexpr int calls_at_once_max = 256;  // each holds five descriptors
constexpr std::chrono::seconds derivation_time{20};

SandboxResult failure(std::string type, std::string message) {
    SandboxResult result;
    result.error_type = std::move(type);
    result.error_message = std::move(message);
    return result;
}

// A fork that failed because others have what it wants: no fault of the fork-server's.
bool is_shortage(std::string_view complaint) {
    return complaint.find("clone3: Resource temporarily unavailable") != complaint.npos;
}

class Counted {
public:
    explicit Counted(std::atomic<int>& count) : count_(count), mine_(++count) {}
    ~Counted() { --count_; }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
    int mine() const { return mine_; }

private:
    std::atomic<int>& count_;
    int mine_;
};

}  // namespace

// Shared, since frames of calls may outlive the Sandbox at the end of the server.
class Sandbox::Impl : public std::enable_shared_from_this<Impl> {
public:
    Impl(asio::any_io_executor background, WorkerThreads& workers, SandboxOptions options)
        : options_(std::move(options)),
          pool_(background, options_),
          packages_(std::make_shared<PackageStore>(background, workers, options_)) {}

    asio::awaitable<SandboxResult> call(SandboxCall call);
    asio::awaitable<std::string> derive(std::string source_code, std::string source_type, std::string args_json_schema);

    ForkServerPool& pool() { return pool_; }
    const SandboxOptions& options() const { return options_; }

private:
    asio::awaitable<Exchange> exchanged(std::string organization_id, Packages packages, std::string request,
                                        std::chrono::milliseconds time_limit);
    Environment environment_of(const SandboxCall& call) const;

    const SandboxOptions options_;
    ForkServerPool pool_;
    const std::shared_ptr<PackageStore> packages_;
    std::atomic<int> at_work_ = 0;
};

Environment Sandbox::Impl::environment_of(const SandboxCall& call) const {
    Environment made = {{"PATH", "/usr/local/bin:/usr/bin:/bin"},
                        {"HOME", "/tmp"},
                        {"LANG", "C.UTF-8"},
                        {"PYTHONWARNINGS", "ignore"},
                        {"PYTHONUNBUFFERED", "1"},
                        {"NO_COLOR", "1"},
                        {"TERM", "dumb"}};
    if (options_.walls == Walls::bubblewrap && options_.network == ToolNetwork::public_only) {
        const std::string proxy = "http://127.0.0.1:" + std::to_string(proxy_port);
        for (const char* name : {"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"})
            made.emplace_back(name, proxy);
        for (const char* name : {"NO_PROXY", "no_proxy"}) made.emplace_back(name, "127.0.0.1,localhost");
    }
    made.insert(made.end(), call.environment.begin(), call.environment.end());
    if (call.agent_id) made.emplace_back("LETTA_AGENT_ID", *call.agent_id);
    return made;
}

// A fork-server that has died is replaced once: nothing of the call has run then.
asio::awaitable<Exchange> Sandbox::Impl::exchanged(std::string organization_id, Packages packages, std::string request,
                                                   std::chrono::milliseconds time_limit) {
    Exchange made;
    for (int attempt = 0; attempt < 2; ++attempt) {
        const auto server = pool_.acquire(organization_id, packages);
        const ForkServerPool::Use use(pool_, server);
        made = co_await exchange(*server, request, time_limit);
        if (made.end != Exchange::End::not_forked) {
            pool_.worked();
            co_return made;
        }
        if (is_shortage(made.complaint)) {
            made.complaint = "Too many processes of tools are at work. Try again later.";
            co_return made;
        }
        const std::string complaint = made.complaint + server->complaint();
        pool_.failed(server, complaint);
        made.complaint = pool_.unavailable_reason();
    }
    co_return made;
}

asio::awaitable<SandboxResult> Sandbox::Impl::call(SandboxCall call) {
    const Counted counted(at_work_);
    if (counted.mine() > calls_at_once_max)
        co_return failure("Unavailable", "Too many tools are at work. Try again later.");
    const bool in_node = call.source_type == "typescript" || call.source_type == "javascript";
    if (!in_node && call.source_type != "python")
        co_return failure("Unavailable",
                          "Tools in '" + call.source_type + "' can't be run: python and typescript can.");
    if (in_node && pool_.node().empty())
        co_return failure("Unavailable", "Tools in TypeScript need Node.js, and it is not installed on this server.");
    Packages packages;
    const Installer installer = in_node ? Installer::npm : Installer::pip;
    if (!call.requirements.empty()) packages = co_await packages_->ensure(call.requirements, installer);
    if (!packages.failure.empty()) co_return failure("InstallFailed", packages.failure);
    std::string node;
    if (in_node) node = pool_.node();
    std::error_code absent;
    std::string api_socket;
    if (std::filesystem::is_socket(options_.api_socket, absent)) api_socket = options_.api_socket.string();
    if (!api_socket.empty() && options_.walls == Walls::bubblewrap) api_socket = api_socket_inside;
    std::string request = call_request(call, environment_of(call), node, api_socket);
    Exchange made;
    try {
        made = co_await exchanged(call.organization_id, packages, std::move(request), call.time_limit);
    } catch (const Error& missing) {
        co_return failure("Unavailable", missing.what());
    }
    SandboxResult result;
    result.out = std::move(made.out);
    result.err = std::move(made.err);
    switch (made.end) {
        case Exchange::End::answered:
            read_answer(made.answer, result);
            break;
        case Exchange::End::crashed:
            result.error_type = "Crash";
            result.error_message = crash_text(made.exit_code);
            break;
        case Exchange::End::out_of_memory:
            result.error_type = "OutOfMemory";
            result.error_message =
                "The tool ran out of memory: " + std::to_string(options_.groups->limits().memory_bytes >> 20) +
                " MiB are there for all tools of an organization that are at work";
            break;
        case Exchange::End::timed_out:
            result.error_type = "Timeout";
            result.error_message =
                "The tool timed out after " + std::to_string((call.time_limit.count() + 999) / 1000) + " seconds";
            break;
        case Exchange::End::too_large:
            result.error_type = "ResultTooLarge";
            result.error_message = "The tool's result exceeds " + std::to_string(answer_bytes_max) + " bytes";
            break;
        case Exchange::End::not_forked:
            result.error_type = "Unavailable";
            result.error_message = made.complaint;
            break;
    }
    co_return result;
}

// Nothing of the source runs, so it does not matter whose interpreter reads it: that one will do which calls want next.
asio::awaitable<std::string> Sandbox::Impl::derive(std::string source_code, std::string source_type,
                                                   std::string args_json_schema) {
    std::string request = derivation_request(source_code, source_type, args_json_schema);
    Packages none;
    const Exchange made =
        co_await exchanged(default_organization_id, std::move(none), std::move(request), derivation_time);
    if (made.end == Exchange::End::answered) co_return read_derivation(made.answer);
    if (made.end == Exchange::End::not_forked) throw Error(ErrorCode::unavailable, made.complaint);
    throw Error(ErrorCode::invalid_argument, "the source can't be read: it is too large or too deeply nested");
}

Sandbox::Sandbox(asio::any_io_executor background, WorkerThreads& workers, SandboxOptions options)
    : impl_(std::make_shared<Impl>(std::move(background), workers, std::move(options))) {}

Sandbox::~Sandbox() { stop(); }

asio::awaitable<SandboxResult> Sandbox::call(SandboxCall call) {
    const auto kept = impl_;
    co_return co_await kept->call(std::move(call));
}

asio::awaitable<std::string> Sandbox::derive_schema(std::string source_code, std::string source_type,
                                                    std::string args_json_schema) {
    if (source_type != "python" && source_type != "typescript")
        throw Error(ErrorCode::invalid_argument,
                    "a schema is derived from sources in Python and TypeScript only; give `json_schema`");
    const auto kept = impl_;
    co_return co_await kept->derive(std::move(source_code), std::move(source_type), std::move(args_json_schema));
}

std::string Sandbox::unavailable_reason() const { return impl_->pool().unavailable_reason(); }

bool Sandbox::has_node() const { return !impl_->pool().node().empty(); }

asio::awaitable<void> Sandbox::probe() {
    const auto kept = impl_;
    if (kept->options().walls == Walls::none) {
        log::warn("sandbox.unsafe", {{"meaning", "tools run with all the rights of the server"}});
        co_return;
    }
    if (const auto& groups = kept->options().groups; groups && groups->missing().empty())
        log::info("sandbox.limits", {{"of", "sandboxes"}, {"controllers", groups->controllers()}});
    else if (groups)
        log::info("sandbox.limits", {{"of", "processes"}, {"because", groups->missing()}});
    co_await kept->pool().probe();
    if (const std::string reason = kept->pool().unavailable_reason(); !reason.empty())
        log::warn("sandbox.unavailable", {{"reason", reason}});
}

void Sandbox::stop() { impl_->pool().stop(); }

}  // namespace stele::tools
