#include "tests/unit/tools/sandbox_support.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <unistd.h>

#include <fstream>
#include <stdexcept>

namespace stele::tools::test {

namespace asio = boost::asio;
namespace fs = std::filesystem;

namespace {

fs::path fresh_folder() {
    std::string name = (fs::temp_directory_path() / "stele-sandbox-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no folder for the test");
    return name;
}

}  // namespace

Room::Room(SandboxOptions options) : folder_(fresh_folder()) {
    options.environments = folder_;
    sandbox_ = std::make_unique<Sandbox>(io_.get_executor(), workers_, std::move(options));
}

Room::~Room() {
    sandbox_.reset();
    io_.restart();
    io_.run_for(std::chrono::seconds(5));  // until what was stopped has been reaped
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
}

SandboxResult Room::call(SandboxCall call) {
    SandboxResult result;
    std::exception_ptr failure;
    bool done = false;
    io_.restart();
    asio::co_spawn(io_, sandbox_->call(std::move(call)), [&](std::exception_ptr thrown, SandboxResult made) {
        failure = thrown;
        result = std::move(made);
        done = true;
    });
    const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(10);
    while (!done && std::chrono::steady_clock::now() < until) io_.run_one_for(std::chrono::seconds(1));
    if (!done) throw std::runtime_error("the call hangs");
    if (failure) std::rethrow_exception(failure);
    return result;
}

SandboxCall call_of(const std::string& source, const std::string& arguments) {
    SandboxCall call;
    call.organization_id = "org-test";
    call.source_code = source;
    call.function = "f";
    call.arguments_json = arguments;
    call.time_limit = std::chrono::minutes(5);
    return call;
}

SandboxResult Room::call(const std::string& source, const std::string& arguments) {
    return call(call_of(source, arguments));
}

int Room::processes_with(const std::string& text) {
    int count = 0;
    std::error_code failure;
    for (const auto& entry : fs::directory_iterator("/proc", failure)) {
        std::ifstream file(entry.path() / "cmdline");
        const std::string line((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
        if (line.find(text) != std::string::npos) ++count;
    }
    return count;
}

std::string Room::seconds_of_this_test() {
    return std::to_string(1'000'000'000 + static_cast<std::int64_t>(::getpid()));
}

const std::string& no_walls_here() {
    static const std::string reason = [] {
        Room room;
        const SandboxResult result = room.call("def f():\n    return 1\n");
        return result.error_type == "Unavailable" ? "no sandbox on this machine: " + result.error_message : "";
    }();
    return reason;
}

}  // namespace stele::tools::test
