#include "tools/sandbox/package_store.hpp"

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/utf8.hpp"
#include "net/within.hpp"
#include "tools/sandbox/bubblewrap.hpp"
#include "tools/sandbox/embedded_files.hpp"

#include <openssl/evp.h>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>

namespace stele::tools {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;

constexpr std::chrono::seconds failure_kept{60};
constexpr std::size_t complaint_bytes_max = 1000;
constexpr std::size_t requirements_max = 100;

// How pip reaches its index is the operator's to say. Not on the command line, which every user of the machine can
// read.
constexpr const char* handed_on[] = {"PIP_CERT",    "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST", "HTTPS_PROXY",
                                     "https_proxy", "HTTP_PROXY",          "http_proxy",       "NO_PROXY"};
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

// The fork-server is somebody else than the server, whatever the server's umask was.
void let_everybody_read(const fs::path& folder) {
    const auto open = [](const fs::path& path, fs::perms perms) {
        std::error_code ignored;
        fs::permissions(path, perms, fs::perm_options::add, ignored);
    };
    using fs::perms;
    const perms read = perms::group_read | perms::others_read;
    open(folder, read | perms::group_exec | perms::others_exec);
    for (const auto& entry : fs::recursive_directory_iterator(folder))
        if (!entry.is_symlink())
            open(entry.path(), entry.is_directory() ? read | perms::group_exec | perms::others_exec : read);
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

struct PackageStore::Build {
    explicit Build(const asio::any_io_executor& executor)
        : done(executor, std::chrono::steady_clock::time_point::max()) {}

    asio::steady_timer done;  ///< those who wait are woken by its cancellation
    bool running = true;
    Packages packages;
    std::chrono::steady_clock::time_point failed_at{};
};

asio::awaitable<Packages> PackageStore::ensure(std::vector<std::string> requirements) {
    co_return co_await asio::co_spawn(background_, ensure_here(std::move(requirements)), asio::use_awaitable);
}

asio::awaitable<Packages> PackageStore::ensure_here(std::vector<std::string> requirements) {
    const auto kept = shared_from_this();
    std::sort(requirements.begin(), requirements.end());
    Packages packages;
    for (const std::string& requirement : requirements)
        if (!is_requirement(requirement) || requirements.size() > requirements_max)
            packages.failure = "Failed to install: '" + to_valid_utf8(requirement.substr(0, 200)) +
                               "' is no requirement of the form name or name==version";
    if (!packages.failure.empty()) co_return packages;

    const std::string key = hash_of(options_.python + "\n" + joined(requirements));
    packages.folder = options_.environments / key;
    std::shared_ptr<Build>& entry = builds_[key];
    std::error_code missing;
    if (entry && !entry->running && !entry->packages.failure.empty() &&
        std::chrono::steady_clock::now() - entry->failed_at > failure_kept)
        entry.reset();
    if (!entry) {
        if (fs::is_directory(packages.folder, missing)) {
            builds_.erase(key);
            co_return packages;
        }
        entry = std::make_shared<Build>(background_);
        asio::co_spawn(background_, install(entry, std::move(requirements), packages.folder), asio::detached);
    }
    const std::shared_ptr<Build> build = entry;
    boost::system::error_code woken;
    while (build->running) {
        co_await build->done.async_wait(asio::redirect_error(asio::use_awaitable, woken));
        if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none)
            throw boost::system::system_error(asio::error::operation_aborted);
    }
    packages = build->packages;
    co_return packages;
}

asio::awaitable<void> PackageStore::install(std::shared_ptr<Build> build, std::vector<std::string> requirements,
                                            fs::path folder) {
    const auto kept = shared_from_this();
    const auto begun = std::chrono::steady_clock::now();
    const std::string wanted = joined(requirements);
    const fs::path building = folder.string() + ".building";
    std::string failure;
    try {
        fs::remove_all(building);  // what an end of the server in the midst of it has left
        fs::create_directories(building);
        failure = co_await run_pip(std::move(requirements), building);
        if (failure.empty()) {
            let_everybody_read(building);
            fs::rename(building, folder);
        }
    } catch (const Error& thrown) {
        failure = thrown.code == ErrorCode::timed_out ? "it took too long" : thrown.what();
    } catch (const std::exception&) {
        failure = "the folder of tool environments can't be written";
    }
    std::error_code ignored;
    fs::remove_all(building, ignored);
    const auto took = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begun).count();
    log::info("packages.installed", {{"requirements", wanted}, {"ok", failure.empty()}, {"ms", took}});
    build->packages.folder = folder;
    if (!failure.empty())
        build->packages.failure =
            "Failed to install " + wanted + ": " + failure +
            "\nThis may be due to a package version incompatibility or a name that the index does not know.";
    build->failed_at = std::chrono::steady_clock::now();
    build->running = false;
    build->done.cancel();
}

// Wheels only: so no code of a package runs before a tool imports it, inside its own sandbox.
asio::awaitable<std::string> PackageStore::run_pip(std::vector<std::string> requirements, fs::path folder) {
    Enclosure enclosure;
    enclosure.walls = options_.walls;
    enclosure.shares_network = true;
    enclosure.writable = folder;
    enclosure.shown = folders_of(options_.python);
    std::vector<std::string> arguments{"-I",
                                       "-c",
                                       script(),
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
    if (options_.walls == Walls::none) arguments[5] = folder.string();
    arguments.insert(arguments.end(), requirements.begin(), requirements.end());
    std::vector<std::pair<std::string, std::string>> environment{
        {"PATH", "/usr/bin:/bin"}, {"HOME", "/tmp"}, {"LANG", "C.UTF-8"}, {"NO_COLOR", "1"}};
    for (const char* name : handed_on)
        if (const char* value = std::getenv(name)) environment.emplace_back(name, value);
    if (std::getenv("PIP_CERT") == nullptr && fs::exists(system_authorities))
        environment.emplace_back("PIP_CERT", system_authorities);
    if (!options_.package_index.empty()) environment.emplace_back("PIP_INDEX_URL", options_.package_index);
    PipedChild pip(background_, enclosed(enclosure, options_.python, std::move(arguments), environment));
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
