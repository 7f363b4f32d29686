#include "tools/sandbox/bubblewrap.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <initializer_list>

namespace stele::tools {
namespace {

namespace fs = std::filesystem;

using Words = std::vector<std::string>;

void add(Words& words, std::initializer_list<std::string> more) { words.insert(words.end(), more); }

void add_namespaces(Words& words, const Enclosure& enclosure) {
    add(words, {"--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-cgroup-try", "--die-with-parent",
                "--new-session", "--cap-drop", "ALL"});
    if (!enclosure.shares_network) words.emplace_back("--unshare-net");
    // Root needs no user namespace of bubblewrap's, and the fork-server becomes somebody else by itself.
    if (::geteuid() != 0)
        words.emplace_back("--unshare-user");
    else if (enclosure.forks)
        for (const char* capability : {"CAP_SETUID", "CAP_SETGID", "CAP_SYS_ADMIN"})
            add(words, {"--cap-add", capability});
    else if (enclosure.resigns)
        for (const char* capability : {"CAP_SETUID", "CAP_SETGID"}) add(words, {"--cap-add", capability});
}

// The system without anything that belongs to this machine: no /etc but what programs read to find libraries,
// certificates, time and names.
void add_system(Words& words, const Enclosure& enclosure) {
    add(words, {"--ro-bind", "/usr", "/usr"});
    // Folders that bubblewrap makes by the way would be open to root alone, whom the fork-server is not for long.
    const auto add_folder = [&](const fs::path& path) { add(words, {"--perms", "0755", "--dir", path.string()}); };
    add_folder("/etc");
    for (const char* folder : {"bin", "sbin", "lib", "lib32", "lib64"}) {
        const fs::path path = fs::path("/") / folder;
        std::error_code failure;
        if (fs::is_symlink(path, failure))
            add(words, {"--symlink", fs::read_symlink(path, failure).string(), path.string()});
        else
            add(words, {"--ro-bind-try", path.string(), path.string()});
    }
    for (const char* path : {"/etc/ssl", "/etc/ld.so.cache", "/etc/localtime", "/etc/alternatives", "/etc/mime.types"})
        add(words, {"--ro-bind-try", path, path});
    if (enclosure.shares_network)
        for (const char* path : {"/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/services"})
            add(words, {"--ro-bind-try", path, path});
    for (const fs::path& path : enclosure.shown) {
        fs::path parent = "/";
        for (const fs::path& step : path.parent_path().relative_path()) add_folder(parent /= step);
        add(words, {"--ro-bind-try", path.string(), path.string()});
    }
    if (!enclosure.packages.empty()) add(words, {"--ro-bind", enclosure.packages.string(), "/env"});
    if (!enclosure.api_socket.empty()) {
        add_folder("/run");
        add_folder(fs::path(api_socket_inside).parent_path());
        add(words, {"--ro-bind-try", enclosure.api_socket.string(), api_socket_inside});
    }
    if (!enclosure.writable.empty()) add(words, {"--bind", enclosure.writable.string(), "/build"});
}

bool says(std::string_view text, std::initializer_list<std::string_view> words) {
    for (const std::string_view word : words)
        if (text.find(word) != std::string_view::npos) return true;
    return false;
}

}  // namespace

Command enclosed(const Enclosure& enclosure, const std::string& program, std::vector<std::string> arguments,
                 const std::vector<std::pair<std::string, std::string>>& environment) {
    Command command;
    command.environment = environment;
    if (enclosure.walls == Walls::none) {
        command.program = program;
        command.arguments = std::move(arguments);
        command.directory = "/tmp";
        return command;
    }
    command.program = "bwrap";
    Words& words = command.arguments;
    add_namespaces(words, enclosure);
    add_system(words, enclosure);
    // Each call gets a /tmp and a /dev/shm of its own; what lies under them here, and everything else, is read-only.
    add(words, {"--proc", "/proc", "--dev", "/dev"});
    if (enclosure.forks)
        add(words, {"--dir", "/tmp", "--remount-ro", "/dev", "--remount-ro", "/"});
    else
        add(words, {"--perms", "1777", "--size", "268435456", "--tmpfs", "/tmp", "--remount-ro", "/"});
    add(words, {"--chdir", "/tmp", "--", program});
    words.insert(words.end(), arguments.begin(), arguments.end());
    return command;
}

std::vector<fs::path> folders_of(const std::string& program) {
    std::error_code failure;
    std::vector<fs::path> folders;
    for (const fs::path& path : {fs::path(program), fs::canonical(program, failure)}) {
        const fs::path folder = path.parent_path().parent_path();
        if (path.empty() || folder == "/" || (folder / "").string().starts_with("/usr/")) continue;
        folders.push_back(folder);
    }
    return folders;
}

std::string find_program(const std::string& name) {
    std::error_code missing;
    if (name.find('/') != std::string::npos)
        return ::access(name.c_str(), X_OK) == 0 ? fs::canonical(name, missing).string() : "";
    const char* variable = std::getenv("PATH");
    std::string folders = variable == nullptr ? "/usr/local/bin:/usr/bin:/bin" : variable;
    for (std::size_t begin = 0, end = 0; begin <= folders.size(); begin = end + 1) {
        end = std::min(folders.find(':', begin), folders.size());
        const fs::path path = fs::path(folders.substr(begin, end - begin)) / name;
        std::error_code failure;
        if (::access(path.c_str(), X_OK) == 0 && fs::is_regular_file(path, failure))
            return fs::canonical(path, failure);
    }
    return {};
}

std::string advice(std::string_view complaint, const std::string& python) {
    if (says(complaint, {"bwrap can't be started"}))
        return "Tools need bubblewrap to be kept apart from the server, and it is not installed. Install it (on "
               "Debian: "
               "apt-get install bubblewrap), or set tools_sandbox = \"unsafe-none\" to run tools without walls.";
    if (says(complaint, {"control group"}))
        return "Tools can't be limited by control groups as they should be. See that the server may write to its own, "
               "or set tools_cgroup = \"off\" to limit each process for itself.";
    if (says(complaint, {"execvp"}))
        return "Tools need Python, and " + python + " is not there. Install python3, or set tools_python.";
    if (says(complaint, {"ermission", "not permitted", "amespace", "clone3", "mount", "No space left", "map"}))
        return "Tools need user namespaces to be kept apart from the server, and this machine does not allow them. "
               "Allow "
               "them (sysctl kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0, "
               "user.max_user_namespaces above 0; in a container: run it with --security-opt seccomp=unconfined "
               "--security-opt systempaths=unconfined), or set tools_sandbox = \"unsafe-none\" to run tools without "
               "walls.";
    return "The fork-server for tools does not start with " + python + ".";
}

}  // namespace stele::tools
