#pragma once

#include "api/terminal_services.hpp"
#include "domain/work_folder.hpp"

namespace stele::api {

/// A device as answers show it: what the store has, and what its socket tells. A work folder is always connected.
DeviceConnection shown_device(const Services& services, const Device& device);

/// Milliseconds since 1970.
std::int64_t epoch_ms(Timestamp time);

/// The agent's conversation that a body names, in the store's word. Throws Error{not_found}.
awaitable<std::string> conversation_of(Services& services, const Request& request, std::string agent_id,
                                       std::string named);

/// Deletes a work folder and tells so.
awaitable<Response> terminate(Services& services, Device folder);

}  // namespace stele::api
