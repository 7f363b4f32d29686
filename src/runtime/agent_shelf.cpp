#include "runtime/agent_shelf.hpp"

#include "domain/archive.hpp"
#include "knowledge/file_grep.hpp"

#include <algorithm>

namespace stele::runtime {
namespace {

using boost::asio::awaitable;
using tools::GrepResult;

constexpr std::size_t matches_max = 1'000, matches_at_once = 20;
constexpr std::int64_t file_bytes_max = 50 << 20, all_bytes_max = 200 << 20;
constexpr std::chrono::seconds grep_time_max{30};

[[noreturn]] void refuse(const std::string& why) { throw Error(ErrorCode::invalid_argument, why); }

std::string names_of(const std::vector<AttachedFile>& files) {
    std::string names;
    for (const AttachedFile& file : files) {
        if (names.size() > 4'000) return names + ", ...";
        names += (names.empty() ? "" : ", ") + file.file_name;
    }
    return names.empty() ? "none" : names;
}

std::string part_of(const AttachedFile& file) {
    if (!file.is_open) return {};
    if (!file.start_line) return "full file";
    return "lines " + std::to_string(*file.start_line) + "-" + std::to_string(file.end_line.value_or(0));
}

// What one file adds to a search.
struct FileHits {
    std::size_t count = 0;
    bool timed_out = false;
    std::vector<GrepResult::Hit> hits;
};

// `skip` of its matches come before the page, and `room` fit on it.
FileHits hits_in(const knowledge::GrepPattern& pattern, FileKind kind, const std::string& text,
                 const tools::GrepRequest& request, bool keep_blank_lines, std::size_t most, std::size_t skip,
                 std::size_t room, std::chrono::steady_clock::time_point deadline) {
    const std::vector<knowledge::Unit> units = knowledge::view_units(kind, text, keep_blank_lines);
    const knowledge::GrepMatches found = knowledge::grep(pattern, kind, text, units, most, deadline);
    FileHits hits;
    hits.count = found.units.size();
    hits.timed_out = found.timed_out;
    for (std::size_t i = skip; i < found.units.size() && hits.hits.size() < room; ++i) {
        const std::size_t unit = found.units[i];
        GrepResult::Hit hit;
        hit.line = unit;
        const std::size_t first = unit > request.context_lines ? unit - request.context_lines : 1;
        const std::size_t last = std::min(unit + request.context_lines, units.size());
        for (std::size_t number = first; number <= last; ++number)
            hit.lines.push_back({number, knowledge::unit_text(kind, text, units[number - 1])});
        hits.hits.push_back(std::move(hit));
    }
    return hits;
}

}  // namespace

awaitable<void> AgentShelf::touch(std::vector<std::string> ids) const {
    if (ids.empty()) co_return;
    storage::Transaction transaction;
    parts_.attached.touch(transaction, ids);
    co_await parts_.database.commit(std::move(transaction));
}

awaitable<tools::OpenedFiles> AgentShelf::open(std::vector<tools::FileRequest> requests, bool close_all_others) {
    if (requests.empty()) refuse("open_files: file_requests names no file");
    const FileLimits limits = file_limits(agent_);
    if (static_cast<std::int64_t>(requests.size()) > limits.open)
        refuse("open_files: " + std::to_string(requests.size()) + " files were asked for, and at most " +
               std::to_string(limits.open) + " can be open");
    std::vector<AttachedFile> files = co_await parts_.attached.of_agent(agent_.id);
    tools::OpenedFiles opened;
    std::vector<FileViews::Wanted> wanted;
    for (const tools::FileRequest& request : requests) {
        const auto file = std::find_if(files.begin(), files.end(),
                                       [&](const AttachedFile& each) { return each.file_name == request.file_name; });
        if (file == files.end())
            refuse("open_files: there is no file '" + request.file_name + "'. Your files are: " + names_of(files));
        FileViews::Wanted each;
        each.file_id = file->file_id;
        each.window.offset = request.offset;
        if (request.offset) each.window.length = request.length;
        wanted.push_back(std::move(each));
        tools::OpenedFiles::File told;
        told.name = file->file_name;
        told.before = part_of(*file);
        opened.files.push_back(std::move(told));
    }
    const std::vector<FileViews::Wanted> asked = wanted;
    FileViews::Closed closed = co_await parts_.views.open(agent_, files, std::move(wanted), close_all_others);
    for (std::size_t i = 0; i < asked.size(); ++i)
        for (const AttachedFile& file : files)
            if (file.file_id == asked[i].file_id) opened.files[i].now = part_of(file);
    opened.closed_as_asked = std::move(closed.as_asked);
    opened.closed_for_room = std::move(closed.for_room);
    co_return opened;
}

awaitable<GrepResult> AgentShelf::grep(tools::GrepRequest request) {
    const auto pattern = std::make_shared<const knowledge::GrepPattern>(request.pattern);
    const knowledge::NameFilter names(request.include);
    const auto deadline = std::chrono::steady_clock::now() + grep_time_max;
    const std::vector<AttachedFile> files = co_await parts_.attached.of_agent(agent_.id);
    GrepResult result;
    result.files_attached = files.size();
    const bool keep = parts_.views.keeps_blank_lines();
    std::int64_t bytes = 0;
    std::vector<std::string> touched;
    for (const AttachedFile& attached : files) {
        if (result.timed_out || !names.takes(attached.file_name)) continue;
        if (result.total >= matches_max) {
            result.capped = true;
            break;
        }
        const auto file = co_await parts_.files.find(agent_.organization_id, attached.file_id);
        if (!file) continue;
        const std::int64_t size = file->file_size.value_or(0);
        if (size > file_bytes_max || bytes + size > all_bytes_max) {
            result.skipped.push_back(attached.file_name);
            continue;
        }
        bytes += size;
        std::optional<std::string> text = co_await parts_.files.text(attached.file_id);
        if (!text) continue;
        const std::size_t most = matches_max - result.total;
        const std::size_t skip = request.offset > result.total ? request.offset - result.total : 0;
        const std::size_t room = matches_at_once - result.hits.size();
        std::function<FileHits()> work = [=, kind = file->kind, text = std::move(*text)] {
            return hits_in(*pattern, kind, text, request, keep, most, skip, room, deadline);
        };
        FileHits hits = co_await parts_.workers.run(std::move(work));
        result.timed_out = hits.timed_out;
        if (hits.count == 0) continue;
        result.capped = result.capped || hits.count == most;
        result.total += hits.count;
        result.files.emplace_back(attached.file_name, hits.count);
        touched.push_back(attached.id);
        for (GrepResult::Hit& hit : hits.hits) {
            hit.file_name = attached.file_name;
            result.hits.push_back(std::move(hit));
        }
    }
    std::stable_sort(result.files.begin(), result.files.end(),
                     [](const auto& a, const auto& b) { return a.second > b.second; });
    co_await touch(std::move(touched));
    co_return result;
}

awaitable<tools::FoundPieces> AgentShelf::search(std::string query, std::size_t limit) {
    const std::vector<AttachedFile> files = co_await parts_.attached.of_agent(agent_.id);
    tools::FoundPieces found;
    found.files_attached = files.size();
    if (files.empty()) co_return found;
    const std::vector<Folder> folders = co_await parts_.folders.of_agent(agent_.id);
    knowledge::PassageQuery wanted;
    wanted.filter.organization_id = agent_.organization_id;
    wanted.text = std::move(query);
    wanted.limit = limit;
    std::vector<EmbeddingConfig> models;
    for (const Folder& folder : folders) {
        wanted.filter.scope_ids.push_back(folder.id);
        if (!folder.embedding_config) continue;
        const bool there = std::any_of(models.begin(), models.end(), [&](const EmbeddingConfig& each) {
            return embedding_key(each) == embedding_key(*folder.embedding_config);
        });
        if (!there) models.push_back(*folder.embedding_config);
    }
    PassageService::Found hits = co_await parts_.passages.search(std::move(wanted), std::move(models));
    std::vector<std::string> touched;
    for (knowledge::PassageHit& hit : hits.passages.hits) {
        const auto file = std::find_if(files.begin(), files.end(),
                                       [&](const AttachedFile& each) { return each.file_id == hit.passage.file_id; });
        if (file == files.end()) continue;  // it has just been detached
        tools::FoundPiece piece;
        piece.file_name = file->file_name;
        piece.first = hit.passage.unit_start.value_or(0);
        piece.last = hit.passage.unit_end.value_or(0);
        piece.text = std::move(hit.passage.text);
        found.pieces.push_back(std::move(piece));
        touched.push_back(file->id);
    }
    co_await touch(std::move(touched));
    co_return found;
}

}  // namespace stele::runtime
