#include "tools/sandbox/package_store.hpp"

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/utf8.hpp"
#include "base/worker_threads.hpp"
#include "net/url.hpp"
#include "net/within.hpp"
#include "tools/sandbox/bubblewrap.hpp"
#include "tools/sandbox/doorway.hpp"
#include "tools/sandbox/embedded_files.hpp"
#include "tools/sandbox/package_folders.hpp"

#include <openssl/evp.h>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <sstream>

namespace stele::tools {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;

constexpr std::chrono::seconds failure_kept{60};
constexpr std::size_t complaint_bytes_max = 1000;
constexpr std::size_t requirements_max = 100;
constexpr std::chrono::seconds touch_interval{60};
constexpr std::size_t entries_max = 1'000;  // then those are forgotten that nobody uses
constexpr char standard_index[] =
    "https://pypi.org https://files.pythonhosted.org";  // may be mirrored within a network
constexpr int control_number = 3;

// How pip reaches its index is the operator's to say. Not on the command line, which every user of the machine can
// read.
constexpr const char* handed_on[] = {"PIP_CERT", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST"};
constexpr const char* proxies[] = {"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy"};
constexpr char system_authorities[] = "/etc/ssl/certs/ca-certificates.crt";

std::string hash_of(const std::string& text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned length = 0;
    EVP_Digest(text.data(), text.size(), digest.data(), &length, EVP_sha256(), nullptr);
    std::string made;
    for (unsigned i = 0; i < 16; ++i)
        for (const int shift : {4, 0}) made += "0123456789abcdef"[digest[i] >> shift & 15];
    return made;
}

std::string joined(const std::vector<std::string>& requirements) {
    std::string text;
    for (const std::string& requirement : requirements) text += (text.empty() ? "" : ", ") + requirement;
    return text;
}

std::string script() {
    for (const EmbeddedFile& file : embedded_files())
        if (file.name == "run_pip.py") return std::string(file.content);
    return {};
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

// What is known of one set of requirements. Whoever finds it at work waits, and looks again.
struct PackageStore::Entry {
    enum class State : std::uint8_t { unknown, at_work, ready, failed };

    explicit Entry(const asio::any_io_executor& executor, fs::path path)
        : folder(std::move(path)), changed(executor, Clock::time_point::max()) {}

    std::shared_ptr<const void> held() {
        std::shared_ptr<const void> one = hold.lock();
        if (!one) hold = one = std::make_shared<const int>();
        return one;
    }
    void become(State now) {
        state = now;
        changed.cancel();
    }

    using Clock = std::chrono::steady_clock;
    const fs::path folder;
    State state = State::unknown;
    asio::steady_timer changed;  ///< those who wait are woken by its cancellation
    std::string failure;
    Clock::time_point failed_at{}, touched_at{};
    std::weak_ptr<const void> hold;
};

asio::awaitable<Packages> PackageStore::ensure(std::vector<std::string> requirements) {
    co_return co_await asio::co_spawn(background_, ensure_here(std::move(requirements)), asio::use_awaitable);
}

asio::awaitable<Packages> PackageStore::ensure_here(std::vector<std::string> requirements) {
    using State = Entry::State;
    const auto kept = shared_from_this();
    std::sort(requirements.begin(), requirements.end());
    Packages packages;
    for (const std::string& requirement : requirements)
        if (!is_requirement(requirement) || requirements.size() > requirements_max)
            packages.failure = "Failed to install: '" + to_valid_utf8(requirement.substr(0, 200)) +
                               "' is no requirement of the form name or name==version";
    if (!packages.failure.empty()) co_return packages;

    const std::string key = hash_of(options_.python + "\n" + joined(requirements));
    if (entries_.size() >= entries_max)
        std::erase_if(entries_, [](const auto& each) {
            return each.second->state != State::at_work && each.second->hold.expired();
        });
    std::shared_ptr<Entry>& known = entries_[key];
    if (!known) known = std::make_shared<Entry>(background_, options_.environments / key);
    const std::shared_ptr<Entry> entry = known;
    const auto hold = entry->held();  // before anything is waited for: nobody removes it from here on
    boost::system::error_code woken;
    for (;;) {
        const bool failed = entry->state == State::failed && Entry::Clock::now() - entry->failed_at < failure_kept;
        if (entry->state == State::ready || failed) break;
        if (entry->state != State::at_work) {
            entry->become(State::at_work);
            asio::co_spawn(background_, prepare(entry, requirements), asio::detached);
        }
        co_await entry->changed.async_wait(asio::redirect_error(asio::use_awaitable, woken));
        if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none)
            throw boost::system::system_error(asio::error::operation_aborted);
    }
    if (Entry::Clock::now() - entry->touched_at > touch_interval) {
        entry->touched_at = Entry::Clock::now();
        std::function<bool()> touch = [folder = entry->folder] { return touch_packages(folder); };
        const bool there = co_await workers_.run(std::move(touch));
        if (!there && entry->state == State::ready) {  // somebody has cleared the folder
            entry->become(State::unknown);
            co_return co_await ensure_here(std::move(requirements));
        }
    }
    packages.folder = entry->folder;
    packages.failure = entry->failure;
    packages.hold = hold;
    co_return packages;
}

// Finds the packages on the disk, or installs them.
asio::awaitable<void> PackageStore::prepare(std::shared_ptr<Entry> entry, std::vector<std::string> requirements) {
    using State = Entry::State;
    const auto kept = shared_from_this();
    const auto hold = entry->held();
    std::function<bool()> touch = [folder = entry->folder] { return touch_packages(folder); };
    const bool there = co_await workers_.run(std::move(touch));
    entry->failure.clear();
    entry->touched_at = Entry::Clock::now();
    if (there) {
        entry->become(State::ready);
        co_return;
    }
    const auto begun = std::chrono::steady_clock::now();
    const std::string wanted = joined(requirements);
    const std::string failure = co_await install(std::move(requirements), entry->folder);
    const auto took = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begun).count();
    log::info("packages.installed", {{"requirements", wanted}, {"ok", failure.empty()}, {"ms", took}});
    if (!failure.empty()) {
        entry->failure =
            "Failed to install " + wanted + ": " + failure +
            "\nThis may be due to a package version incompatibility or a name that the index does not know.";
        entry->failed_at = Entry::Clock::now();
        entry->become(State::failed);
        co_return;
    }
    entry->become(State::ready);
    co_await remove_superfluous();
}

// Empty, or what went wrong. Throws nothing.
asio::awaitable<std::string> PackageStore::install(std::vector<std::string> requirements, fs::path folder) {
    std::string failure;
    fs::path building;
    try {
        std::function<fs::path()> begin = [folder] { return begin_packages(folder); };
        building = co_await workers_.run(std::move(begin));
        failure = co_await run_pip(std::move(requirements), building);
        std::function<bool()> publish = [building, folder] { return publish_packages(building, folder), true; };
        if (failure.empty()) co_await workers_.run(std::move(publish));
    } catch (const Error& thrown) {
        failure = thrown.code == ErrorCode::timed_out ? "it took too long" : thrown.what();
    } catch (const std::exception&) {
        failure = "the folder of tool environments can't be written";
    }
    std::function<bool()> tidy = [building] {
        std::error_code ignored;
        return fs::remove_all(building, ignored) > 0;
    };
    if (!failure.empty() && !building.empty()) co_await workers_.run(std::move(tidy));
    co_return failure;
}

asio::awaitable<void> PackageStore::remove_superfluous() {
    using State = Entry::State;
    std::function<std::vector<PackageFolder>()> look = [folder = options_.environments] {
        return package_folders(folder);
    };
    std::vector<PackageFolder> folders = co_await workers_.run(std::move(look));
    const auto in_use = [this](const std::string& key) {
        const auto found = entries_.find(key);
        return found != entries_.end() && (found->second->state == State::at_work || !found->second->hold.expired());
    };
    for (const std::string& key : superfluous_packages(std::move(folders), options_.packages_bytes_max, in_use)) {
        if (in_use(key)) continue;  // while another one was removed somebody has come for it
        std::shared_ptr<Entry>& known = entries_[key];
        if (!known) known = std::make_shared<Entry>(background_, options_.environments / key);
        const std::shared_ptr<Entry> entry = known;
        entry->become(State::at_work);
        std::function<bool()> remove = [folder = entry->folder] { return remove_packages(folder), true; };
        co_await workers_.run(std::move(remove));
        log::info("packages.removed", {{"key", key}});
        entry->become(State::unknown);
    }
}

// What pip may reach: public addresses, and the operator's own index wherever it is.
net::EgressRules PackageStore::rules_of_pip() const {
    net::EgressRules rules;
    rules.allows = net::is_public;
    std::string urls = options_.package_index.empty() ? standard_index : options_.package_index;
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

// Wheels only: so no code of a package runs before a tool imports it, inside its own sandbox.
asio::awaitable<std::string> PackageStore::run_pip(std::vector<std::string> requirements, fs::path folder) {
    Enclosure enclosure;
    enclosure.walls = options_.walls;
    // A proxy that the operator has set stands outside of any network of ours.
    const bool own_proxy = std::any_of(std::begin(proxies), std::end(proxies), [](const char* name) {
        const char* value = std::getenv(name);
        return value != nullptr && *value != '\0' && !std::string_view(name).starts_with("NO") &&
               !std::string_view(name).starts_with("no");
    });
    enclosure.shares_network = own_proxy || options_.walls == Walls::none;
    enclosure.proxy_port = enclosure.shares_network ? 0 : proxy_port;
    enclosure.writable = folder;
    enclosure.shown = folders_of(options_.python);
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
    if (options_.walls == Walls::none) arguments[6] = folder.string();
    arguments.insert(arguments.end(), requirements.begin(), requirements.end());
    std::vector<std::pair<std::string, std::string>> environment{
        {"PATH", "/usr/bin:/bin"}, {"HOME", "/tmp"}, {"LANG", "C.UTF-8"}, {"NO_COLOR", "1"}};
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
    if (!options_.package_index.empty()) environment.emplace_back("PIP_INDEX_URL", options_.package_index);
    auto [control, theirs] = packet_pair();
    Command command = enclosed(enclosure, options_.python, std::move(arguments), environment);
    command.descriptors.emplace_back(theirs.get(), control_number);
    std::optional<Doorway> doorway;
    if (enclosure.proxy_port != 0) doorway.emplace(background_, std::move(control), rules_of_pip());
    PipedChild pip(background_, std::move(command));
    pip.in.close();
    pip.out.close();
    const auto finished = [](PipedChild& child) -> asio::awaitable<std::pair<int, std::string>> {
        std::string complaint;
        std::array<char, 4096> buffer{};
        boost::system::error_code end;
        while (!end) {
            const std::size_t count = co_await child.err.async_read_some(
                asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, end));
            complaint.append(buffer.data(), count);
            if (complaint.size() > 4 * complaint_bytes_max)
                complaint.erase(0, complaint.size() - 2 * complaint_bytes_max);
        }
        const int code = co_await child.child->wait();
        std::pair<int, std::string> made(code, complaint);
        co_return made;
    };
    auto [code, complaint] = co_await net::within(
        std::chrono::duration_cast<std::chrono::milliseconds>(options_.install_time), finished(pip));
    if (code == 0) co_return std::string();
    if (complaint.size() > complaint_bytes_max) complaint.erase(0, complaint.size() - complaint_bytes_max);
    while (!complaint.empty() && complaint.back() == '\n') complaint.pop_back();
    co_return complaint.empty() ? "pip ended with code " + std::to_string(code) : to_valid_utf8(complaint);
}

}  // namespace stele::tools
