#include "tools/sandbox/package_store.hpp"

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/utf8.hpp"
#include "base/worker_threads.hpp"
#include "tools/sandbox/package_folders.hpp"

#include <openssl/evp.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <array>

namespace stele::tools {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;

constexpr std::chrono::seconds failure_kept{60};
constexpr std::size_t requirements_max = 100;
constexpr std::chrono::seconds touch_interval{60};
constexpr std::size_t entries_max = 1'000;  // then those are forgotten that nobody uses

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

}  // namespace

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

asio::awaitable<Packages> PackageStore::ensure(std::vector<std::string> requirements, Installer installer) {
    co_return co_await asio::co_spawn(background_, ensure_here(std::move(requirements), installer),
                                      asio::use_awaitable);
}

asio::awaitable<Packages> PackageStore::ensure_here(std::vector<std::string> requirements, Installer installer) {
    using State = Entry::State;
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
            asio::co_spawn(background_, prepare(entry, requirements, installer), asio::detached);
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
            co_return co_await ensure_here(std::move(requirements), installer);
        }
    }
    packages.folder = entry->folder;
    packages.failure = entry->failure;
    packages.hold = hold;
    co_return packages;
}

// Finds the packages on the disk, or installs them.
asio::awaitable<void> PackageStore::prepare(std::shared_ptr<Entry> entry, std::vector<std::string> requirements,
                                            Installer installer) {
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
    const std::string failure = co_await install(std::move(requirements), installer, entry->folder);
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
asio::awaitable<std::string> PackageStore::install(std::vector<std::string> requirements, Installer installer,
                                                   fs::path folder) {
    std::string failure;
    fs::path building;
    try {
        std::function<fs::path()> begin = [folder] { return begin_packages(folder); };
        building = co_await workers_.run(std::move(begin));
        failure =
            co_await install_packages(background_, workers_, options_, installer, std::move(requirements), building);
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

}  // namespace stele::tools
