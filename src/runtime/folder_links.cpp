#include "runtime/folder_links.hpp"

#include "base/ids.hpp"
#include "tools/builtin/tables.hpp"

#include <algorithm>

namespace stele::runtime {

using boost::asio::awaitable;

awaitable<NewFolders> FolderLinks::prepare(Agent agent, std::vector<AttachedFile> present,
                                           std::vector<std::string> ids) const {
    NewFolders made;
    made.folders = co_await parts_.folders.demand_all(agent.organization_id, std::move(ids));
    if (made.folders.empty()) co_return made;
    std::vector<FileMetadata> files;
    for (const Folder& folder : made.folders) {
        std::vector<FileMetadata> some = co_await parts_.files.all_of_folder(folder.id);
        files.insert(files.end(), std::make_move_iterator(some.begin()), std::make_move_iterator(some.end()));
    }
    made.files = co_await parts_.views.first_views(agent, std::move(present), std::move(files));
    made.tools = co_await file_tools(agent.organization_id);
    co_return made;
}

awaitable<std::vector<Tool>> FolderLinks::file_tools(std::string organization_id) const {
    std::vector<std::string> names;
    for (const tools::BuiltinTool& tool : tools::file_tools()) names.emplace_back(tool.name);
    std::vector<Tool> found = co_await parts_.tools.find_by_names(std::move(organization_id), std::move(names));
    std::erase_if(found, [](const Tool& tool) { return tool.tool_type != "letta_files_core"; });
    co_return found;
}

awaitable<void> FolderLinks::add_default_folder(NewFolders& made, Agent agent, std::string actor) const {
    Folder folder;
    folder.id = new_id("source");
    folder.organization_id = agent.organization_id;
    folder.name = agent.name + " External Data Source";
    const auto taken = co_await parts_.folders.find_by_name(agent.organization_id, folder.name);
    if (taken) folder.name += "_" + random_hex(4);
    folder.embedding_config = agent.embedding_config;
    folder.created_by_id = folder.last_updated_by_id = std::move(actor);
    folder.created_at = folder.updated_at = now();
    made.tools = co_await file_tools(agent.organization_id);
    made.folders.push_back(folder);
    made.fresh = std::move(folder);
}

awaitable<void> FolderLinks::fit(storage::Transaction& transaction, Agent agent) const {
    if (agent.folder_count > 0) co_await parts_.views.fit(transaction, std::move(agent));
}

void FolderLinks::add(storage::Transaction& transaction, const std::string& agent_id, const NewFolders& made) const {
    if (made.fresh) parts_.folders.insert(transaction, *made.fresh);
    for (const Folder& folder : made.folders) parts_.folders.attach(transaction, agent_id, folder.id);
    for (const AttachedFile& file : made.files) parts_.attached.insert(transaction, agent_id, file);
    for (const Tool& tool : made.tools) parts_.tools.attach(transaction, agent_id, tool.id);
}

void FolderLinks::detach(storage::Transaction& transaction, const std::string& agent_id,
                         const std::string& folder_id) const {
    parts_.folders.detach(transaction, agent_id, folder_id);
}

awaitable<bool> FolderLinks::replace(storage::Transaction& transaction, Agent agent,
                                     std::vector<std::string> ids) const {
    const std::vector<Folder> before = co_await parts_.folders.of_agent(agent.id);
    std::vector<AttachedFile> present = co_await parts_.attached.of_agent(agent.id);
    std::vector<std::string> fresh;
    for (const std::string& id : ids)
        if (std::none_of(before.begin(), before.end(), [&](const Folder& folder) { return folder.id == id; }))
            fresh.push_back(id);
    std::vector<std::string> gone;
    for (const Folder& folder : before)
        if (std::find(ids.begin(), ids.end(), folder.id) == ids.end()) gone.push_back(folder.id);
    std::erase_if(present, [&](const AttachedFile& file) {
        return std::find(gone.begin(), gone.end(), file.folder_id) != gone.end();
    });
    const std::string agent_id = agent.id;
    const NewFolders made = co_await prepare(std::move(agent), std::move(present), std::move(fresh));
    for (const std::string& id : gone) detach(transaction, agent_id, id);
    add(transaction, agent_id, made);
    co_return !gone.empty() || !made.folders.empty();
}

}  // namespace stele::runtime
