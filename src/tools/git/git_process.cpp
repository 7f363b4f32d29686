#include "tools/git/git_process.hpp"

#include "base/error.hpp"
#include "net/within.hpp"
#include "tools/sandbox/bubblewrap.hpp"
#include "tools/sandbox/process.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/write.hpp>

namespace stele::tools {
namespace {

namespace asio = boost::asio;
using asio::awaitable;

constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t read_bytes = 64u << 10;
constexpr std::size_t out_bytes_max = 128u << 20;
constexpr std::size_t why_bytes_max = 2u << 10;
constexpr auto patience = std::chrono::minutes(5);

// Held by everybody who works on its streams, so none of them outlives them.
struct Running {
    Running(const asio::any_io_executor& executor, const Command& command) : process(executor, command) {}

    PipedChild process;
    std::string input, why;
};

// What is pushed is kept for good: it is on the disk before the client hears of it, and is never taken back by
// rewriting history or deleting a branch. Objects that are none are refused. No hook runs, and git cleans up when it is
// told to.
constexpr const char* settings[] = {
    "core.fsync=all",
    "core.hooksPath=/dev/null",
    "receive.fsckObjects=true",
    "receive.autogc=false",
    "receive.denyNonFastForwards=true",
    "receive.denyDeletes=true",
    "gc.auto=0",
    "fastimport.unpackLimit=1000",
    "uploadpack.allowFilter=true",
    "core.quotePath=false",
    "receive.unpackLimit=1000",
    "protocol.version=2",
    // Within the limits of memory below: larger files are streamed and never a delta, and packs are looked at in
    // pieces.
    "core.bigFileThreshold=8m",
    "core.packedGitWindowSize=32m",
    "core.packedGitLimit=256m",
    "pack.threads=2",
};

// A pack of a kilobyte may say that it holds a file of terabytes, by deltas that repeat their base. Whoever believes it
// ends, and nobody beside it.
constexpr const char* limits[] = {"--as=2147483648", "--fsize=2147483648", "--core=0"};

Command command_of(const GitCall& call) {
    Command command;
    command.program = "prlimit";
    command.arguments.assign(std::begin(limits), std::end(limits));
    command.arguments.push_back(find_program("git"));
    if (command.arguments.back().empty()) throw Error(ErrorCode::unavailable, "git is not installed on this server");
    for (const char* setting : settings) {
        command.arguments.emplace_back("-c");
        command.arguments.emplace_back(setting);
    }
    command.arguments.push_back("--git-dir=" + call.folder.string());
    command.arguments.insert(command.arguments.end(), call.arguments.begin(), call.arguments.end());
    command.environment = {{"PATH", "/usr/local/bin:/usr/bin:/bin"},
                           {"HOME", "/nonexistent"},
                           {"LC_ALL", "C.UTF-8"},
                           {"GIT_CONFIG_NOSYSTEM", "1"},
                           {"GIT_CONFIG_GLOBAL", "/dev/null"},
                           {"GIT_TERMINAL_PROMPT", "0"}};
    if (!call.protocol.empty()) command.environment.emplace_back("GIT_PROTOCOL", call.protocol);
    return command;
}

awaitable<void> feed(std::shared_ptr<Running> running) {
    co_await asio::async_write(running->process.in, asio::buffer(running->input), use_tuple);
    boost::system::error_code ignored;
    running->process.in.close(ignored);
}

awaitable<void> listen(std::shared_ptr<Running> running) {
    std::vector<char> buffer(why_bytes_max);
    for (;;) {
        const auto [failure, bytes] = co_await running->process.err.async_read_some(asio::buffer(buffer), use_tuple);
        if (failure) co_return;
        running->why.append(buffer.data(), std::min(bytes, why_bytes_max - running->why.size()));
    }
}

awaitable<GitOutcome> carry_out(std::shared_ptr<Running> running, std::function<awaitable<void>(std::string)> sink) {
    GitOutcome outcome;
    std::vector<char> buffer(read_bytes);
    for (;;) {
        const auto [failure, bytes] = co_await running->process.out.async_read_some(asio::buffer(buffer), use_tuple);
        if (failure) break;
        std::string piece(buffer.data(), bytes);
        if (sink) {
            co_await sink(std::move(piece));
            continue;
        }
        if (outcome.out.size() + bytes > out_bytes_max)
            throw Error(ErrorCode::too_large, "git says more than this server can hold at once");
        outcome.out += piece;
    }
    outcome.status = co_await running->process.child->wait();
    outcome.why = running->why;
    co_return outcome;
}

}  // namespace

awaitable<GitOutcome> run_git(GitCall call) {
    const auto executor = co_await asio::this_coro::executor;
    const Command command = command_of(call);
    const auto running = std::make_shared<Running>(executor, command);
    running->input = std::move(call.input);
    asio::co_spawn(executor, feed(running), asio::detached);
    asio::co_spawn(executor, listen(running), asio::detached);
    struct End {
        Running& running;
        ~End() {
            running.process.child->kill();
            boost::system::error_code ignored;
            running.process.in.cancel(ignored);
            running.process.err.cancel(ignored);
        }
    } const end{*running};
    co_return co_await net::within(patience, carry_out(running, std::move(call.sink)));
}

}  // namespace stele::tools
