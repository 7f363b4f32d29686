#include "api/route.hpp"

namespace stele::api {
namespace {

// The first part is what the clients were written against; they only display it.
constexpr char api_version[] = "0.16.8";

awaitable<Response> health(Services& services, const Request&) {
    co_return json_answer(std::string("{\"version\":\"") + api_version + "\",\"status\":\"ok\",\"stele_version\":\"" +
                          services.facts.version + "\"}");
}

}  // namespace

std::span<const Route> health_routes() {
    static constexpr Route routes[] = {
        {Method::get, "/v1/health", health, "health", "", "Health", true},
    };
    return routes;
}

}  // namespace stele::api
