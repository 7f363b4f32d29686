#include "api/identity_query.hpp"

#include "base/ids.hpp"
#include "storage/identity_repository.hpp"

namespace stele::api {

awaitable<std::string> identity_id_of(const Services& services, const Request& request, std::string named) {
    return services.identities.resolve(request.organization_id, std::move(named), request.project_id);
}

awaitable<std::optional<std::string>> identity_filter(const Services& services, const Request& request,
                                                      std::optional<std::string> named) {
    if (!named || is_id(*named, "identity")) co_return named;
    std::string id = co_await identity_id_of(services, request, std::move(*named));
    co_return id;
}

}  // namespace stele::api
