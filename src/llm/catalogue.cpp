#include "llm/catalogue.hpp"

#include "base/json_text.hpp"
#include "base/log.hpp"
#include "llm/hash_embedding.hpp"
#include "llm/model_listing.hpp"
#include "llm/offline_model.hpp"
#include "net/url.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

namespace stele::llm {
namespace {

namespace asio = boost::asio;
using asio::awaitable;

constexpr std::int64_t unknown_window = 30'000;
constexpr std::int64_t unknown_dimension = 1'536;
constexpr std::int64_t output_tokens_max = 16'384;
constexpr auto listing_timeout = std::chrono::seconds(5);
constexpr auto first_retry = std::chrono::seconds(2);
constexpr auto longest_retry = std::chrono::seconds(60);
constexpr std::int64_t on_demand_interval_ms = 1'000;

std::int64_t now_ms() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

// "http://host:11434/v1" -> "http://host:11434": the native APIs live beside /v1.
std::string root_of(const std::string& base_url) {
    return base_url.ends_with("/v1") ? base_url.substr(0, base_url.size() - 3) : base_url;
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

}  // namespace

/// A configured server and what it offers.
struct Catalogue::Server {
    EndpointConfig config;
    ProviderKind kind;
    std::string base_url;
    std::unique_ptr<Provider> provider;
    bool listed = false;  ///< the last listing succeeded
    bool complained = false;
    std::int64_t asked_ms = 0;  ///< when the last listing came to its end, well or not
    std::vector<std::shared_ptr<const ModelListing>> models;
    std::vector<EmbeddingListing> embeddings;

    bool official() const { return base_url.starts_with("https://api.openai.com/"); }

    std::shared_ptr<const ModelListing> listing_of(const std::string& id, std::optional<std::int64_t> window) const {
        auto listing = std::make_shared<ModelListing>();
        listing->handle = config.name + "/" + id;
        listing->name = listing->display_name = listing->model = id;
        listing->provider_type = config.kind;
        listing->provider_name = config.name;
        listing->model_endpoint = base_url;
        if (!window) window = config.context_window;
        if (!window) window = known_context_window(id.substr(id.rfind('/') + 1));
        listing->context_window = listing->max_context_window = window.value_or(unknown_window);
        listing->max_tokens =
            std::min<std::int64_t>(output_tokens_max, std::max<std::int64_t>(listing->context_window / 2, 1));
        return listing;
    }

