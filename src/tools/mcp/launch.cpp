#include "tools/mcp/launch.hpp"

#include "tools/sandbox/bubblewrap.hpp"
#include "tools/sandbox/control_group.hpp"
#include "tools/sandbox/doorway.hpp"
#include "tools/sandbox/launcher.hpp"

#include <tuple>

namespace stele::tools::mcp {
namespace {

constexpr int control_number = 3, entrance_number = 4;

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
    std::vector<std::string> command{program};
    command.insert(command.end(), std::make_move_iterator(arguments.begin()), std::make_move_iterator(arguments.end()));
    if (options.groups) launch.group = options.groups->make();
    Preparation preparation;
    preparation.resigns = true;
    preparation.control = control_number;
    preparation.port = through_proxy ? proxy_port : 0;
    preparation.entrance = launch.group ? entrance_number : -1;
    preparation.memory_bytes = options.memory_bytes_max;
    launch.command = enclosed(enclosure, options.python, launched(preparation, std::move(command)),
                              environment_of(server, through_proxy));
    if (launch.group) launch.command.descriptors = {{launch.group->entrance(), entrance_number}};
    if (!through_proxy) return launch;
    std::tie(launch.ours, launch.theirs) = packet_pair();
    launch.command.descriptors.emplace_back(launch.theirs.get(), control_number);
    launch.egress_private = options.egress_private;
    return launch;
}

}  // namespace stele::tools::mcp
