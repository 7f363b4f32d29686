#include "tools/sandbox/package_installers.hpp"

#include "base/utf8.hpp"
#include "net/within.hpp"
#include "tools/sandbox/bubblewrap.hpp"
#include "tools/sandbox/control_group.hpp"
#include "tools/sandbox/disk_watch.hpp"
#include "tools/sandbox/doorway.hpp"
#include "tools/sandbox/launcher.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <sstream>

namespace stele::tools {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using Environment = std::vector<std::pair<std::string, std::string>>;

constexpr std::size_t complaint_bytes_max = 1000;
// Where packages come from unless the operator says otherwise. May be mirrored within a network.
constexpr char standard_index[] = "https://pypi.org https://files.pythonhosted.org";
constexpr char standard_registry[] = "https://registry.npmjs.org";
constexpr int control_number = 3, entrance_number = 4;
constexpr int processes_max = 1024;

// How installers reach their index is the operator's to say. Not on the command line, which every user of the machine
// can read.
constexpr const char* handed_on[] = {
    "PIP_CERT",           "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST", "NPM_CONFIG_REGISTRY", "npm_config_registry",
    "NODE_EXTRA_CA_CERTS"};
constexpr const char* proxies[] = {"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy"};
constexpr char system_authorities[] = "/etc/ssl/certs/ca-certificates.crt";

/// An installer that can be started.
struct Installation {
    Enclosure enclosure;
    net::EgressRules rules;  ///< of the way out, if it has one of its own
    std::vector<std::string> command;
    Environment environment{{"PATH", "/usr/bin:/bin"}, {"HOME", "/tmp"}, {"LANG", "C.UTF-8"}, {"NO_COLOR", "1"}};
};

bool is_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

bool holds_only(std::string_view text, std::string_view signs) {
    return std::all_of(text.begin(), text.end(),
                       [&](char c) { return is_alphanumeric(c) || signs.find(c) != std::string_view::npos; });
}

std::string node_of(const SandboxOptions& options) {
    return find_program(options.node.empty() ? "node" : options.node);
}

// What an installer may reach: public addresses, and the operator's own index (`urls`, and what `variables` name)
// wherever it is.
net::EgressRules rules_for(std::string urls, std::initializer_list<const char*> variables) {
    net::EgressRules rules;
    rules.allows = net::is_public;
    for (const char* name : variables)
        if (const char* value = std::getenv(name)) (urls += ' ') += value;
    for (std::stringstream words(urls); words;) {
        std::string word;
        words >> word;
        word.erase(0, word.find('@') == word.npos ? 0 : word.find('@') + 1);  // an index may be named with its password
        if (word.starts_with("http://") || word.starts_with("https://")) word.erase(0, word.find("://") + 3);
        word.resize(std::min(word.find_first_of("/:"), word.size()));
        if (!word.empty()) rules.trusted_hosts.push_back(word);
    }
    return rules;
}

bool has_own_proxy() {
    return std::any_of(std::begin(proxies), std::end(proxies), [](const char* name) {
        const char* value = std::getenv(name);
        return value != nullptr && *value != '\0' && !std::string_view(name).starts_with("NO") &&
               !std::string_view(name).starts_with("no");
    });
}

// Where the packages go, as the installer sees it.
std::string place_of(const SandboxOptions& options, const fs::path& folder) {
    return options.walls == Walls::none ? folder.string() : "/build";
}

// A proxy that the operator has set stands outside of any network of ours.
void choose_network(const SandboxOptions& options, Installation& made) {
    made.enclosure.shares_network = has_own_proxy() || options.walls == Walls::none;
    made.enclosure.proxy_port = made.enclosure.shares_network ? 0 : proxy_port;
}

void add_environment(Installation& made) {
    const int port = made.enclosure.proxy_port;
    for (const char* name : handed_on)
        if (const char* value = std::getenv(name)) made.environment.emplace_back(name, value);
    for (const char* name : proxies)
        if (const char* value = std::getenv(name); made.enclosure.shares_network && value != nullptr)
            made.environment.emplace_back(name, value);
    if (port != 0)
        for (const char* name : {"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"})
            made.environment.emplace_back(name, "http://127.0.0.1:" + std::to_string(port));
}

Installation pip(const SandboxOptions& options, const fs::path& folder) {
    Installation made;
    choose_network(options, made);
    made.rules = rules_for(options.package_index.empty() ? standard_index : options.package_index,
                           {"PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST"});
    made.command = {options.python,
                    "-I",
                    "-c",
                    embedded_script("run_pip.py"),
                    "install",
                    "--target",
                    place_of(options, folder),
                    "--no-input",
                    "--only-binary",
                    ":all:",
                    "--no-cache-dir",
                    "--disable-pip-version-check",
                    "--no-warn-conflicts",
                    "--quiet",
                    "--"};
    add_environment(made);
    if (std::getenv("PIP_CERT") == nullptr && fs::exists(system_authorities))
        made.environment.emplace_back("PIP_CERT", system_authorities);
    if (!options.package_index.empty()) made.environment.emplace_back("PIP_INDEX_URL", options.package_index);
    return made;
}

Installation npm(const SandboxOptions& options, const fs::path& folder) {
    Installation made;
    const std::string own = find_program("npm");
    const std::string node = node_of(options);
    if (node.empty() || own.empty())
        throw Error(ErrorCode::unavailable, "npm is not installed on this server (on Debian: apt-get install npm)");
    choose_network(options, made);
    made.rules = rules_for(standard_registry, {"NPM_CONFIG_REGISTRY", "npm_config_registry"});
    for (const std::string& program : {node, own})
        for (const fs::path& shown : folders_of(program)) made.enclosure.shown.push_back(shown);
    made.command = {node,
                    own,
                    "install",
                    "--prefix",
                    place_of(options, folder),
                    "--no-audit",
                    "--no-fund",
                    "--no-progress",
                    "--no-update-notifier",
                    "--omit=dev",
                    "--ignore-scripts",
                    "--no-package-lock",
                    "--fetch-retries=1",
                    "--fetch-retry-mintimeout=1000",
                    "--loglevel=error",
                    "--"};
    add_environment(made);
    made.environment.emplace_back("npm_config_cache", "/tmp/.npm");
    if (std::getenv("NODE_EXTRA_CA_CERTS") == nullptr && fs::exists(system_authorities))
        made.environment.emplace_back("NODE_EXTRA_CA_CERTS", system_authorities);
    return made;
}

// The exit code, and the end of what was said on standard error.
asio::awaitable<std::pair<int, std::string>> finished(PipedChild& child) {
    std::string complaint;
    std::array<char, 4096> buffer{};
    boost::system::error_code end;
    while (!end) {
        const std::size_t count =
            co_await child.err.async_read_some(asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, end));
        complaint.append(buffer.data(), count);
        if (complaint.size() > 4 * complaint_bytes_max) complaint.erase(0, complaint.size() - 2 * complaint_bytes_max);
    }
    const int code = co_await child.child->wait();
    std::pair<int, std::string> made(code, complaint);
    co_return made;
}

