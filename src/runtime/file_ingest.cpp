#include "runtime/file_ingest.hpp"

#include "base/json_text.hpp"
#include "base/log.hpp"
#include "knowledge/chunker.hpp"
#include "runtime/runtime.hpp"
#include "storage/agent_repository.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

namespace stele::runtime {
namespace {

using boost::asio::awaitable;

constexpr std::size_t files_at_once = 4;
constexpr std::int64_t files_read_max = 64;
constexpr std::chrono::hours sleep_long{1};
constexpr std::chrono::seconds sleep_after_failure{1};
constexpr std::chrono::milliseconds look_first{50}, look_last{2'000};
constexpr std::size_t chunks_at_once = 200;

// A text in pieces, and the units that each of them touches.
struct Cut {
    std::vector<knowledge::Chunk> chunks;
    std::vector<knowledge::UnitSpan> spans;
};

Cut cut_of(FileKind kind, const std::string& text, knowledge::ChunkSizes sizes, bool keep_blank_lines) {
    Cut cut;
    cut.chunks = knowledge::chunks_of(kind, text, sizes);
    const std::vector<knowledge::Unit> units = knowledge::view_units(kind, text, keep_blank_lines);
    for (const knowledge::Chunk& chunk : cut.chunks)
        cut.spans.push_back(knowledge::units_within(units, chunk.begin, chunk.end));
    return cut;
}

Passage passage_of(const FileMetadata& file, const Folder& folder, const knowledge::Chunk& chunk,
                   const std::string& text) {
    PassageCreateRequest request;
    request.text = text.substr(chunk.begin, chunk.end - chunk.begin);
    if (!chunk.headings.empty()) request.metadata = Json{"{\"headings\":" + json_string(chunk.headings) + "}"};
    Passage passage = make_passage(std::move(request), file.organization_id, file.created_by_id.value_or(""));
    passage.source_id = folder.id;
    passage.file_id = file.id;
    passage.file_name = file.full_name();
    passage.embedding_config = folder.embedding_config;
    return passage;
}

}  // namespace

FileIngest::FileIngest(Parts parts, std::vector<boost::asio::any_io_executor> executors)
    : parts_(std::move(parts)), executors_(std::move(executors)), alarm_(executors_.front()) {}

awaitable<void> FileIngest::run() {
    const Presence presence = at_work_;
    Alarm::Round round = [this, taken_up = false]() mutable -> awaitable<std::chrono::milliseconds> {
        if (!taken_up) co_await take_up();
        taken_up = true;
        co_await begin_some();
        co_return co_await note_progress();
    };
    co_await alarm_.go_on("files.not_read", sleep_after_failure, std::move(round));
}

awaitable<void> FileIngest::take_up() const {
    storage::Transaction transaction;
    parts_.files.take_up_all(transaction);
    co_await parts_.database.commit(std::move(transaction));
}

awaitable<void> FileIngest::begin_some() {
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
}

// The vectors of chunks are made by the worker for all passages; here it is noted how far they have come. How long to
// sleep then: whoever ends, or stores a file, wakes.
awaitable<std::chrono::milliseconds> FileIngest::note_progress() {
    const std::vector<storage::FileRepository::Progress> waiting = co_await parts_.files.embedding(files_read_max);
    if (waiting.empty()) {
        next_look_ = look_first;
        co_return sleep_long;
    }
    bool moved = false;
    for (const storage::FileRepository::Progress& file : waiting) {
        storage::Transaction transaction;
        if (file.waiting == 0 && file.done == file.chunks)
            parts_.files.complete(transaction, file.file_id, file.done);
        else if (file.waiting == 0)
            parts_.files.fail(transaction, file.file_id,
                              std::to_string(file.chunks - file.done) + " of its " + std::to_string(file.chunks) +
                                  " chunks could not be embedded: they are found by their words alone");
        else if (file.done != file.noted)
            parts_.files.note_embedded(transaction, file.file_id, file.done);
        if (transaction.empty()) continue;
        moved = true;
        try {
            co_await parts_.database.commit(std::move(transaction));
        } catch (const Error& error) {
            if (error.code != ErrorCode::conflict) throw;  // deleted or given up meanwhile
        }
    }
    next_look_ = moved ? look_first : std::min(next_look_ * 2, look_last);
    co_return next_look_;
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
    parts_.passages.remove_of_file(begun, file.organization_id, file.id);  // of a start that was cut off
    co_await parts_.database.commit(std::move(begun));
    co_await read_text(file);
    co_await show(file);
    auto folder = co_await parts_.folders.find(file.organization_id, file.source_id);
    if (!folder) throw not_found("Folder", file.source_id);
    const bool embeds = folder->embedding_config.has_value();
    const std::int64_t chunks = co_await store_chunks(file, std::move(*folder));
    storage::Transaction stored;
    parts_.files.begin_embedding(stored, file.id, chunks);
    if (!embeds) parts_.files.complete(stored, file.id, 0);
    co_await parts_.database.commit(std::move(stored));
    log::info("file.chunked", {{"file_id", file.id}, {"bytes", file.file_size.value_or(0)}, {"chunks", chunks}});
}

// How many there are. In slices, so that others get to the store; none is added to a file that is gone meanwhile.
awaitable<std::int64_t> FileIngest::store_chunks(FileMetadata file, Folder folder) const {
    std::optional<std::string> text = co_await parts_.files.text(file.id);
    const auto whole = std::make_shared<const std::string>(std::move(text).value_or(std::string()));
    knowledge::ChunkSizes sizes;
    if (folder.embedding_config && folder.embedding_config->embedding_chunk_size)
        sizes.tokens =
            static_cast<std::size_t>(std::max<std::int64_t>(1, *folder.embedding_config->embedding_chunk_size));
    const FileKind kind = file.kind;
    const bool keep = parts_.views.keeps_blank_lines();
    std::function<Cut()> work = [whole, kind, sizes, keep] { return cut_of(kind, *whole, sizes, keep); };
    const Cut cut = co_await parts_.workers.run(std::move(work));
    for (std::size_t begin = 0; begin < cut.chunks.size(); begin += chunks_at_once) {
        if (alarm_.stopped()) throw Error(ErrorCode::conflict, "The server stops");
        const std::size_t end = std::min(begin + chunks_at_once, cut.chunks.size());
        std::vector<Passage> made;
        for (std::size_t i = begin; i < end; ++i) {
            made.push_back(passage_of(file, folder, cut.chunks[i], *whole));
            made.back().unit_start = static_cast<std::int64_t>(cut.spans[i].first);
            made.back().unit_end = static_cast<std::int64_t>(cut.spans[i].last);
            made.back().file_position = static_cast<std::int64_t>(i);
        }
        storage::Transaction guard;
        parts_.files.begin(guard, file.id);
        co_await parts_.passage_service.insert_quietly(std::move(guard), std::move(made));
    }
    co_return static_cast<std::int64_t>(cut.chunks.size());
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
    parts_.passages.remove_of_file(transaction, file.organization_id, file.id);
    parts_.files.remove(transaction, file);
}

}  // namespace stele::runtime
