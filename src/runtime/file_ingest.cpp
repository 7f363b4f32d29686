#include "runtime/file_ingest.hpp"

#include "base/log.hpp"
#include "knowledge/chunker.hpp"
#include "runtime/runtime.hpp"
#include "storage/agent_repository.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace stele::runtime {
namespace {

using boost::asio::awaitable;

constexpr std::size_t files_at_once = 4;
constexpr std::int64_t files_read_max = 64;
constexpr std::chrono::hours sleep_long{1};
constexpr std::chrono::seconds sleep_after_failure{1};

}  // namespace

FileIngest::FileIngest(Parts parts, std::vector<boost::asio::any_io_executor> executors)
    : parts_(std::move(parts)), executors_(std::move(executors)), alarm_(executors_.front()) {}

awaitable<void> FileIngest::run() {
    const Presence presence = at_work_;
    while (!alarm_.stopped()) {
        std::chrono::milliseconds sleep = sleep_after_failure;
        try {
            sleep = co_await begin_some();
        } catch (const std::exception& error) {
            log::warn("files.not_read", {{"why", error.what()}});
        }
        co_await alarm_.sleep(sleep);
    }
}

// How long to sleep then: whoever ends, or stores a file, wakes.
awaitable<std::chrono::milliseconds> FileIngest::begin_some() {
    std::vector<FileMetadata> waiting = co_await parts_.files.unfinished(files_read_max);
    for (FileMetadata& file : waiting) {
        {
            const std::lock_guard lock(mutex_);
            if (carried_.size() >= files_at_once) break;
            if (!carried_.insert(file.id).second) continue;
        }
        const auto& executor = executors_[next_executor_++ % executors_.size()];
        boost::asio::co_spawn(executor, carry_out(std::move(file), at_work_), boost::asio::detached);
    }
    co_return sleep_long;
}

awaitable<void> FileIngest::carry_out(FileMetadata file, Presence presence) {
    const std::string id = file.id;
    std::optional<std::string> failure;
    try {
        co_await work_on(file);
    } catch (const Error& error) {
        // Somebody deleted it, or gave it up, meanwhile.
        if (error.code != ErrorCode::conflict && error.code != ErrorCode::not_found) failure = error.what();
    } catch (const std::exception& error) {
        log::error("file.broke", {{"file_id", id}, {"why", error.what()}});
        failure = "The work on the file failed on an internal error";
    }
    if (failure && !alarm_.stopped()) {
        const bool stored = co_await fail(id, std::move(*failure));
        if (!stored) {  // it is tried again, not at once
            boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, sleep_after_failure);
            co_await timer.async_wait(boost::asio::use_awaitable);
        }
    }
    {
        const std::lock_guard lock(mutex_);
        carried_.erase(id);
    }
    presence.reset();
    alarm_.wake();
}

// False: the store does not take it now.
awaitable<bool> FileIngest::fail(std::string file_id, std::string why) const {
    log::warn("file.failed", {{"file_id", file_id}, {"why", why}});
    try {
        storage::Transaction transaction;
        parts_.files.fail(transaction, file_id, why);
        co_await parts_.database.commit(std::move(transaction));
        co_return true;
    } catch (const std::exception& error) {
        log::warn("file.failure_not_stored", {{"file_id", file_id}, {"why", error.what()}});
    }
    co_return false;
}

awaitable<void> FileIngest::work_on(FileMetadata file) {
    storage::Transaction begun;
    parts_.files.begin(begun, file.id);
    co_await parts_.database.commit(std::move(begun));
    co_await read_text(file);
    co_await show(file);
    storage::Transaction done;
    parts_.files.complete(done, file.id, 0);
    co_await parts_.database.commit(std::move(done));
    log::info("file.completed", {{"file_id", file.id}, {"bytes", file.file_size.value_or(0)}});
}

awaitable<void> FileIngest::read_text(FileMetadata& file) const {
    if (file.has_text) co_return;
    std::optional<std::string> bytes = co_await parts_.files.bytes(file.id);
    if (!bytes) throw Error(ErrorCode::internal, "What was uploaded is gone");
    const std::string text = co_await tools::pdf_text(parts_.pdf, parts_.workers, std::move(*bytes));
    storage::Transaction transaction;
    parts_.files.take_text(transaction, file.id, text);
    co_await parts_.database.commit(std::move(transaction));
    file.has_text = true;
}

awaitable<void> FileIngest::show(FileMetadata file) const {
    const std::string organization_id = file.organization_id;
    const std::vector<std::string> given = co_await parts_.views.give_to_agents(std::move(file), parts_.agents);
    for (const std::string& agent_id : given) {
        const auto refreshed = co_await parts_.runtime.load_refreshed(organization_id, agent_id, std::string());
        static_cast<void>(refreshed);
    }
}

void FileIngest::remove(storage::Transaction& transaction, const FileMetadata& file) const {
    parts_.files.remove(transaction, file);
}

}  // namespace stele::runtime
