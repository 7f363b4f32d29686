#include "api/route.hpp"
#include "domain/answer.hpp"
#include "storage/agent_repository.hpp"

namespace stele::api {
namespace {

awaitable<Response> health(Services& services, const Request&) {
    Health shown;
    shown.stele_version = services.facts.version;
    co_return answer(shown);
}

// Fit for traffic: the store answers. Throws Error{unavailable} otherwise, which is the 503 that balancers look for.
awaitable<Response> ready(Services& services, const Request& request) {
    static_cast<void>(co_await services.agents.exists(default_organization_id, default_user_id));
    co_return co_await health(services, request);
}

}  // namespace

std::span<const Route> health_routes() {
    static constexpr Route routes[] = {
        {Method::get, "/v1/health", health, "health", "", "Health", "", Trait::open},
        {Method::get, "/v1/ready", ready, "ready", "", "Health", "", Trait::open},
    };
    return routes;
}

}  // namespace stele::api
