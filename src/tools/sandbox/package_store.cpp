#include "tools/sandbox/package_store.hpp"

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/utf8.hpp"
#include "net/within.hpp"

#include <openssl/evp.h>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>

#include <algorithm>
#include <array>

namespace stele::tools {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;

constexpr std::chrono::seconds failure_kept{60};
constexpr std::size_t complaint_bytes_max = 1000;
constexpr std::size_t requirements_max = 100;

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

}  // namespace

struct PackageStore::Build {
    explicit Build(const asio::any_io_executor& executor)
        : done(executor, std::chrono::steady_clock::time_point::max()) {}

    asio::steady_timer done;  ///< those who wait are woken by its cancellation
    bool running = true;
    Packages packages;
    std::chrono::steady_clock::time_point failed_at{};
};

asio::awaitable<Packages> PackageStore::ensure(std::vector<std::string> requirements, Installer installer) {
    co_return co_await asio::co_spawn(background_, ensure_here(std::move(requirements), installer),
                                      asio::use_awaitable);
}

asio::awaitable<Packages> PackageStore::ensure_here(std::vector<std::string> requirements, Installer installer) {
    const auto kept = shared_from_this();
    std::sort(requirements.begin(), requirements.end());
    Packages packages;
    for (const std::string& requirement : requirements)
        if (!is_requirement(requirement, installer) || requirements.size() > requirements_max)
            packages.failure = "Failed to install: '" + to_valid_utf8(requirement.substr(0, 200)) +
                               "' is no requirement of the form name or name" +
                               (installer == Installer::pip ? "==version" : "@version");
    if (!packages.failure.empty()) co_return packages;

    const std::string key = hash_of(interpreter_of(options_, installer) + "\n" + joined(requirements));
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
        asio::co_spawn(background_, install(entry, std::move(requirements), installer, packages.folder),
                       asio::detached);
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
                                            Installer installer, fs::path folder) {
    const auto kept = shared_from_this();
    const auto begun = std::chrono::steady_clock::now();
    const std::string wanted = joined(requirements);
    const fs::path building = folder.string() + ".building";
    std::string failure;
    try {
        fs::remove_all(building);  // what an end of the server in the midst of it has left
        fs::create_directories(building);
        Command command = installation(options_, installer, std::move(requirements), building);
        failure = co_await run(std::move(command));
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

// What it complained of, if it failed.
asio::awaitable<std::string> PackageStore::run(Command command) {
    PipedChild child(background_, command);
    child.in.close();
    child.out.close();
    const auto finished = [](PipedChild& running) -> asio::awaitable<std::pair<int, std::string>> {
        std::string complaint;
        std::array<char, 4096> buffer{};
        boost::system::error_code end;
        while (!end) {
            const std::size_t count = co_await running.err.async_read_some(
                asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, end));
            complaint.append(buffer.data(), count);
            if (complaint.size() > 4 * complaint_bytes_max)
                complaint.erase(0, complaint.size() - 2 * complaint_bytes_max);
        }
        const int code = co_await running.child->wait();
        std::pair<int, std::string> made(code, complaint);
        co_return made;
    };
    auto [code, complaint] = co_await net::within(
        std::chrono::duration_cast<std::chrono::milliseconds>(options_.install_time), finished(child));
    if (code == 0) co_return std::string();
    if (complaint.size() > complaint_bytes_max) complaint.erase(0, complaint.size() - complaint_bytes_max);
    while (!complaint.empty() && complaint.back() == '\n') complaint.pop_back();
    co_return complaint.empty() ? "it ended with code " + std::to_string(code) : to_valid_utf8(complaint);
}

}  // namespace stele::tools
