#include "api/terminal_services.hpp"
#include "domain/hosted_error.hpp"
#include "domain/terminal_listing.hpp"
#include "llm/catalogue.hpp"
#include "llm/providers.hpp"

#include <algorithm>

namespace stele::api {
namespace {

std::string first_of(std::initializer_list<std::string> texts) {
    for (const std::string& text : texts)
        if (!text.empty()) return text;
    return "unknown";
}

// What runs on a machine of one's own costs nothing.
bool is_free(const std::string& kind) {
    const llm::ProviderKind* known = llm::find_provider_kind(kind);
    return known == nullptr ? kind == "stele" : known->key_variable.empty();
}

CatalogEntry entry_of(const ModelListing& listing, const std::string& default_model) {
    CatalogEntry entry;
    entry.id = entry.handle = listing.handle;
    entry.label = first_of({listing.display_name, listing.name, listing.model, listing.handle});
    entry.brand = first_of({listing.provider_type, listing.provider_name});
    entry.contextWindow = std::max<std::int64_t>(1, listing.context_window);
    entry.maxContextWindow = std::max(entry.contextWindow, listing.max_context_window);
    if (listing.max_tokens && *listing.max_tokens > 0) entry.maxOutputTokens = *listing.max_tokens;
    entry.description =
        first_of({listing.model, listing.handle}) + " by " + first_of({listing.provider_name, listing.provider_type});
    entry.isDefault = entry.isFeatured = listing.handle == default_model;
    entry.free = is_free(listing.provider_type);
    return entry;
}

awaitable<Response> list(Services& services, const Request& request) {
    const auto available = services.catalogue.available(request.organization_id);
    ModelCatalog catalog;
    for (const auto& listing : available->models)
        if (!listing->handle.empty()) catalog.models.push_back(entry_of(*listing, services.terminal.default_model));
    co_return answer(catalog);
}

// Nobody can have connected one: a ChatGPT account is no provider that this server speaks with.
awaitable<Response> chatgpt_usage(Services&, const Request& request) {
    const std::string name = request.query.text("provider_name").value_or("");
    throw hosted_error(ErrorCode::not_found,
                       name.empty() ? "No ChatGPT account is connected"
                                    : "No ChatGPT account is connected under the name '" + name + "'",
                       "providerNotFound");
    co_return Response();
}

}  // namespace

std::span<const Route> model_catalog_routes() {
    static constexpr Route routes[] = {
        {Method::get, "/v1/models/catalog", list, "models.catalog", "", "ModelCatalog"},
        {Method::get, "/v1/providers/chatgpt-usage", chatgpt_usage, "providers.chatgpt_usage", "", "object",
         "provider_name"},
    };
    return routes;
}

}  // namespace stele::api
