#pragma once

#include "runtime/alarm.hpp"
#include "runtime/file_views.hpp"
#include "runtime/passage_service.hpp"
#include "tools/sandbox/pdf_text.hpp"

#include <atomic>
#include <functional>
#include <mutex>
#include <set>

namespace stele::runtime {

class Runtime;

/// The work on files that were uploaded: text, views of agents, chunks, vectors. A row that is in no final state is
/// work to be done, so a start goes on with what an earlier life of the server left. Thread-safe.
class FileIngest {
public:
    struct Parts {
        storage::Database& database;
        const storage::FileRepository& files;
        const storage::FolderRepository& folders;
        const storage::AgentRepository& agents;
        const FileViews& views;
        const storage::PassageRepository& passages;
        const PassageService& passage_service;
        Runtime& runtime;
        WorkerThreads& workers;
        tools::PdfOptions pdf;
    };

    /// `executors`: one a thread; the loop lives on the first, the files are spread over all.
    FileIngest(Parts parts, std::vector<boost::asio::any_io_executor> executors);

    /// Until stop(). Throws nothing.
    boost::asio::awaitable<void> run();

    /// Looks again: a file was stored.
    void wake() { alarm_.wake(); }

    /// Begins nothing from now on. What is at it ends its step; the rest is left to the next start.
    void stop() { alarm_.stop(); }

    /// The loop and the files that are worked on.
    std::size_t at_work() const { return static_cast<std::size_t>(at_work_.use_count() - 1); }

    /// Gives the file, whose text is stored, to the agents of its folder, and brings their system messages up to date.
    boost::asio::awaitable<void> show(FileMetadata file) const;

    /// Deletes the file with all that has been made of it.
    void remove(storage::Transaction& transaction, const FileMetadata& file) const;

private:
    using Presence = std::shared_ptr<void>;  ///< held by what is at work: outlives this

    boost::asio::awaitable<void> take_up() const;
    boost::asio::awaitable<void> begin_some();
    boost::asio::awaitable<void> carry_out(FileMetadata file, Presence presence);
    boost::asio::awaitable<void> work_on(FileMetadata file);
    boost::asio::awaitable<void> read_text(FileMetadata& file) const;
    boost::asio::awaitable<std::int64_t> store_chunks(FileMetadata file, Folder folder) const;
    boost::asio::awaitable<std::chrono::milliseconds> note_progress();
    boost::asio::awaitable<bool> fail(std::string file_id, std::string why) const;

    Parts parts_;
    std::vector<boost::asio::any_io_executor> executors_;
    std::atomic<std::size_t> next_executor_ = 0;
    Alarm alarm_;
    Presence at_work_ = std::make_shared<int>();
    mutable std::mutex mutex_;
    std::chrono::milliseconds next_look_{0};  ///< at what waits for vectors
    std::set<std::string> carried_;           ///< files that a coroutine is at work on
};

}  // namespace stele::runtime
