#pragma once

#include "domain/agent.hpp"
#include "llm/catalogue.hpp"

namespace stele::runtime {

/// What is taken when a request names nothing.
struct ModelDefaults {
    std::string model = "stele/offline";
    std::string embedding = "stele/hash";
    std::int64_t context_window_max = 128'000;  ///< unless a request asks for more
};

/// The configuration for `handle` as the catalogue lists it, for an agent of `type`.
LlmConfig config_of(const ModelListing& listing, const std::string& handle, AgentType type,
                    const ModelDefaults& defaults);
EmbeddingConfig config_of(const EmbeddingListing& listing, const std::string& handle);

/// Writes the members of `request` that adjust the model over `config`: settings, window, tokens, reasoning, format.
void adjust(const AgentModelRequest& request, LlmConfig& config);

/// Chooses model and embedding of a new agent. Throws Error{not_found} for an unknown model handle and
/// Error{invalid_argument} for an unknown embedding handle.
boost::asio::awaitable<void> choose_models(llm::Catalogue& catalogue, const ModelDefaults& defaults,
                                           const AgentModelRequest& request, Agent& agent);

/// The same for a PATCH: what it does not name stays. True if anything changed.
boost::asio::awaitable<bool> change_models(llm::Catalogue& catalogue, const ModelDefaults& defaults,
                                           const AgentModelRequest& request, Agent& agent);

}  // namespace stele::runtime
