#include "runtime/provider_service.hpp"

#include "base/ids.hpp"
#include "base/log.hpp"

namespace stele::runtime {
namespace {

using boost::asio::awaitable;

constexpr int attempts_max = 8;

Error not_spoken(const std::string& type) {
    return refused(
        "provider_type: this server does not speak with " + type +
        " yet. A server that offers the chat-completions protocol can be added as 'openai' with its base_url");
}

}  // namespace

llm::EndpointConfig ProviderService::endpoint_of(const StoredProvider& provider) const {
    const llm::ProviderKind* kind = llm::find_provider_kind(provider.shown.provider_type);
    if (kind == nullptr) throw not_spoken(provider.shown.provider_type);
    llm::EndpointConfig config;
    config.id = provider.shown.id;
    config.organization_id = provider.shown.organization_id;
    config.name = provider.shown.name;
    config.kind = provider.shown.provider_type;
    config.base_url = provider.shown.base_url.value_or(std::string(kind->default_url));
    config.key = provider.api_key;
    if (config.base_url.empty())
        throw invalid_field("body.base_url", "is required for " + provider.shown.provider_type);
    return config;
}

awaitable<void> ProviderService::load() const {
    const std::vector<StoredProvider> stored = co_await parts_.providers.all();
    for (const StoredProvider& provider : stored) {
        try {
            parts_.catalogue.put(endpoint_of(provider));
        } catch (const Error& error) {  // of a type that a newer server spoke
            log::warn("provider.not_loaded", {{"provider_id", provider.shown.id}, {"why", error.what()}});
        }
    }
}

awaitable<StoredProvider> ProviderService::find(std::string organization_id, std::string id) const {
    auto found = co_await parts_.providers.find(std::move(organization_id), id);
    if (!found) throw not_found("Provider", id);
    co_return std::move(*found);
}

awaitable<StoredProvider> ProviderService::store(StoredProvider provider, bool is_new) const {
    llm::EndpointConfig config = endpoint_of(provider);
    storage::Transaction transaction;
    if (is_new)
        parts_.providers.insert(transaction, provider);
    else
        parts_.providers.update(transaction, provider);
    co_await parts_.database.commit(std::move(transaction));
    parts_.catalogue.put(std::move(config));
    const auto failure = co_await sync(provider);
    static_cast<void>(failure);  // it may come up later: the catalogue goes on asking
    co_return provider;
}

awaitable<std::optional<Error>> ProviderService::sync(StoredProvider& provider) const {
    std::optional<Error> failure;
    try {
        co_await parts_.catalogue.refresh_one(provider.shown.id);
    } catch (const Error& error) {
        if (error.code == ErrorCode::cancelled) throw;
        failure = error;
    }
    if (failure) co_return failure;
    provider.shown.last_synced = now();
    storage::Transaction transaction;
    parts_.providers.note_synced(transaction, provider.shown.id, *provider.shown.last_synced);
    co_await parts_.database.commit(std::move(transaction));
    co_return std::nullopt;
}

awaitable<StoredProvider> ProviderService::create(std::string organization_id, std::string actor,
                                                  ProviderCreate request) const {
    if (parts_.catalogue.has_base_server(request.name))
        throw refused("The name '" + request.name + "' belongs to a provider of this server's operator");
    for (int attempt = 1;; ++attempt) {
        auto provider = co_await parts_.providers.find_by_name(organization_id, request.name);
        if (provider && !provider->deleted) {
            Error taken(ErrorCode::conflict, "There is a provider named '" + request.name + "' already");
            taken.final = true;
            throw taken;
        }
        const bool is_new = !provider;
        if (is_new) {
            provider.emplace();
            provider->shown.id = new_id("provider");
            provider->shown.organization_id = organization_id;
            provider->shown.name = request.name;
            provider->created_by_id = actor;
            provider->created_at = now();
        }
        provider->deleted = false;
        provider->shown.provider_type = request.provider_type;
        provider->shown.updated_at = now();
        provider->last_updated_by_id = actor;
        apply(request, *provider);
        try {
            StoredProvider stored = co_await store(std::move(*provider), is_new);
            co_return stored;
        } catch (const Error& error) {  // somebody else has taken or brought back the name at the same moment
            if (error.type != changed_meanwhile_type || attempt == attempts_max) throw;
        }
    }
}

awaitable<StoredProvider> ProviderService::update(std::string organization_id, std::string actor, std::string id,
                                                  ProviderUpdate request) const {
    StoredProvider provider = co_await find(std::move(organization_id), std::move(id));
    if (!apply(request, provider)) co_return provider;
    provider.shown.updated_at = now();
    provider.last_updated_by_id = std::move(actor);
    co_return co_await store(std::move(provider), false);
}

awaitable<void> ProviderService::remove(std::string organization_id, std::string actor, std::string id) const {
    StoredProvider provider = co_await find(std::move(organization_id), id);
    provider.deleted = true;
    provider.api_key = provider.access_key = Secret();
    provider.shown.updated_at = now();
    provider.last_updated_by_id = std::move(actor);
    storage::Transaction transaction;
    parts_.providers.update(transaction, provider);
    co_await parts_.database.commit(std::move(transaction));
    parts_.catalogue.remove(id);
}

awaitable<void> ProviderService::probe(std::string provider_type, ProviderAccess access) const {
    StoredProvider described;
    described.shown.provider_type = std::move(provider_type);
    described.shown.name = described.shown.provider_type;
    described.shown.organization_id = "nobody";  // it is nobody's yet, and not there for everybody either
    apply(access, described);
    llm::EndpointConfig config = endpoint_of(described);
    co_await parts_.catalogue.probe(std::move(config));
}

awaitable<StoredProvider> ProviderService::probe_stored(std::string organization_id, std::string id) const {
    StoredProvider provider = co_await find(std::move(organization_id), std::move(id));
    llm::EndpointConfig config = endpoint_of(provider);
    co_await parts_.catalogue.probe(std::move(config));
    co_return provider;
}

awaitable<StoredProvider> ProviderService::refresh(std::string organization_id, std::string id) const {
    StoredProvider provider = co_await find(std::move(organization_id), std::move(id));
    const auto failure = co_await sync(provider);
    if (failure) throw *failure;
    co_return provider;
}

}  // namespace stele::runtime
