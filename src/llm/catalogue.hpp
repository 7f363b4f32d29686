#pragma once

#include "domain/model_config.hpp"
#include "llm/model_server.hpp"

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>

namespace stele::llm {

/// A model and how to call it.
struct ResolvedModel {
    std::shared_ptr<const ModelListing> listing;
    std::shared_ptr<Provider> provider;  ///< works on even if its server is taken out of the catalogue
    std::string model;                   ///< the provider's own id

    const ModelListing& info() const { return *listing; }
};

/// An embedding model and how to call it.
struct ResolvedEmbedder {
    std::shared_ptr<Embedder> embedder;  ///< works on even if its server is taken out of the catalogue
    std::string model;                   ///< the server's own id
    bool built_in = false;               ///< needs no server
};

/// What is available at one moment.
struct AvailableModels {
    std::vector<std::shared_ptr<const ModelListing>> models;
    std::vector<EmbeddingListing> embeddings;
};

struct CatalogueOptions {
    ModelServerOptions servers;
    std::chrono::seconds refresh_interval{60};
};

/// The models that the configured servers offer, and always stele/offline and stele/hash, which need no server. Servers
/// that an organisation has brought along are its own; the others are there for everybody. Servers are asked again in
/// the background; one that is down keeps the rows it had, one that was down at our start is found when it comes up.
/// Thread-safe.
class Catalogue {
public:
    /// `egress`: the client for servers that organisations bring along, which goes where such addresses may lead.
    Catalogue(net::HttpClient& client, net::HttpClient& egress, std::vector<EndpointConfig> endpoints,
              CatalogueOptions options = {});
    ~Catalogue();

    std::shared_ptr<const AvailableModels> available(const std::string& organization_id) const;

    /// The model of a handle "<provider>/<model id>"; "openai-proxy/..." is understood as openai. A handle that is not
    /// known asks its server once more (not within a second of its last answer). A server whose listing can't be had is
    /// given the benefit of the doubt. Nothing if no server of the organisation offers the model. Throws
    /// Error{invalid_argument} for one of a server that agents can't be run on.
    boost::asio::awaitable<std::optional<ResolvedModel>> resolve(std::string organization_id, std::string handle);

    /// The embedding model of a handle, or nothing.
    std::optional<EmbeddingListing> find_embedding(std::string organization_id, std::string handle) const;

    /// Who makes the vectors of this configuration: the server that its handle names, wherever its own endpoint points.
    /// Nothing if the organisation has no such server.
    std::optional<ResolvedEmbedder> embedder(const std::string& organization_id, const EmbeddingConfig& config) const;

    /// Takes in an organisation's server, in the place of one with the same id. Its models are there once it has been
    /// asked. Throws Error{invalid_argument} for a kind of provider that there is not.
    void put(EndpointConfig config);

    /// Takes it out, and its models with it; what is being asked of it comes to its end.
    void remove(const std::string& id);

    /// Takes out all that an organisation has brought along.
    void remove_of(const std::string& organization_id);

    /// Asks a server that need not be in the catalogue for its models. Throws as ModelServer::list does.
    boost::asio::awaitable<void> probe(EndpointConfig config) const;

    /// Asks the server `id` for its models now. Throws as ModelServer::list does.
    boost::asio::awaitable<void> refresh_one(std::string id);

    /// Asks all servers for their models now.
    boost::asio::awaitable<void> refresh();

    /// Refreshes for ever: every so often, and sooner while a server does not answer. Ends when its coroutine is
    /// cancelled.
    boost::asio::awaitable<void> keep_fresh();

    /// True if a server is configured that has batches of its own.
    bool has_batches() const;

    /// True if a server is configured.
    bool has_servers() const;

    /// True if `name` is that of a server which is there for everybody.
    bool has_base_server(const std::string& name) const;

private:
    struct Server;

    boost::asio::awaitable<std::optional<Error>> ask(Server& server);
    std::vector<std::shared_ptr<Server>> servers() const;
    std::optional<ResolvedModel> find(const std::string& organization_id, const std::string& handle) const;
    std::optional<ResolvedModel> look_up(const std::string& organization_id, const std::string& handle) const;
    std::shared_ptr<Server> server_of(const std::string& organization_id, const std::string& handle) const;
    void publish();

    net::HttpClient& egress_;
    const CatalogueOptions options_;
    std::shared_ptr<Provider> offline_;
    std::shared_ptr<Embedder> hash_;
    mutable std::mutex mutex_;  ///< of what follows and of the servers' rows
    std::vector<std::shared_ptr<Server>> servers_;
    std::map<std::string, std::shared_ptr<const AvailableModels>> available_;  ///< by organisation; "": everybody
    std::map<std::string, std::map<std::string, ResolvedModel, std::less<>>> by_handle_;
    std::atomic<bool> refreshing_ = false;
};

}  // namespace stele::llm
