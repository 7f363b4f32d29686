#include "tools/sandbox/pip.hpp"

#include "base/utf8.hpp"
#include "net/within.hpp"
#include "tools/sandbox/bubblewrap.hpp"
#include "tools/sandbox/doorway.hpp"
#include "tools/sandbox/embedded_files.hpp"

#include <boost/asio/redirect_error.hpp>

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
constexpr char standard_index[] =
    "https://pypi.org https://files.pythonhosted.org";  // may be mirrored within a network
constexpr int control_number = 3;

// How pip reaches its index is the operator's to say. Not on the command line, which every user of the machine can
// read.
constexpr const char* handed_on[] = {"PIP_CERT", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST"};
constexpr const char* proxies[] = {"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy"};
constexpr char system_authorities[] = "/etc/ssl/certs/ca-certificates.crt";

std::string script() {
    for (const EmbeddedFile& file : embedded_files())
        if (file.name == "run_pip.py") return std::string(file.content);
    return {};
}

// What pip may reach: public addresses, and the operator's own index wherever it is.
net::EgressRules rules_for(const SandboxOptions& options) {
    net::EgressRules rules;
    rules.allows = net::is_public;
    std::string urls = options.package_index.empty() ? standard_index : options.package_index;
    for (const char* name : {"PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST"})
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

Enclosure enclosure_for(const SandboxOptions& options, const fs::path& folder) {
    Enclosure enclosure;
    enclosure.walls = options.walls;
    // A proxy that the operator has set stands outside of any network of ours.
    const bool own_proxy = std::any_of(std::begin(proxies), std::end(proxies), [](const char* name) {
        const char* value = std::getenv(name);
        return value != nullptr && *value != '\0' && !std::string_view(name).starts_with("NO") &&
               !std::string_view(name).starts_with("no");
    });
    enclosure.shares_network = own_proxy || options.walls == Walls::none;
    enclosure.proxy_port = enclosure.shares_network ? 0 : proxy_port;
    enclosure.writable = folder;
    enclosure.shown = folders_of(options.python);
    return enclosure;
}

std::vector<std::string> arguments_for(const SandboxOptions& options, const Enclosure& enclosure,
                                       const std::vector<std::string>& requirements) {
    std::vector<std::string> arguments{"-I",
                                       "-c",
                                       script(),
                                       std::to_string(enclosure.proxy_port),
                                       "install",
                                       "--target",
                                       "/build",
                                       "--no-input",
                                       "--only-binary",
                                       ":all:",
                                       "--no-cache-dir",
                                       "--disable-pip-version-check",
                                       "--no-warn-conflicts",
                                       "--quiet",
                                       "--"};
    if (options.walls == Walls::none) arguments[6] = enclosure.writable.string();
    arguments.insert(arguments.end(), requirements.begin(), requirements.end());
    return arguments;
}

Environment environment_for(const SandboxOptions& options, const Enclosure& enclosure) {
    Environment environment{{"PATH", "/usr/bin:/bin"}, {"HOME", "/tmp"}, {"LANG", "C.UTF-8"}, {"NO_COLOR", "1"}};
    for (const char* name : handed_on)
        if (const char* value = std::getenv(name)) environment.emplace_back(name, value);
    for (const char* name : proxies)
        if (const char* value = std::getenv(name); enclosure.shares_network && value != nullptr)
            environment.emplace_back(name, value);
    if (enclosure.proxy_port != 0)
        for (const char* name : {"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"})
            environment.emplace_back(name, "http://127.0.0.1:" + std::to_string(enclosure.proxy_port));
    if (std::getenv("PIP_CERT") == nullptr && fs::exists(system_authorities))
        environment.emplace_back("PIP_CERT", system_authorities);
    if (!options.package_index.empty()) environment.emplace_back("PIP_INDEX_URL", options.package_index);
    return environment;
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

}  // namespace

bool is_requirement(std::string_view text) {
    const auto is_alphanumeric = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    };
    return !text.empty() && text.size() <= 200 && is_alphanumeric(text.front()) &&
           std::all_of(text.begin(), text.end(), [&](char c) {
               return is_alphanumeric(c) || std::string_view("._-[],=<>!~*+ ").find(c) != std::string_view::npos;
           });
}

asio::awaitable<std::string> run_pip(asio::any_io_executor executor, const SandboxOptions& options,
                                     std::vector<std::string> requirements, fs::path folder) {
    const Enclosure enclosure = enclosure_for(options, folder);
    auto [control, theirs] = packet_pair();
    Command command = enclosed(enclosure, options.python, arguments_for(options, enclosure, requirements),
                               environment_for(options, enclosure));
    command.descriptors.emplace_back(theirs.get(), control_number);
    std::optional<Doorway> doorway;
    if (enclosure.proxy_port != 0) doorway.emplace(executor, std::move(control), rules_for(options));
    PipedChild pip(executor, std::move(command));
    pip.in.close();
    pip.out.close();
    auto [code, complaint] = co_await net::within(
        std::chrono::duration_cast<std::chrono::milliseconds>(options.install_time), finished(pip));
    if (code == 0) co_return std::string();
    if (complaint.size() > complaint_bytes_max) complaint.erase(0, complaint.size() - complaint_bytes_max);
    while (!complaint.empty() && complaint.back() == '\n') complaint.pop_back();
    co_return complaint.empty() ? "pip ended with code " + std::to_string(code) : to_valid_utf8(complaint);
}

}  // namespace stele::tools
