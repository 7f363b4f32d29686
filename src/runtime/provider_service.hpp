#pragma once

#include "llm/catalogue.hpp"
#include "storage/provider_repository.hpp"

namespace stele::runtime {

/// Providers that organisations bring along: stored, and their models in the catalogue for as long as they are.
/// Thread-safe; what it refers to outlives it.
class ProviderService {
public:
    struct Parts {
        storage::Database& database;
        const storage::ProviderRepository& providers;
        llm::Catalogue& catalogue;
        bool private_addresses = false;  ///< base URLs may name this machine and private networks
    };

    explicit ProviderService(Parts parts) : parts_(std::move(parts)) {}

    /// Brings the stored ones into the catalogue. For the start of the server.
    boost::asio::awaitable<void> load() const;

    /// Stores it and asks it for its models; that it does not answer is no failure. A deleted one of that name comes
    /// back with its id. Throws Error{invalid_argument} for a type that this server does not speak and for a name that
    /// a provider of the operator has, Error{conflict} for the name of another one.
    boost::asio::awaitable<StoredProvider> create(std::string organization_id, std::string actor,
                                                  ProviderCreate request) const;
    boost::asio::awaitable<StoredProvider> update(std::string organization_id, std::string actor, std::string id,
                                                  ProviderUpdate request) const;

    /// Takes it out of the catalogue and erases its keys.
    boost::asio::awaitable<void> remove(std::string organization_id, std::string actor, std::string id) const;

    /// Asks a provider whether it is there and takes the key. Throws Error{model_failed} or Error{unavailable} with
    /// what is wrong and which address was asked.
    boost::asio::awaitable<void> probe(std::string provider_type, ProviderAccess access) const;
    boost::asio::awaitable<StoredProvider> probe_stored(std::string organization_id, std::string id) const;

    /// Asks it for its models now. Throws as probe does.
    boost::asio::awaitable<StoredProvider> refresh(std::string organization_id, std::string id) const;

private:
    boost::asio::awaitable<StoredProvider> find(std::string organization_id, std::string id) const;
    boost::asio::awaitable<StoredProvider> store(StoredProvider provider, bool is_new) const;
    boost::asio::awaitable<std::optional<Error>> sync(StoredProvider& provider) const;
    llm::EndpointConfig endpoint_of(const StoredProvider& provider) const;

    Parts parts_;
};

}  // namespace stele::runtime
