// What a call of a custom tool costs in the sandbox alone: the first, then one after the other, then with a pause
// before each, as a model's answer makes it, then side by side.
//   sandbox_calls [calls] [at once] [unsafe-none]
#include "base/worker_threads.hpp"
#include "tools/sandbox/sandbox.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

double ms_since(Clock::time_point begun) {
    return std::chrono::duration<double, std::milli>(Clock::now() - begun).count();
}

stele::tools::SandboxCall adder() {
    stele::tools::SandboxCall call;
    call.organization_id = "org-bench";
    call.source_code = "def add(a: int, b: int) -> int:\n    return a + b\n";
    call.function = "add";
    call.arguments_json = R"({"a": 1, "b": 2})";
    return call;
}

struct Pattern {
    const char* name;
    int count, at_once;
    std::chrono::milliseconds pause{0};
};

asio::awaitable<void> make_calls(stele::tools::Sandbox& sandbox, const Pattern& pattern, std::vector<double>& times,
                                 int& failed) {
    asio::steady_timer timer(co_await asio::this_coro::executor);
    for (int i = 0; i < pattern.count; ++i) {
        timer.expires_after(pattern.pause);
        if (pattern.pause.count() > 0) co_await timer.async_wait(asio::use_awaitable);
        const auto begun = Clock::now();
        auto call = adder();
        const auto result = co_await sandbox.call(std::move(call));
        times.push_back(ms_since(begun));
        if (result.value_json != "3") ++failed;
    }
}

// `at_once` coroutines make `count` calls each.
void measure(asio::io_context& io, stele::tools::Sandbox& sandbox, const Pattern& pattern) {
    std::vector<double> times;
    int failed = 0, running = pattern.at_once;
    const auto begun = Clock::now();
    for (int i = 0; i < pattern.at_once; ++i)
        asio::co_spawn(io, make_calls(sandbox, pattern, times, failed), [&](std::exception_ptr) { --running; });
    io.restart();
    while (running > 0) io.run_one();
    const double took = ms_since(begun);
    std::sort(times.begin(), times.end());
    std::printf("%-12s %6zu calls, %d failed: p10 %.2f ms, p50 %.2f ms, p95 %.2f ms, %.0f calls/s\n", pattern.name,
                times.size(), failed, times[times.size() / 10], times[times.size() / 2], times[times.size() * 95 / 100],
                static_cast<double>(times.size()) / took * 1000);
}

}  // namespace

int main(int argument_count, char** arguments) {
    const int calls = argument_count > 1 ? std::atoi(arguments[1]) : 500;
    const int at_once = argument_count > 2 ? std::atoi(arguments[2]) : 4;
    asio::io_context io;
    stele::tools::SandboxOptions options;
    if (argument_count > 3 && std::string_view(arguments[3]) == "unsafe-none")
        options.walls = stele::tools::Walls::none;
    stele::WorkerThreads workers;
    stele::tools::Sandbox sandbox(io.get_executor(), workers, options);
    measure(io, sandbox, {"first", 1, 1});
    measure(io, sandbox, {"one by one", calls, 1});
    measure(io, sandbox, {"with pauses", calls, 1, std::chrono::milliseconds(5)});
    measure(io, sandbox, {"side by side", calls / std::max(at_once, 1), at_once});
    return 0;
}
