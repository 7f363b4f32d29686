// The folders and files of an agent file, and which of them its agents have open.
#include "base/ids.hpp"
#include "base/positions.hpp"
#include "domain/file_name.hpp"
#include "runtime/agent_file_folders.hpp"
#include "runtime/agent_import.hpp"
#include "storage/trash.hpp"

#include <algorithm>
#include <limits>

namespace stele::runtime {

using boost::asio::awaitable;

void AgentFiles::store_content(storage::Transaction& transaction, const FileDocument& file, const std::string& id,
                               const std::string& content) const {
    if (file.image_type.empty()) return parts_.files.set_text(transaction, id, content);
    parts_.files.set_bytes(transaction, id, content);
}

// They are made anew; their files are worked on behind the import.
awaitable<void> AgentFiles::import_folders(Import& at) const {
    const bool streams_texts =
        !at.whole && std::any_of(at.file.files.begin(), at.file.files.end(),
                                 [](const FileDocument& each) { return each.content.has_value(); });
    for (const FileFolder& from : at.file.sources) {
        Folder folder = folder_of(from, at.organization_id, at.actor);
        const auto taken = co_await parts_.folders.find_by_name(at.organization_id, folder.name);
        const bool twice = std::any_of(at.folders.begin(), at.folders.end(),
                                       [&](const auto& each) { return each.second.name == folder.name; });
        if (taken || twice) folder.name += "_" + random_hex(4);
        if (at.options.embedding)
            folder.embedding_config = parts_.agent_service.embedding_config(at.organization_id, *at.options.embedding);
        at.folders.emplace(from.id, std::move(folder));
    }
    for (auto& [file_id, folder] : at.folders) {
        if (!streams_texts) {
            parts_.folders.insert(at.transaction, folder);
            continue;
        }
        Folder hidden = folder;
        hidden.organization_id = storage::trash_organization_id;
        hidden.name = folder.id;  // no other there has it
        parts_.folders.insert(at.stage, hidden);
        parts_.imports.stage(at.stage, at.organization_id, "folder", folder.id);
        parts_.imports.release(at.transaction, folder);
        at.staged_ids.push_back(folder.id);
    }
    for (std::size_t number = 0; number < at.file.files.size(); ++number) {
        const FileDocument& from = at.file.files[number];
        const Folder& folder = at.folders.at(from.source_id);
        FileMetadata file = file_of(from, folder, at.actor);
        file.created_at = file.updated_at = from_micros(next_position());  // their order in the folder
        const std::string name = *file.file_name;
        const auto is_taken = [&] {
            return std::any_of(at.files.begin(), at.files.end(), [&](const auto& each) {
                return each.second.source_id == folder.id && each.second.file_name == file.file_name;
            });
        };
        for (std::size_t again = 1; is_taken(); ++again) file.file_name = numbered_file_name(name, again);
        if (streams_texts) {
            FileMetadata hidden = file;
            hidden.organization_id = storage::trash_organization_id;
            hidden.processing_status = FileStatus::completed;  // nobody works on it yet
            parts_.files.insert(at.stage, hidden);
            parts_.imports.release(at.transaction, file);
            if (from.content) at.staged_files.emplace(number, file.id);
        } else {
            parts_.files.insert(at.transaction, file);
            if (from.content) store_content(at.transaction, from, file.id, *from.content);
        }
        at.files.emplace(from.id, std::move(file));
    }
}

// What is open, and what it shows, is as in the file, as far as the agent may have files open.
awaitable<NewFolders> AgentFiles::folders_of(const Import& at, const FileAgent& from) const {
    NewFolders made;
    if (from.links.source_ids.empty()) co_return made;
    made.tools = co_await parts_.folder_links.file_tools(at.organization_id);
    const std::int64_t most = from.request.max_files_open.value_or(std::numeric_limits<std::int64_t>::max());
    std::int64_t open = 0;
    for (const std::string& id : from.links.source_ids) {
        made.folders.push_back(at.folders.at(id));
        for (const auto& [file_id, file] : at.files) {
            if (file.source_id != made.folders.back().id || !file.has_text) continue;
            AttachedFile& attached = made.files.emplace_back();
            attached.id = new_id("file_agent");
            attached.file_id = file.id;
            attached.file_name = file.full_name();
            attached.folder_id = file.source_id;
            attached.folder_name = file.folder_name;
            for (const FileAttachment& was : from.links.files_agents) {
                if (was.file_id != file_id) continue;
                attached.last_accessed_at = was.last_accessed_at;
                attached.is_open = was.is_open && was.visible_content && open < most;
                if (!attached.is_open) continue;
                ++open;
                attached.visible_content = was.visible_content;
                attached.start_line = was.start_line;
                attached.end_line = was.end_line;
            }
        }
    }
    co_return made;
}

}  // namespace stele::runtime
