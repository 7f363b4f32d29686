#include "api/route.hpp"
#include "llm/catalogue.hpp"

#include <algorithm>

namespace stele::api {
namespace {

// True if the parameter is absent or names `value`.
bool wanted(const Query& query, std::string_view name, const std::string& value) {
    const std::vector<std::string> values = query.list(name);
    return values.empty() || std::find(values.begin(), values.end(), value) != values.end();
}

awaitable<Response> list(Services& services, const Request& request) {
    const auto available = services.catalogue.available(request.organization_id);
    std::string body = "[";
    for (const auto& listing : available->models) {
        if (!wanted(request.query, "provider_category", listing->provider_category) ||
            !wanted(request.query, "provider_name", listing->provider_name) ||
            !wanted(request.query, "provider_type", listing->provider_type))
            continue;
        if (body.size() > 1) body += ',';
        encode(*listing, body);
    }
    co_return json_answer(body + "]");
}

awaitable<Response> list_embeddings(Services& services, const Request& request) {
    const auto available = services.catalogue.available(request.organization_id);
    co_return answer(available->embeddings);
}

}  // namespace

constexpr std::string_view filters = "provider_category[], provider_name, provider_type";

std::span<const Route> model_routes() {
    static constexpr Route routes[] = {
        {Method::get, "/v1/models", list, "models.list", "", "ModelListing[]", filters},
        {Method::get, "/v1/models/llm", list, "models.list_alias", "", "ModelListing[]", filters},
        {Method::get, "/v1/models/embedding", list_embeddings, "models.embeddings.list", "", "EmbeddingListing[]"},
        {Method::get, "/v1/models/embeddings", list_embeddings, "models.embeddings.list_alias", "",
         "EmbeddingListing[]"},
    };
    return routes;
}

}  // namespace stele::api
