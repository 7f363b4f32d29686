#include "llm/catalogue.hpp"

#include "base/log.hpp"
#include "llm/hash_embedding.hpp"
#include "llm/offline_model.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

namespace stele::llm {
namespace {

namespace asio = boost::asio;
using asio::awaitable;

constexpr auto first_retry = std::chrono::seconds(2);
constexpr auto longest_retry = std::chrono::seconds(60);
constexpr std::int64_t on_demand_interval_ms = 1'000;

std::int64_t now_ms() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

ModelListing offline_listing() {
    ModelListing listing;
    listing.handle = "stele/offline";
    listing.name = listing.display_name = listing.model = "offline";
    listing.provider_type = listing.provider_name = listing.model_endpoint_type = "stele";
    listing.context_window = listing.max_context_window = 128'000;
    return listing;
}

EmbeddingListing hash_listing() {
    EmbeddingListing listing;
    listing.handle = "stele/hash";
    listing.name = listing.display_name = listing.embedding_model = "hash";
    listing.provider_type = listing.provider_name = listing.embedding_endpoint_type = "stele";
    listing.embedding_dim = hash_embedding_dim;
    return listing;
}

Error not_spoken(const EndpointConfig& config, const std::string& handle) {
    return refused("Handle " + handle + ": this server can't run agents on models of the provider type '" +
                   config.kind + "' yet. It passes calls in that protocol on, below /v1/" + config.kind +
                   "; for agents take a provider that offers the model by chat completions");
}

std::string name_in(const std::string& handle) { return handle.substr(0, handle.find('/')); }

// "openai-proxy/x" -> "openai/x", unless there is a server of that name.
std::string without_proxy(std::string handle) {
    constexpr std::string_view proxy = "openai-proxy/";
    return handle.starts_with(proxy) ? "openai/" + handle.substr(proxy.size()) : std::move(handle);
}

}  // namespace

/// A configured server and what it offers.
struct Catalogue::Server : ModelServer {
    using ModelServer::ModelServer;