// Without walls the processes of the server's user are counted, whatever they are.
Preparation limits_of(const SandboxOptions& options) {
    Preparation made;
    made.memory_bytes = options.memory_bytes_max;
    made.processes = options.walls == Walls::none ? 0 : processes_max;
    return made;
}

}  // namespace

std::string interpreter_of(const SandboxOptions& options, Installer installer) {
    return installer == Installer::pip ? options.python : node_of(options);
}

bool is_requirement(std::string_view text, Installer installer) {
    constexpr std::size_t bytes_max = 200;
    if (text.empty() || text.size() > bytes_max) return false;
    if (installer == Installer::pip) return is_alphanumeric(text.front()) && holds_only(text, "._-[],=<>!~*+ ");
    std::string_view name = text.substr(0, text.find('@', 1));
    const std::string_view version = text.substr(name.size());
    if (name.front() == '@') {
        const std::size_t slash = name.find('/');
        if (slash == std::string_view::npos || slash == 1 || !holds_only(name.substr(1, slash - 1), "._~-"))
            return false;
        name.remove_prefix(slash + 1);
    }
    return !name.empty() && is_alphanumeric(name.front()) && holds_only(name, "._-") &&
           (version.empty() || (version.size() > 1 && holds_only(version.substr(1), "._~^*+<>=|- ")));
}

asio::awaitable<std::string> install_packages(asio::any_io_executor executor, WorkerThreads& workers,
                                              const SandboxOptions& options, Installer installer,
                                              std::vector<std::string> requirements, fs::path folder) {
    Installation made = installer == Installer::pip ? pip(options, folder) : npm(options, folder);
    made.enclosure.walls = options.walls;
    made.enclosure.writable = folder;
    for (const fs::path& shown : folders_of(options.python)) made.enclosure.shown.push_back(shown);
    made.command.insert(made.command.end(), requirements.begin(), requirements.end());
    const std::shared_ptr<ControlGroup> group = options.groups ? options.groups->make() : nullptr;
    auto [control, theirs] = packet_pair();
    Preparation preparation = limits_of(options);
    preparation.control = control_number;
    preparation.port = made.enclosure.proxy_port;
    preparation.entrance = group ? entrance_number : -1;
    Command command =
        enclosed(made.enclosure, options.python, launched(preparation, std::move(made.command)), made.environment);
    command.descriptors.emplace_back(theirs.get(), control_number);
    if (group) command.descriptors.emplace_back(group->entrance(), entrance_number);
    std::optional<Doorway> doorway;
    if (made.enclosure.proxy_port != 0) doorway.emplace(executor, std::move(control), std::move(made.rules));
    PipedChild child(executor, std::move(command));
    child.in.close();
    child.out.close();
    DiskWatch watch(executor, workers, *child.child, folder, options.install_bytes_max);
    auto [code, complaint] = co_await net::within(
        std::chrono::duration_cast<std::chrono::milliseconds>(options.install_time), finished(child));
    const bool too_large = co_await watch.exceeded();
    if (too_large)
        co_return "the packages take more than " + std::to_string(options.install_bytes_max >> 20) + " MiB on the disk";
    if (code == 0) co_return std::string();
    if (group && group->ended_for_memory() > 0) co_return "the installer ran out of memory";
    if (complaint.size() > complaint_bytes_max) complaint.erase(0, complaint.size() - complaint_bytes_max);
    while (!complaint.empty() && complaint.back() == '\n') complaint.pop_back();
    co_return complaint.empty() ? "it ended with code " + std::to_string(code) : to_valid_utf8(complaint);
}

}  // namespace stele::tools