    EmbeddingListing embedding_of(const ListedModel& model) const {
        EmbeddingListing listing;
        listing.handle = config.name + "/" + model.id;
        listing.name = listing.display_name = listing.embedding_model = model.id;
        listing.provider_type = config.kind;
        listing.provider_name = config.name;
        listing.embedding_endpoint = base_url;
        listing.embedding_dim =
            model.embedding_dim ? *model.embedding_dim : known_embedding_dim(model.id).value_or(unknown_dimension);
        return listing;
    }
};

Catalogue::Catalogue(net::HttpClient& client, std::vector<EndpointConfig> endpoints, CatalogueOptions options)
    : client_(client), options_(options), offline_(std::make_unique<OfflineModel>()) {
    for (EndpointConfig& config : endpoints) {
        const ProviderKind* kind = find_provider_kind(config.kind);
        if (kind == nullptr)
            throw Error(ErrorCode::invalid_argument, "There is no kind of provider called '" + config.kind + "'");
        auto server = std::make_unique<Server>();
        server->kind = *kind;
        server->base_url = base_url_of(config.base_url, kind->below_v1);
        ChatEndpoint endpoint;
        endpoint.base_url = server->base_url;
        endpoint.key = config.key;
        endpoint.key_scheme = kind->key_scheme;
        endpoint.quirks = kind->quirks;
        endpoint.batches =
            options.batches && config.batches.value_or(kind->batches && server->base_url == kind->default_url);
        endpoint.silence_timeout = options.silence_timeout;
        endpoint.answer_timeout = options.answer_timeout;
        server->provider = std::make_unique<OpenAiChat>(client, std::move(endpoint));
        server->config = std::move(config);
        servers_.push_back(std::move(server));
    }
    const std::lock_guard lock(mutex_);
    publish();
}

Catalogue::~Catalogue() = default;

bool Catalogue::has_batches() const {
    return std::any_of(servers_.begin(), servers_.end(),
                       [](const auto& server) { return server->provider->batches() != nullptr; });
}

std::shared_ptr<const AvailableModels> Catalogue::available() const {
    const std::lock_guard lock(mutex_);
    return available_;
}

// Under the mutex.
void Catalogue::publish() {
    auto all = std::make_shared<AvailableModels>();
    by_handle_.clear();
    const auto add = [&](std::shared_ptr<const ModelListing> listing, Provider* provider) {
        ResolvedModel resolved;
        resolved.model = listing->model;
        resolved.provider = provider;
        resolved.listing = listing;
        if (by_handle_.emplace(listing->handle, std::move(resolved)).second) all->models.push_back(std::move(listing));
    };
    for (const auto& server : servers_) {
        for (const auto& listing : server->models) add(listing, server->provider.get());
        all->embeddings.insert(all->embeddings.end(), server->embeddings.begin(), server->embeddings.end());
    }
    add(std::make_shared<const ModelListing>(offline_listing()), offline_.get());
    all->embeddings.push_back(hash_listing());
    available_ = std::move(all);
}

std::optional<ResolvedModel> Catalogue::find(const std::string& handle) const {
    const std::lock_guard lock(mutex_);
    return look_up(handle);
}

// Under the mutex.
std::optional<ResolvedModel> Catalogue::look_up(const std::string& handle) const {
    auto found = by_handle_.find(handle);
    if (found == by_handle_.end()) found = by_handle_.find(handle + ":latest");  // Ollama's word for "no tag"
    return found == by_handle_.end() ? std::nullopt : std::optional(found->second);
}

Catalogue::Server* Catalogue::server_of(const std::string& handle) const {
    const std::string name = handle.substr(0, handle.find('/'));
    for (const auto& server : servers_)
        if (server->config.name == name) return server.get();
    return nullptr;
}

awaitable<std::optional<ResolvedModel>> Catalogue::resolve(std::string handle) {
    constexpr std::string_view proxy = "openai-proxy/";
    if (handle.starts_with(proxy) && server_of(handle) == nullptr) handle = "openai/" + handle.substr(proxy.size());
    Server* server = server_of(handle);
    if (server == nullptr) co_return find(handle);
    bool again = false;
    {
        const std::lock_guard lock(mutex_);
        if (auto known = look_up(handle)) co_return known;
        again = now_ms() - server->asked_ms > on_demand_interval_ms;
    }
    if (again) co_await ask(*server);
    // Looked at together: the list may have come in on another thread at any time before.
    const std::lock_guard lock(mutex_);
    if (auto known = look_up(handle)) co_return known;
    if (server->listed) co_return std::nullopt;
    ResolvedModel unlisted;
    unlisted.model = handle.substr(handle.find('/') + 1);
    if (unlisted.model.empty() || unlisted.model == handle) co_return std::nullopt;
    unlisted.listing = server->listing_of(unlisted.model, std::nullopt);
    unlisted.provider = server->provider.get();
    co_return unlisted;
}

std::optional<EmbeddingListing> Catalogue::find_embedding(std::string handle) const {
    constexpr std::string_view proxy = "openai-proxy/";
    if (handle.starts_with(proxy)) handle = "openai/" + handle.substr(proxy.size());
    const auto all = available();
    for (const EmbeddingListing& listing : all->embeddings)
        if (listing.handle == handle) return listing;
    // A server that does not list its embedding models may have them all the same.
    const Server* server = server_of(handle);
    const std::string model = handle.substr(handle.find('/') + 1);
    if (server == nullptr || (!known_embedding_dim(model) && server->listed)) return std::nullopt;
    ListedModel unlisted;
    unlisted.id = model;
    return server->embedding_of(unlisted);
}

awaitable<std::string> Catalogue::get(Server& server, std::string url, std::string body) {
    net::ClientRequest request;
    request.method = body.empty() ? net::Method::get : net::Method::post;
    request.url = std::move(url);
    request.body = std::move(body);
    if (!server.config.key.empty())
        request.headers.add("Authorization", std::string(server.kind.key_scheme) + " " + server.config.key.reveal());
    request.connect_timeout = request.head_timeout = request.idle_timeout = request.total_timeout = listing_timeout;
    net::ClientResponse response = co_await client_.send(std::move(request));
    if (response.status != 200) throw Error(ErrorCode::unavailable, "status " + std::to_string(response.status));
    co_return std::move(response.body);
}

awaitable<std::vector<ListedModel>> Catalogue::ask_ollama(Server& server) {
    const std::string root = root_of(server.base_url);
    const std::string tags = co_await get(server, root + "/api/tags", {});
    const auto names = read_ollama_tags(tags);
    if (!names) throw Error(ErrorCode::unavailable, "no list of models in the answer");
    std::vector<ListedModel> models;
    for (const std::string& name : *names) {
        std::string shown;
        try {
            shown = co_await get(server, root + "/api/show", "{\"model\":" + json_string(name) + "}");
        } catch (const Error& error) {  // removed a moment ago, or broken: the others are good all the same
            log::warn("models.not_shown", {{"provider", server.config.name}, {"model", name}, {"why", error.what()}});
            continue;
        }
        if (auto model = read_ollama_model(name, shown)) models.push_back(std::move(*model));
    }
    co_return models;
}

awaitable<std::vector<ListedModel>> Catalogue::list(Server& server) {
    if (server.kind.listing == Listing::ollama) co_return co_await ask_ollama(server);
    if (server.kind.listing == Listing::lm_studio) {
        std::string body;
        try {
            body = co_await get(server, root_of(server.base_url) + "/api/v0/models", {});
        } catch (const Error& error) {  // a version without that API: /v1/models tells less, but it does tell
            if (error.code == ErrorCode::cancelled) throw;
        }
        if (auto models = read_model_list(body)) co_return std::move(*models);
    }
    const std::string body = co_await get(server, server.base_url + "/models", {});
    auto models = read_model_list(body);
    if (!models) throw Error(ErrorCode::unavailable, "no list of models in the answer");
    co_return std::move(*models);
}

awaitable<void> Catalogue::ask(Server& server) {
    std::optional<std::string> failure;
    std::vector<ListedModel> listed;
    try {
        listed = co_await list(server);
    } catch (const Error& error) {
        if (error.code == ErrorCode::cancelled) throw;
        failure = error.what();
    }
    const std::lock_guard lock(mutex_);
    server.listed = !failure;
    server.asked_ms = now_ms();
    if (failure) {
        if (!std::exchange(server.complained, true))
            log::warn("models.listing_failed", {{"provider", server.config.name}, {"why", *failure}});
        co_return;
    }
    server.complained = false;
    server.models.clear();
    server.embeddings.clear();
    for (const ListedModel& model : listed) {
        if (model.embedding)
            server.embeddings.push_back(server.embedding_of(model));
        else if (!server.official() || is_official_chat_model(model.id))
            server.models.push_back(server.listing_of(model.id, model.context_window));
    }
    publish();
}

awaitable<void> Catalogue::refresh() {
    if (refreshing_.exchange(true)) co_return;
    try {
        for (const auto& server : servers_) co_await ask(*server);
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
