#include "runtime/folder_service.hpp"

#include "base/ids.hpp"
#include "domain/archive.hpp"

#include <algorithm>
#include <limits>

namespace stele::runtime {
namespace {

using boost::asio::awaitable;

void set_embedding(const llm::Catalogue& catalogue, const ModelDefaults& defaults, const SourceCreate& request,
                   Folder& folder) {
    if (request.embedding_config.has_value()) {
        folder.embedding_config = *request.embedding_config;
    } else {
        const std::string handle = request.embedding.value_or(defaults.embedding);
        const auto listing = catalogue.find_embedding(folder.organization_id, handle);
        if (!listing && request.embedding.has_value())
            throw refused("Embedding handle " + handle +
                          " not found: no configured provider offers it. GET /v1/models/embedding lists what is there");
        if (listing) folder.embedding_config = config_of(*listing, handle);
    }
    if (folder.embedding_config && request.embedding_chunk_size.has_value())
        folder.embedding_config->embedding_chunk_size = *request.embedding_chunk_size;
}

auto with_id(std::vector<AttachedFile>& files, const std::string& file_id) {
    return std::find_if(files.begin(), files.end(),
                        [&](const AttachedFile& file) { return file.file_id == file_id || file.id == file_id; });
}

}  // namespace

awaitable<Folder> FolderService::create(std::string organization_id, std::string actor, SourceCreate request) const {
    Folder folder;
    folder.id = new_id("source");
    folder.organization_id = std::move(organization_id);
    folder.name = request.name;
    folder.description = request.description.optional();
    folder.instructions = request.instructions.optional();
    folder.metadata = request.metadata.value_or(Json{});
    folder.created_by_id = folder.last_updated_by_id = std::move(actor);
    folder.created_at = folder.updated_at = now();
    set_embedding(parts_.catalogue, parts_.defaults, request, folder);
    storage::Transaction transaction;
    parts_.folders.insert(transaction, folder);
    co_await parts_.database.commit(std::move(transaction));
    co_return folder;
}

awaitable<Folder> FolderService::get(std::string organization_id, std::string id) const {
    auto folder = co_await parts_.folders.find(std::move(organization_id), id);
    if (!folder) throw not_found("Folder", id);
    co_return std::move(*folder);
}

awaitable<Folder> FolderService::update(std::string organization_id, std::string actor, std::string id,
                                        SourceUpdate request) const {
    Folder folder = co_await get(organization_id, std::move(id));
    const std::string embedding_before = embedding_key(folder.embedding_config);
    if (!apply(request, folder)) co_return folder;
    const bool embeds_anew = embedding_key(folder.embedding_config) != embedding_before;
    folder.updated_at = now();
    folder.last_updated_by_id = std::move(actor);
    storage::Transaction transaction;
    parts_.folders.update(transaction, folder);
    if (embeds_anew) parts_.vectors.want(transaction, organization_id, folder.id, folder.embedding_config);
    co_await parts_.database.commit(std::move(transaction));
    if (embeds_anew) parts_.worker.wake();
    std::vector<std::string> agents = co_await parts_.folders.agents(organization_id, folder.id);
    co_await refresh(std::move(organization_id), std::move(agents));
    co_return folder;
}

awaitable<void> FolderService::remove(std::string organization_id, std::string id) const {
    const Folder folder = co_await get(organization_id, std::move(id));
    std::vector<std::string> agents = co_await parts_.folders.agents(organization_id, folder.id);
    storage::Transaction transaction;
    storage::PassageRepository::remove_some(transaction, folder.id, std::numeric_limits<std::int64_t>::max());
    parts_.folders.remove(transaction, folder);
    co_await parts_.database.commit(std::move(transaction));
    co_await refresh(std::move(organization_id), std::move(agents));
}

awaitable<Agent> FolderService::find_agent(std::string organization_id, std::string id) const {
    auto agent = co_await parts_.agents.find(std::move(organization_id), id);
    if (!agent) throw not_found("Agent", id);
    co_return std::move(*agent);
}

awaitable<void> FolderService::attach(std::string organization_id, std::string agent_id, std::string folder_id) const {
    const Agent agent = co_await find_agent(organization_id, std::move(agent_id));
    std::vector<AttachedFile> present = co_await parts_.attached.of_agent(agent.id);
    std::vector<std::string> ids{std::move(folder_id)};
    const NewFolders made = co_await parts_.links.prepare(agent, std::move(present), std::move(ids));
    storage::Transaction transaction;
    parts_.links.add(transaction, agent.id, made);
    co_await parts_.database.commit(std::move(transaction));
    co_await parts_.links.views().catch_up(agent);
    std::vector<std::string> agents{agent.id};
    co_await refresh(std::move(organization_id), std::move(agents));
}

awaitable<void> FolderService::detach(std::string organization_id, std::string agent_id, std::string folder_id) const {
    const Agent agent = co_await find_agent(organization_id, std::move(agent_id));
    const Folder folder = co_await get(organization_id, std::move(folder_id));
    storage::Transaction transaction;
    parts_.links.detach(transaction, agent.id, folder.id);
    co_await parts_.database.commit(std::move(transaction));
    std::vector<std::string> agents{agent.id};
    co_await refresh(std::move(organization_id), std::move(agents));
}

awaitable<std::vector<std::string>> FolderService::open_file(std::string organization_id, std::string agent_id,
                                                             std::string file_id) const {
    const Agent agent = co_await find_agent(organization_id, std::move(agent_id));
    std::vector<AttachedFile> files = co_await parts_.attached.of_agent(agent.id);
    const auto file = with_id(files, file_id);
    if (file == files.end()) throw not_found("File", file_id);
    FileViews::Wanted whole;
    whole.file_id = file->file_id;
    std::vector<FileViews::Wanted> wanted{std::move(whole)};
    FileViews::Closed closed = co_await parts_.links.views().open(agent, files, std::move(wanted), false);
    std::vector<std::string> agents{agent.id};
    co_await refresh(std::move(organization_id), std::move(agents));
    co_return std::move(closed.for_room);
}

awaitable<void> FolderService::close_file(std::string organization_id, std::string agent_id,
                                          std::string file_id) const {
    const Agent agent = co_await find_agent(organization_id, std::move(agent_id));
    std::vector<AttachedFile> files = co_await parts_.attached.of_agent(agent.id);
    const auto file = with_id(files, file_id);
    if (file == files.end()) throw not_found("File", file_id);
    if (!file->is_open) co_return;
    storage::Transaction transaction;
    parts_.links.views().close(transaction, *file);
    co_await parts_.database.commit(std::move(transaction));
    std::vector<std::string> agents{agent.id};
    co_await refresh(std::move(organization_id), std::move(agents));
}

awaitable<std::vector<std::string>> FolderService::close_all_files(std::string organization_id,
                                                                   std::string agent_id) const {
    const Agent agent = co_await find_agent(organization_id, std::move(agent_id));
    std::vector<AttachedFile> files = co_await parts_.attached.of_agent(agent.id);
    std::vector<std::string> closed;
    storage::Transaction transaction;
    for (AttachedFile& file : files) {
        if (!file.is_open) continue;
        parts_.links.views().close(transaction, file);
        closed.push_back(file.file_name);
    }
    if (closed.empty()) co_return closed;
    co_await parts_.database.commit(std::move(transaction));
    std::vector<std::string> agents{agent.id};
    co_await refresh(std::move(organization_id), std::move(agents));
    co_return closed;
}

awaitable<void> FolderService::refresh(std::string organization_id, std::vector<std::string> agent_ids) const {
    for (const std::string& id : agent_ids) {
        const auto refreshed = co_await parts_.runtime.load_refreshed(organization_id, id, std::string());
        static_cast<void>(refreshed);
    }
}

}  // namespace stele::runtime
