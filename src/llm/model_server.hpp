#pragma once

#include "domain/model_config.hpp"
#include "llm/embedder.hpp"
#include "llm/model_listing.hpp"
#include "llm/openai_chat.hpp"
#include "llm/providers.hpp"

#include <memory>

namespace stele::llm {

/// How long a server may take, and what of it is used.
struct ModelServerOptions {
    std::chrono::milliseconds silence_timeout{600'000};  ///< of a model that streams
    std::chrono::milliseconds answer_timeout{600'000};   ///< of one that does not
    bool batches = true;                                 ///< its own batches are used
    WorkerThreads* workers = nullptr;                    ///< read large answers; null: they are read at once
};

/// One configured server: how its models are listed and called. Immutable, so any thread may use it.
class ModelServer {
public:
    /// Throws Error{invalid_argument} for a kind of provider that there is not.
    ModelServer(net::HttpClient& client, EndpointConfig config, const ModelServerOptions& options);

    const EndpointConfig& config() const { return config_; }
    const std::string& base_url() const { return base_url_; }
    Provider& provider() const { return *provider_; }
    Embedder& embedder() const { return *embedder_; }

    /// What the server offers now. Throws Error{unavailable} when that can't be had, and Error{model_failed} of type
    /// llm_authentication for a key that it does not take; both say what was asked, and where.
    boost::asio::awaitable<std::vector<ListedModel>> list() const;

    /// True for a model that takes part in talks, where the server lists others too.
    bool offers(const ListedModel& model) const;

    /// False: its models are listed, but agents can't be run on them.
    bool talks() const { return llm::talks(kind_); }

    /// `window`: as the server tells it; nothing: from the configuration, or what is known of the model.
    std::shared_ptr<const ModelListing> listing_of(const std::string& id, std::optional<std::int64_t> window) const;
    EmbeddingListing embedding_of(const ListedModel& model) const;

private:
    boost::asio::awaitable<std::vector<ListedModel>> ask_anthropic() const;
    boost::asio::awaitable<std::vector<ListedModel>> ask_ollama() const;
    boost::asio::awaitable<std::string> get(std::string url, std::string body) const;

    net::HttpClient& client_;
    EndpointConfig config_;
    ProviderKind kind_;
    std::string base_url_;
    std::unique_ptr<Provider> provider_;
    std::unique_ptr<Embedder> embedder_;
};

}  // namespace stele::llm
