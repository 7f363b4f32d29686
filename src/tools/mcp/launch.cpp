#include "tools/mcp/launch.hpp"

#include "tools/sandbox/bubblewrap.hpp"
#include "tools/sandbox/doorway.hpp"

#include <tuple>

namespace stele::tools::mcp {
namespace {

constexpr int control_number = 3;

// Runs inside, before the command takes its place: hands the way out over, takes a user id that nothing else has (root
// is exempt from the limit of processes), and sets limits. No limit of memory: what runs on V8 maps far more than it
// uses.
constexpr char launcher[] = R"(
import os, resource, socket, sys
control, port, *command = sys.argv[1:]
if int(port):
    with socket.socket() as listener, socket.socket(fileno=int(control)) as server:
        listener.bind(("127.0.0.1", int(port)))
        listener.listen(128)
        socket.send_fds(server, [b"L"], [listener.fileno()])
if os.getuid() == 0:
    for user in (1_400_000_000 + int.from_bytes(os.urandom(3), "big"), 61_000 + os.urandom(1)[0]):
        try:
            os.setgroups([])
            os.setresgid(user, user, user)
            os.setresuid(user, user, user)
            break
        except OSError:
            continue
    else:
        sys.exit("no other user id can be taken")
for kind, most in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_NOFILE, 1024), (resource.RLIMIT_NPROC, 256), (resource.RLIMIT_FSIZE, 1 << 30)):
    allowed = resource.getrlimit(kind)[1]
    most = most if allowed == resource.RLIM_INFINITY else min(most, allowed)
    resource.setrlimit(kind, (most, most))
try:
    os.execvp(command[0], command)
except OSError as failure:
    sys.exit(f"{command[0]}: {failure.strerror}")
)";

// Nothing of the server's own environment, and what programs can't do without.
TextMap environment_of(const McpServer& server, bool through_proxy) {
    TextMap environment{{"PATH", "/usr/local/bin:/usr/bin:/bin"},
                        {"HOME", "/tmp"},
                        {"LANG", "C.UTF-8"},
                        {"LOGNAME", "nobody"},
                        {"USER", "nobody"},
                        {"SHELL", "/bin/sh"},
                        {"TERM", "dumb"}};
    if (through_proxy) {
        const std::string proxy = "http://127.0.0.1:" + std::to_string(proxy_port);
        for (const char* name : {"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"})
            environment.emplace_back(name, proxy);
        for (const char* name : {"NO_PROXY", "no_proxy"}) environment.emplace_back(name, "127.0.0.1,localhost");
        environment.emplace_back("NODE_USE_ENV_PROXY", "1");
    }
    for (const auto& [name, value] : server.config.env.value_or({})) {
        std::erase_if(environment, [&](const auto& variable) { return variable.first == name; });
        environment.emplace_back(name, value);
    }
    return environment;
}

}  // namespace

Launch launch_of(const McpServer& server, const LaunchOptions& options) {
    Launch launch;
    Enclosure enclosure;
    enclosure.walls = options.walls;
    enclosure.resigns = true;
    enclosure.shares_network = options.network == ToolNetwork::host;
    const std::string program = server.config.command.value_or("");
    std::vector<std::string> arguments = server.config.args.value_or({});
    if (options.walls == Walls::none) {
        launch.command = enclosed(enclosure, program, std::move(arguments), environment_of(server, false));
        return launch;
    }
    const bool through_proxy = options.network == ToolNetwork::public_only;
    enclosure.shown = folders_of(options.python);
    std::vector<std::string> words{
        "-I", "-c", launcher, std::to_string(control_number), std::to_string(through_proxy ? proxy_port : 0), program};
    words.insert(words.end(), std::make_move_iterator(arguments.begin()), std::make_move_iterator(arguments.end()));
    launch.command = enclosed(enclosure, options.python, std::move(words), environment_of(server, through_proxy));
    if (!through_proxy) return launch;
    std::tie(launch.ours, launch.theirs) = packet_pair();
    launch.command.descriptors = {{launch.theirs.get(), control_number}};
    launch.egress_private = options.egress_private;
    return launch;
}

}  // namespace stele::tools::mcp
