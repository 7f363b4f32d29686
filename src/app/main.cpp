#include "app/server_app.hpp"
#include "base/error.hpp"

#include <csignal>
#include <cstdio>
#include <exception>

namespace {

constexpr int failed_at_work = 1;
constexpr int wrong_use = 2;

}  // namespace

int main(int argument_count, char** arguments) {
    using namespace stele;
    app::CommandLine line;
    try {
        line = app::read_command_line(argument_count, arguments);
    } catch (const Error& error) {
        std::fprintf(stderr, "stele: %s\n", error.what());
        return wrong_use;
    }
    if (line.command != app::Command::serve) {
        std::puts(line.command == app::Command::help ? line.help.c_str() : STELE_VERSION);
        return 0;
    }
    std::signal(SIGPIPE, SIG_IGN);
    log::configure(line.options.log_level, line.options.log_format);
    try {
        app::serve(line.options);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "stele: %s\n", error.what());
        return failed_at_work;
    }
    return 0;
}
