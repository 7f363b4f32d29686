#include "runtime/file_views.hpp"

#include "base/ids.hpp"
#include "storage/agent_repository.hpp"

#include <algorithm>

namespace stele::runtime {
namespace {

using boost::asio::awaitable;
using knowledge::FileView;
using knowledge::ViewWindow;

AttachedFile attached(const FileMetadata& file) {
    AttachedFile made;
    made.id = new_id("file_agent");
    made.file_id = file.id;
    made.file_name = file.full_name();
    made.folder_id = file.source_id;
    made.folder_name = file.folder_name;
    return made;
}

void take(FileView view, AttachedFile& into) {
    into.is_open = true;
    into.visible_content = std::move(view.text);
    into.start_line = view.first;
    into.end_line = view.last;
    into.last_accessed_at = now();
}

void shut(AttachedFile& file) {
    file.is_open = false;
    file.visible_content.reset();
    file.start_line.reset();
    file.end_line.reset();
}

ViewWindow window_of(const AttachedFile& file) {
    ViewWindow window;
    if (!file.start_line) return window;
    window.offset = *file.start_line - 1;
    if (file.end_line) window.length = *file.end_line - *file.start_line + 1;
    return window;
}

}  // namespace

awaitable<FileView> FileViews::look_at_text(FileKind kind, std::string text, ViewWindow window,
                                            std::int64_t characters) const {
    const bool keep = parts_.keep_blank_lines;
    std::function<FileView()> work = [kind, window, characters, keep, text = std::move(text)] {
        return knowledge::view_of(kind, text, window, characters, keep);
    };
    co_return co_await parts_.workers.run(std::move(work));
}

awaitable<FileView> FileViews::look(FileKind kind, std::string file_id, ViewWindow window,
                                    std::int64_t characters) const {
    std::optional<std::string> text = co_await parts_.files.text(std::move(file_id));
    co_return co_await look_at_text(kind, std::move(text).value_or(std::string()), window, characters);
}

awaitable<void> FileViews::show(AttachedFile& file, FileKind kind, ViewWindow window, std::int64_t characters) const {
    FileView view = co_await look(kind, file.file_id, window, characters);
    take(std::move(view), file);
}

awaitable<std::vector<AttachedFile>> FileViews::first_views(Agent agent, std::vector<AttachedFile> present,
                                                            std::vector<FileMetadata> files) const {
    const FileLimits limits = file_limits(agent);
    auto room =
        limits.open - std::count_if(present.begin(), present.end(), [](const AttachedFile& f) { return f.is_open; });
    std::stable_sort(files.begin(), files.end(), [](const FileMetadata& a, const FileMetadata& b) {
        return std::tie(b.created_at, b.id) < std::tie(a.created_at, a.id);
    });
    const ViewWindow whole;
    std::vector<AttachedFile> made;
    for (const FileMetadata& file : files) {
        if (!file.has_text) continue;  // whoever stores its text gives it to the agents
        const bool has = std::any_of(present.begin(), present.end(),
                                     [&](const AttachedFile& each) { return each.file_id == file.id; });
        if (has) continue;
        made.push_back(attached(file));
        if (room-- > 0) co_await show(made.back(), file.kind, whole, limits.characters);
    }
    co_return made;
}

awaitable<std::vector<std::string>> FileViews::give_to_agents(FileMetadata file,
                                                              const storage::AgentRepository& agents) const {
    std::vector<std::string> given;
    for (;;) {
        const std::vector<std::string> without = co_await parts_.attached.agents_without(file.id);
        bool any = false;
        for (const std::string& agent_id : without) {
            const auto agent = co_await agents.find(file.organization_id, agent_id);
            if (!agent || std::find(given.begin(), given.end(), agent_id) != given.end()) continue;
            std::vector<AttachedFile> present = co_await parts_.attached.of_agent(agent_id);
            std::vector<FileMetadata> fresh{file};
            const std::vector<AttachedFile> made = co_await first_views(*agent, std::move(present), std::move(fresh));
            storage::Transaction transaction;
            for (const AttachedFile& each : made) parts_.attached.insert(transaction, agent_id, each);
            co_await parts_.database.commit(std::move(transaction));
            given.push_back(agent_id);
            any = true;
        }
        if (!any) co_return given;
    }
}

awaitable<void> FileViews::catch_up(Agent agent) const {
    const std::vector<std::string> missing = co_await parts_.attached.files_without(agent.id);
    if (missing.empty()) co_return;
    std::vector<FileMetadata> files;
    for (const std::string& id : missing) {
        auto file = co_await parts_.files.find(agent.organization_id, id);
        if (file) files.push_back(std::move(*file));
    }
    std::vector<AttachedFile> present = co_await parts_.attached.of_agent(agent.id);
    const std::vector<AttachedFile> made = co_await first_views(agent, std::move(present), std::move(files));
    storage::Transaction transaction;
    for (const AttachedFile& each : made) parts_.attached.insert(transaction, agent.id, each);
    co_await parts_.database.commit(std::move(transaction));
}

void FileViews::close(storage::Transaction& transaction, AttachedFile& file) const {
    shut(file);
    file.last_accessed_at = now();
    parts_.attached.update(transaction, file);
}

awaitable<FileViews::Closed> FileViews::open(Agent agent, std::vector<AttachedFile>& files, std::vector<Wanted> wanted,
                                             bool close_all_others) const {
    const FileLimits limits = file_limits(agent);
    std::vector<std::string> kept;
    std::vector<std::pair<std::size_t, FileView>> views;
    for (const Wanted& each : wanted) {
        const auto place =
            std::find_if(files.begin(), files.end(), [&](const AttachedFile& f) { return f.file_id == each.file_id; });
        STELE_ASSERT(place != files.end());
        const auto file = co_await parts_.files.find(agent.organization_id, each.file_id);
        if (!file) throw not_found("File", each.file_id);
        FileView view = co_await look(file->kind, each.file_id, each.window, limits.characters);
        views.emplace_back(static_cast<std::size_t>(place - files.begin()), std::move(view));
        kept.push_back(each.file_id);
    }
    Closed closed;
    storage::Transaction transaction;
    const auto is_kept = [&](const AttachedFile& file) {
        return std::find(kept.begin(), kept.end(), file.file_id) != kept.end();
    };
    for (AttachedFile& file : files) {
        if (!close_all_others || !file.is_open || is_kept(file)) continue;
        close(transaction, file);
        closed.as_asked.push_back(file.file_name);
    }
    for (auto& [index, view] : views) {
        take(std::move(view), files[index]);
        parts_.attached.update(transaction, files[index]);
    }
    for (const std::size_t index : files_to_close(files, kept, limits.open)) {
        close(transaction, files[index]);
        closed.for_room.push_back(files[index].file_name);
    }
    co_await parts_.database.commit(std::move(transaction));
    co_return closed;
}

awaitable<void> FileViews::fit(storage::Transaction& transaction, Agent agent) const {
    const FileLimits limits = file_limits(agent);
    std::vector<AttachedFile> files = co_await parts_.attached.of_agent(agent.id);
    const std::vector<std::string> none;
    for (const std::size_t index : files_to_close(files, none, limits.open)) close(transaction, files[index]);
    for (AttachedFile& file : files) {
        if (!file.is_open) continue;
        const auto stored = co_await parts_.files.find(agent.organization_id, file.file_id);
        if (!stored) continue;
        const std::optional<Timestamp> looked_at = file.last_accessed_at;
        const ViewWindow window = window_of(file);
        co_await show(file, stored->kind, window, limits.characters);
        file.last_accessed_at = looked_at;
        parts_.attached.update(transaction, file);
    }
}

}  // namespace stele::runtime
