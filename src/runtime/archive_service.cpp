#include "runtime/archive_service.hpp"

namespace stele::runtime {
namespace {

using boost::asio::awaitable;

}  // namespace

std::optional<EmbeddingConfig> ArchiveService::resolve(const std::string& organization_id,
                                                       const std::string& handle) const {
    const auto listing = parts_.catalogue.find_embedding(organization_id, handle);
    if (!listing)
        throw Error(ErrorCode::invalid_argument, "Embedding handle " + handle +
                                                     " not found: no configured provider offers it. "
                                                     "GET /v1/models/embedding lists what is there");
    return config_of(*listing, handle);
}

Archive ArchiveService::make(storage::Transaction& transaction, ArchiveCreateRequest request,
                             const std::string& organization_id, const std::string& actor) const {
    std::optional<EmbeddingConfig> config;
    if (request.embedding_config.has_value())
        config = *request.embedding_config;
    else if (request.embedding.has_value())
        config = resolve(organization_id, *request.embedding);
    else if (!request.embedding.null() && !parts_.defaults.embedding.empty())
        config = resolve(organization_id, parts_.defaults.embedding);
    Archive archive = make_archive(std::move(request), organization_id, actor);
    archive.embedding_config = std::move(config);
    parts_.archives.insert(transaction, archive);
    return archive;
}

awaitable<Archive> ArchiveService::of_agent_or_new(storage::Transaction& transaction, Agent agent,
                                                   std::string actor) const {
    auto known = co_await parts_.archives.of_agent(agent.organization_id, agent.id);
    if (known) co_return std::move(*known);
    ArchiveCreateRequest request;
    request.name = agent.name + "'s Archive";
    request.description = "Archival memory of " + agent.name;
    Archive archive = make_archive(std::move(request), agent.organization_id, actor);
    archive.embedding_config = agent.embedding_config;
    parts_.archives.insert(transaction, archive);
    parts_.archives.attach(transaction, agent.id, archive.id);
    co_return archive;
}

void ArchiveService::change_embedding(storage::Transaction& transaction, Archive& archive,
                                      std::optional<EmbeddingConfig> config) const {
    if (embedding_key(archive.embedding_config) != embedding_key(config))
        parts_.vectors.want(transaction, archive.organization_id, archive.id, config);
    archive.embedding_config = std::move(config);
}

awaitable<Archive> ArchiveService::update(Archive archive, ArchiveUpdateRequest update, std::string actor) const {
    storage::Transaction transaction;
    const std::string before = to_json(archive);
    apply(update, archive);
    if (update.embedding_config.has_value()) {
        change_embedding(transaction, archive, *update.embedding_config);
    } else if (update.embedding.has_value()) {
        auto config = resolve(archive.organization_id, *update.embedding);
        change_embedding(transaction, archive, std::move(config));
    } else if (update.embedding.null() || update.embedding_config.null()) {
        change_embedding(transaction, archive, std::nullopt);
    }
    if (to_json(archive) == before) co_return archive;
    archive.updated_at = now();
    archive.last_updated_by_id = std::move(actor);
    parts_.archives.update(transaction, archive);
    co_await parts_.database.commit(std::move(transaction));
    parts_.worker.wake();
    co_return archive;
}

awaitable<void> ArchiveService::follow_agent(storage::Transaction& transaction, Agent agent, std::string actor) const {
    auto archive = co_await parts_.archives.of_agent(agent.organization_id, agent.id);
    if (!archive || embedding_key(archive->embedding_config) == embedding_key(agent.embedding_config)) co_return;
    const std::int64_t owners = co_await parts_.archives.count_agents(archive->id);
    if (owners > 1) co_return;
    change_embedding(transaction, *archive, agent.embedding_config);
    archive->updated_at = now();
    archive->last_updated_by_id = std::move(actor);
    parts_.archives.update(transaction, *archive);
}

}  // namespace stele::runtime