    // Under the catalogue's mutex.
    bool listed = false;  ///< the last listing succeeded
    bool complained = false;
    std::int64_t asked_ms = 0;  ///< when the last listing came to its end, well or not
    std::vector<std::shared_ptr<const ModelListing>> models;
    std::vector<EmbeddingListing> embeddings;
};

Catalogue::Catalogue(net::HttpClient& client, net::HttpClient& egress, std::vector<EndpointConfig> endpoints,
                     CatalogueOptions options)
    : egress_(egress),
      options_(std::move(options)),
      offline_(std::make_shared<OfflineModel>()),
      hash_(std::make_shared<HashEmbedder>()) {
    for (EndpointConfig& config : endpoints)
        servers_.push_back(std::make_shared<Server>(client, std::move(config), options_.servers));
    const std::lock_guard lock(mutex_);
    publish();
}

Catalogue::~Catalogue() = default;

bool Catalogue::has_batches() const {
    const auto all = servers();
    return std::any_of(all.begin(), all.end(),
                       [](const auto& server) { return server->provider().batches() != nullptr; });
}

bool Catalogue::has_servers() const { return !servers().empty(); }

bool Catalogue::has_base_server(const std::string& name) const {
    if (name == offline_listing().provider_name) return true;
    const auto all = servers();
    return std::any_of(all.begin(), all.end(), [&](const auto& server) {
        return server->config().organization_id.empty() && server->config().name == name;
    });
}

std::vector<std::shared_ptr<Catalogue::Server>> Catalogue::servers() const {
    const std::lock_guard lock(mutex_);
    return servers_;
}

void Catalogue::put(EndpointConfig config) {
    auto server = std::make_shared<Server>(egress_, std::move(config), options_.servers);
    const std::lock_guard lock(mutex_);
    std::erase_if(servers_, [&](const auto& each) { return each->config().id == server->config().id; });
    servers_.push_back(std::move(server));
    publish();
}

void Catalogue::remove(const std::string& id) {
    const std::lock_guard lock(mutex_);
    std::erase_if(servers_, [&](const auto& each) { return each->config().id == id; });
    publish();
}

void Catalogue::remove_of(const std::string& organization_id) {
    const std::lock_guard lock(mutex_);
    std::erase_if(servers_, [&](const auto& each) { return each->config().organization_id == organization_id; });
    publish();
}

awaitable<void> Catalogue::probe(EndpointConfig config) const {
    const ModelServer server(egress_, std::move(config), options_.servers);
    const std::vector<ListedModel> listed = co_await server.list();
    static_cast<void>(listed);
}

awaitable<void> Catalogue::refresh_one(std::string id) {
    const auto all = servers();
    for (const auto& server : all) {
        if (server->config().id != id) continue;
        const auto failure = co_await ask(*server);
        if (failure) throw *failure;
    }
}

std::shared_ptr<const AvailableModels> Catalogue::available(const std::string& organization_id) const {
    const std::lock_guard lock(mutex_);
    const auto own = available_.find(organization_id);
    return own != available_.end() ? own->second : available_.at(std::string());
}

// Under the mutex. Whoever brings no servers of its own sees what is there for everybody.
void Catalogue::publish() {
    available_.clear();
    by_handle_.clear();
    std::vector<std::string> organizations{std::string()};
    for (const auto& server : servers_) organizations.push_back(server->config().organization_id);
    for (const std::string& organization_id : organizations) {
        if (available_.contains(organization_id)) continue;
        auto all = std::make_shared<AvailableModels>();
        auto& handles = by_handle_[organization_id];
        const auto add = [&](std::shared_ptr<const ModelListing> listing, std::shared_ptr<Provider> provider) {
            ResolvedModel resolved;
            resolved.model = listing->model;
            resolved.provider = std::move(provider);
            resolved.listing = listing;
            if (handles.emplace(listing->handle, std::move(resolved)).second) all->models.push_back(std::move(listing));
        };
        for (const auto& server : servers_) {
            const std::string& owner = server->config().organization_id;
            if (!owner.empty() && owner != organization_id) continue;
            for (const auto& listing : server->models)
                add(listing, std::shared_ptr<Provider>(server, &server->provider()));
            all->embeddings.insert(all->embeddings.end(), server->embeddings.begin(), server->embeddings.end());
        }
        add(std::make_shared<const ModelListing>(offline_listing()), offline_);
        all->embeddings.push_back(hash_listing());
        available_[organization_id] = std::move(all);
    }
}

std::optional<ResolvedModel> Catalogue::find(const std::string& organization_id, const std::string& handle) const {
    const std::lock_guard lock(mutex_);
    return look_up(organization_id, handle);
}

// Under the mutex.
std::optional<ResolvedModel> Catalogue::look_up(const std::string& organization_id, const std::string& handle) const {
    const auto own = by_handle_.find(organization_id);
    const auto& handles = own != by_handle_.end() ? own->second : by_handle_.at(std::string());
    auto found = handles.find(handle);
    if (found == handles.end()) found = handles.find(handle + ":latest");  // Ollama's word for "no tag"
    return found == handles.end() ? std::nullopt : std::optional(found->second);
}

std::shared_ptr<Catalogue::Server> Catalogue::server_of(const std::string& organization_id,
                                                        const std::string& handle) const {
    const std::string name = name_in(handle);
    const std::lock_guard lock(mutex_);
    for (const auto& server : servers_) {
        const std::string& owner = server->config().organization_id;
        if (server->config().name == name && (owner.empty() || owner == organization_id)) return server;
    }
    return nullptr;
}

awaitable<std::optional<ResolvedModel>> Catalogue::resolve(std::string organization_id, std::string handle) {
    std::shared_ptr<Server> server = server_of(organization_id, handle);
    if (server == nullptr) {
        handle = without_proxy(std::move(handle));
        server = server_of(organization_id, handle);
    }
    if (server == nullptr) co_return find(organization_id, handle);
    if (!server->talks()) throw not_spoken(server->config(), handle);
    bool again = false;
    {
        const std::lock_guard lock(mutex_);
        if (auto known = look_up(organization_id, handle)) co_return known;
        again = now_ms() - server->asked_ms > on_demand_interval_ms;
    }
    if (again) static_cast<void>(co_await ask(*server));
    // Looked at together: the list may have come in on another thread at any time before.
    const std::lock_guard lock(mutex_);
    if (auto known = look_up(organization_id, handle)) co_return known;
    if (server->listed) co_return std::nullopt;
    ResolvedModel unlisted;
    unlisted.model = handle.substr(handle.find('/') + 1);
    if (unlisted.model.empty() || unlisted.model == handle) co_return std::nullopt;
    unlisted.listing = server->listing_of(unlisted.model, std::nullopt);
    unlisted.provider = std::shared_ptr<Provider>(server, &server->provider());
    co_return unlisted;
}

std::optional<EmbeddingListing> Catalogue::find_embedding(std::string organization_id, std::string handle) const {
    if (server_of(organization_id, handle) == nullptr) handle = without_proxy(std::move(handle));
    const auto all = available(organization_id);
    for (const EmbeddingListing& listing : all->embeddings)
        if (listing.handle == handle) return listing;
    // A server that does not list its embedding models may have them all the same.
    const std::shared_ptr<Server> server = server_of(organization_id, handle);
    const std::string model = handle.substr(handle.find('/') + 1);
    if (server == nullptr) return std::nullopt;
    const std::lock_guard lock(mutex_);
    if (!known_embedding_dim(model) && server->listed) return std::nullopt;
    ListedModel unlisted;
    unlisted.id = model;
    return server->embedding_of(unlisted);
}

std::optional<ResolvedEmbedder> Catalogue::embedder(const std::string& organization_id,
                                                    const EmbeddingConfig& config) const {
    std::string handle = config.handle.value_or(config.embedding_endpoint_type + "/" + config.embedding_model);
    ResolvedEmbedder resolved;
    if (handle == hash_listing().handle) {
        resolved.embedder = hash_;
        resolved.built_in = true;
        return resolved;
    }
    std::shared_ptr<Server> server = server_of(organization_id, handle);
    if (server == nullptr) {
        handle = without_proxy(std::move(handle));
        server = server_of(organization_id, handle);
    }
    if (server == nullptr) return std::nullopt;
    resolved.embedder = std::shared_ptr<Embedder>(server, &server->embedder());
    resolved.model = config.embedding_model;
    return resolved;
}

awaitable<std::optional<Error>> Catalogue::ask(Server& server) {
    std::optional<Error> failure;
    std::vector<ListedModel> listed;
    try {
        listed = co_await server.list();
    } catch (const Error& error) {
        if (error.code == ErrorCode::cancelled) throw;
        failure = error;
    }
    const std::lock_guard lock(mutex_);
    server.listed = !failure;
    server.asked_ms = now_ms();
    if (failure) {
        if (!std::exchange(server.complained, true))
            log::warn("models.listing_failed", {{"provider", server.config().name}, {"why", failure->what()}});
        co_return failure;
    }
    server.complained = false;
    server.models.clear();
    server.embeddings.clear();
    for (const ListedModel& model : listed) {
        if (model.embedding)
            server.embeddings.push_back(server.embedding_of(model));
        else if (server.offers(model))
            server.models.push_back(server.listing_of(model.id, model.context_window));
    }
    publish();
    co_return std::nullopt;
}

awaitable<void> Catalogue::refresh() {
    if (refreshing_.exchange(true)) co_return;
    const auto all = servers();
    try {
        for (const auto& server : all) static_cast<void>(co_await ask(*server));
    } catch (...) {
        refreshing_ = false;
        throw;
    }
    refreshing_ = false;
}

awaitable<void> Catalogue::keep_fresh() {
    asio::steady_timer timer(co_await asio::this_coro::executor);
    std::chrono::seconds retry = first_retry;
    for (;;) {
        co_await refresh();
        bool all_listed = true;
        {
            const std::lock_guard lock(mutex_);
            for (const auto& server : servers_) all_listed = all_listed && server->listed;
        }
        timer.expires_after(all_listed ? options_.refresh_interval : retry);
        retry = all_listed ? first_retry : std::min(retry * 2, longest_retry);
        co_await timer.async_wait(asio::use_awaitable);
    }
}

}  // namespace stele::llm
