#pragma once

#include "api/route.hpp"

namespace stele::api {

/// The id of the identity that a path, a filter or a body names by its id or by its key (in the request's project, then
/// among those without one, then in the organisation). Throws Error{not_found}, and Error{conflict} if several have the
/// key.
awaitable<std::string> identity_id_of(const Services& services, const Request& request, std::string named);

/// The same for a filter of a list: an id that leads nowhere is no error there, for nothing is linked to it.
awaitable<std::optional<std::string>> identity_filter(const Services& services, const Request& request,
                                                      std::optional<std::string> named);

}  // namespace stele::api
