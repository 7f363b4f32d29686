#include "tools/sandbox/package_installers.hpp"

#include "base/error.hpp"
#include "tools/sandbox/bubblewrap.hpp"
#include "tools/sandbox/embedded_files.hpp"

#include <algorithm>
#include <cstdlib>

namespace stele::tools {
namespace {

namespace fs = std::filesystem;

using Environment = std::vector<std::pair<std::string, std::string>>;

// How installers reach their index is the operator's to say. Not on the command line, which every user of the machine
// can read.
constexpr const char* handed_on[] = {
    "PIP_CERT",           "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST", "HTTPS_PROXY",         "https_proxy",
    "HTTP_PROXY",         "http_proxy",          "NO_PROXY",         "NPM_CONFIG_REGISTRY", "npm_config_registry",
    "NODE_EXTRA_CA_CERTS"};
constexpr char system_authorities[] = "/etc/ssl/certs/ca-certificates.crt";

bool is_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

bool holds_only(std::string_view text, std::string_view signs) {
    return std::all_of(text.begin(), text.end(),
                       [&](char c) { return is_alphanumeric(c) || signs.find(c) != std::string_view::npos; });
}

std::string pip_script() {
    for (const EmbeddedFile& file : embedded_files())
        if (file.name == "run_pip.py") return std::string(file.content);
    return {};
}

std::string node_of(const SandboxOptions& options) {
    return find_program(options.node.empty() ? "node" : options.node);
}

Environment environment() {
    Environment made{{"PATH", "/usr/bin:/bin"}, {"HOME", "/tmp"}, {"LANG", "C.UTF-8"}, {"NO_COLOR", "1"}};
    for (const char* name : handed_on)
        if (const char* value = std::getenv(name)) made.emplace_back(name, value);
    return made;
}

Enclosure enclosure(const SandboxOptions& options, const fs::path& folder) {
    Enclosure made;
    made.walls = options.walls;
    made.shares_network = true;
    made.writable = folder;
    return made;
}

Command pip(const SandboxOptions& options, const std::string& place, const fs::path& folder,
            std::vector<std::string> requirements) {
    std::vector<std::string> arguments{"-I",
                                       "-c",
                                       pip_script(),
                                       "install",
                                       "--target",
                                       place,
                                       "--no-input",
                                       "--only-binary",
                                       ":all:",
                                       "--no-cache-dir",
                                       "--disable-pip-version-check",
                                       "--no-warn-conflicts",
                                       "--quiet",
                                       "--"};
    arguments.insert(arguments.end(), requirements.begin(), requirements.end());
    Environment variables = environment();
    if (std::getenv("PIP_CERT") == nullptr && fs::exists(system_authorities))
        variables.emplace_back("PIP_CERT", system_authorities);
    if (!options.package_index.empty()) variables.emplace_back("PIP_INDEX_URL", options.package_index);
    Enclosure walls = enclosure(options, folder);
    walls.shown = folders_of(options.python);
    return enclosed(walls, options.python, std::move(arguments), variables);
}

Command npm(const SandboxOptions& options, const std::string& place, const fs::path& folder,
            std::vector<std::string> requirements) {
    const std::string node = node_of(options), script = find_program("npm");
    if (node.empty() || script.empty())
        throw Error(ErrorCode::unavailable, "npm is not installed on this server (on Debian: apt-get install npm)");
    std::vector<std::string> arguments{script,
                                       "install",
                                       "--prefix",
                                       place,
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
    arguments.insert(arguments.end(), requirements.begin(), requirements.end());
    Environment variables = environment();
    variables.emplace_back("npm_config_cache", "/tmp/.npm");
    if (std::getenv("NODE_EXTRA_CA_CERTS") == nullptr && fs::exists(system_authorities))
        variables.emplace_back("NODE_EXTRA_CA_CERTS", system_authorities);
    Enclosure walls = enclosure(options, folder);
    for (const std::string& program : {node, script})
        for (const fs::path& shown : folders_of(program)) walls.shown.push_back(shown);
    return enclosed(walls, node, std::move(arguments), variables);
}

}  // namespace

std::string interpreter_of(const SandboxOptions& options, Installer installer) {
    return installer == Installer::pip ? options.python : node_of(options);
}

Command installation(const SandboxOptions& options, Installer installer, std::vector<std::string> requirements,
                     const fs::path& folder) {
    const std::string place = options.walls == Walls::none ? folder.string() : "/build";
    return installer == Installer::pip ? pip(options, place, folder, std::move(requirements))
                                       : npm(options, place, folder, std::move(requirements));
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

}  // namespace stele::tools
