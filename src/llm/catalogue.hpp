#pragma once

#include "domain/model_config.hpp"
#include "llm/openai_chat.hpp"
#include "llm/providers.hpp"

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>

namespace stele::llm {

/// A model and how to call it.
struct ResolvedModel {
    std::shared_ptr<const ModelListing> listing;
    Provider* provider = nullptr;  ///< lives as long as the catalogue
    std::string model;             ///< the provider's own id

    const ModelListing& info() const { return *listing; }
};

/// What is available at one moment.
struct AvailableModels {
    std::vector<std::shared_ptr<const ModelListing>> models;
    std::vector<EmbeddingListing> embeddings;
};

struct CatalogueOptions {
    std::chrono::milliseconds silence_timeout{600'000};  ///< of a model that streams
    std::chrono::milliseconds answer_timeout{600'000};   ///< of one that does not
    std::chrono::seconds refresh_interval{60};
    bool batches = true;  ///< providers' own batches are used
};

/// The models that the configured servers offer, and always stele/offline and stele/hash, which need no server. Servers
/// are asked again in the background; one that is down keeps the rows it had, one that was down at our start is found
/// when it comes up. Thread-safe.
class Catalogue {
public:
    Catalogue(net::HttpClient& client, std::vector<EndpointConfig> endpoints, CatalogueOptions options = {});
    ~Catalogue();

    std::shared_ptr<const AvailableModels> available() const;

    /// The model of a handle "<provider>/<model id>"; "openai-proxy/..." is understood as openai. A handle that is not
    /// known asks its server once more (not within a second of its last answer). A server whose listing can't be had is
    /// given the benefit of the doubt. Nothing if no configured server offers the model.
    boost::asio::awaitable<std::optional<ResolvedModel>> resolve(std::string handle);

    /// The embedding model of a handle, or nothing.
    std::optional<EmbeddingListing> find_embedding(std::string handle) const;

    /// Asks all servers for their models now.
    boost::asio::awaitable<void> refresh();

    /// Refreshes for ever: every so often, and sooner while a server does not answer. Ends when its coroutine is
    /// cancelled.
    boost::asio::awaitable<void> keep_fresh();

    /// True if a server is configured that has batches of its own.
    bool has_batches() const;

    /// True if a server is configured.
    bool has_servers() const { return !servers_.empty(); }

private:
    struct Server;

    boost::asio::awaitable<void> ask(Server& server);
    boost::asio::awaitable<std::vector<struct ListedModel>> list(Server& server);
    boost::asio::awaitable<std::vector<struct ListedModel>> ask_ollama(Server& server);
    boost::asio::awaitable<std::string> get(Server& server, std::string url, std::string body);
    std::optional<ResolvedModel> find(const std::string& handle) const;
    std::optional<ResolvedModel> look_up(const std::string& handle) const;
    Server* server_of(const std::string& handle) const;
    void publish();

    net::HttpClient& client_;
    const CatalogueOptions options_;
    std::vector<std::unique_ptr<Server>> servers_;
    std::unique_ptr<Provider> offline_;
    mutable std::mutex mutex_;  ///< of what follows and of the servers' rows
    std::shared_ptr<const AvailableModels> available_;
    std::map<std::string, ResolvedModel, std::less<>> by_handle_;
    std::atomic<bool> refreshing_ = false;
};

}  // namespace stele::llm
